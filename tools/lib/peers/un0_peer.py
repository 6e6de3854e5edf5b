"""Modules of un0c, by the C interface of the runtime (runtime/include/un0/runtime.h)."""

import ctypes
from ctypes import POINTER, byref, c_char, c_float, c_int32, c_int64, c_uint32, c_uint64, c_void_p


class Error(ctypes.Structure):
    _fields_ = [("code", c_int32), ("message", c_char * 1020)]


class Signature(ctypes.Structure):
    _fields_ = [(name, c_uint32) for name in ("oscillators", "conditioning", "classes", "features", "channels",
                                              "height", "width", "tile")]


class SessionOptions(ctypes.Structure):
    _fields_ = [("size", c_uint32), ("threads", c_uint32)]


class OpenOptions(ctypes.Structure):
    _fields_ = [("size", c_uint32), ("flags", c_uint32)]


class Request(ctypes.Structure):
    _fields_ = [("size", c_uint32), ("rng", c_uint32), ("count", c_uint64), ("labels", POINTER(c_int64)),
                ("seed", c_uint64), ("first_sample", c_uint64), ("theta0", POINTER(c_float)),
                ("phi0", POINTER(c_float)), ("images", POINTER(c_float)), ("theta", POINTER(c_float)),
                ("features", POINTER(c_float)), ("progress", c_void_p), ("progress_user", c_void_p)]


def build(case):
    import numpy as np

    library = ctypes.CDLL(case.library)
    library.un0_module_signature.restype = None
    error, module, session = Error(), c_void_p(), c_void_p()

    def check(status):
        if status:
            raise RuntimeError(error.message.decode())

    # As un0-run opens a module for many pictures, and as every peer has them: weights in memory of its own.
    opening = OpenOptions()
    library.un0_open_options_init(byref(opening))
    opening.flags = 2  # UN0_OPEN_COPY_WEIGHTS
    check(library.un0_module_open(case.module.encode(), byref(opening), byref(module), byref(error)))
    signature = Signature()
    library.un0_module_signature(module, byref(signature))
    options = SessionOptions()
    library.un0_session_options_init(byref(options))
    options.threads = case.threads
    check(library.un0_session_create(module, byref(options), byref(session), byref(error)))

    theta, phi, labels = case.inputs()
    images = np.empty((case.batch, signature.channels, signature.height, signature.width), np.float32)
    request = Request()
    library.un0_request_init(byref(request))
    request.count = case.batch
    request.labels = labels.ctypes.data_as(POINTER(c_int64))
    request.theta0 = theta.ctypes.data_as(POINTER(c_float))
    request.phi0 = phi.ctypes.data_as(POINTER(c_float))
    request.images = images.ctypes.data_as(POINTER(c_float))

    def run(inputs=(theta, phi, labels)):  # holds the arrays that the request points into
        check(library.un0_generate(session, byref(request), byref(error)))
        return images
    return run
