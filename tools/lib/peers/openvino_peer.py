"""OpenVINO from the ONNX file: f32, the bf16 hint, and int8 after training by NNCF."""

import os

import openvino as ov

from . import onnx_export


def quantized(case, core, source):
    """Path of the int8 IR, made when it is not there."""
    path = os.path.join(case.work, f"{case.model}-b{case.batch}-int8.xml")
    if os.path.exists(path):
        return path
    os.environ["NNCF_CI"] = "1"  # no telemetry
    import nncf

    feeds = list(onnx_export.calibration(case))
    model = nncf.quantize(core.read_model(source), nncf.Dataset(feeds), subset_size=len(feeds),
                          target_device=nncf.TargetDevice.CPU)
    ov.save_model(model, path, compress_to_fp16=False)
    return path


def build(case):
    core = ov.Core()
    path = onnx_export.exported(case)
    if case.peer == "ov-int8":
        path = quantized(case, core, path)
    compiled = core.compile_model(path, "CPU", {
        "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": "1", "INFERENCE_NUM_THREADS": str(case.threads),
        "ENABLE_CPU_PINNING": "NO",
        # Said for f32 as well: without it, a CPU with AMX would compute in bf16.
        "INFERENCE_PRECISION_HINT": "bf16" if case.peer == "ov-bf16" else "f32"})
    request = compiled.create_infer_request()
    for name, array in zip(("theta0", "phi0", "labels"), case.inputs()):
        request.set_tensor(name, ov.Tensor(array))  # copied once, here

    def run():
        request.infer()
        return request.get_output_tensor(0).data
    return run
