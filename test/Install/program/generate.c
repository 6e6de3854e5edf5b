/* Prints one generated image as text. Quoted by docs/c-abi.md. */
/* [doc:program] */
#include <stdio.h>
#include <stdlib.h>
#include <un0/runtime.h>

int main(int argc, char **argv) {
  un0_module *module;
  un0_session *session;
  un0_error error;
  if (un0_module_open(argc == 2 ? argv[1] : "", NULL, &module, &error) ||
      un0_session_create(module, NULL, &session, &error))
    return fprintf(stderr, "generate: error: %s\n", error.message), 1;

  un0_signature shape;
  un0_module_signature(module, &shape);
  int64_t label = 7;
  un0_request request;
  un0_request_init(&request);
  request.count = 1;
  request.labels = &label;
  request.seed = 42;
  request.images = malloc(sizeof(float) * shape.channels * shape.height * shape.width);
  if (un0_generate(session, &request, &error))
    return fprintf(stderr, "generate: error: %s\n", error.message), 1;

  for (uint32_t y = 0; y < shape.height; ++y, putchar('\n'))
    for (uint32_t x = 0; x < shape.width; ++x)
      putchar(" .:-=+*#%@"[(int)(4.99f * (request.images[y * shape.width + x] + 1))]);
  free(request.images);
  un0_session_close(session);
  un0_module_close(module);
  return 0;
}
/* [doc:end] */
