/*===- CInterface.c - the C header, used from C ---------------------------------===*/
#include "un0/format.h"
#include "un0/reference.h"
#include "un0/runtime.h"

#include <string.h>

/* Generates one image of class 1; returns the status, and the sum of the pixels in *sum. */
int generateFromC(const char *path, double *sum, un0_error *error) {
  un0_module *module;
  un0_session *session = NULL;
  un0_signature signature;
  un0_request request;
  float image[3 * 4 * 4];
  const int64_t label = 1;
  un0_status status = un0_module_open(path, NULL, &module, error);
  if (status != UN0_OK)
    return status;
  un0_module_signature(module, &signature);
  status = un0_session_create(module, NULL, &session, error);
  if (status == UN0_OK) {
    un0_request_init(&request);
    request.count = 1;
    request.labels = &label;
    request.images = image;
    status = un0_generate(session, &request, error);
  }
  *sum = 0;
  for (unsigned i = 0; status == UN0_OK && i < sizeof image / sizeof *image; ++i)
    *sum += image[i];
  un0_session_close(session);
  un0_module_close(module);
  return status;
}
