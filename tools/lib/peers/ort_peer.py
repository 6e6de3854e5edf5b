"""ONNX Runtime: f32; couplings quantized dynamically; couplings and convolutions quantized statically (QDQ)."""

import os

import onnx
import onnxruntime as ort

from . import onnx_export


def quantized(case, source):
    """Path of the quantized file, made when it is not there."""
    from onnxruntime.quantization import (CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType,
                                          quantize_dynamic, quantize_static)
    from onnxruntime.quantization.shape_inference import quant_pre_process

    path = os.path.join(case.work, f"{case.model}-b{case.batch}-{case.peer}.onnx")
    if os.path.exists(path):
        return path
    prepared = path + ".prepared"
    # Basic optimizations would write the graph in a form that the quantizer does not look for.
    quant_pre_process(source, prepared, skip_optimization=True)
    nodes = onnx.load(prepared).graph.node
    # The products of a few numbers (conditioning, drive) stay f32.
    couplings = [node.name for node in nodes if node.name.startswith("couple_")]
    if case.peer == "ort-dyn8":
        quantize_dynamic(prepared, path + ".part", nodes_to_quantize=couplings, per_channel=True,
                         weight_type=QuantType.QInt8)
    else:
        class Reader(CalibrationDataReader):
            feeds = onnx_export.calibration(case)

            def get_next(self):
                return next(self.feeds, None)

        kinds = ["MatMul", "Conv", "LeakyRelu", "Resize"]
        chosen = couplings + [node.name for node in nodes if node.op_type in kinds[1:]]
        quantize_static(prepared, path + ".part", Reader(), quant_format=QuantFormat.QDQ, op_types_to_quantize=kinds,
                        nodes_to_quantize=chosen, per_channel=True, activation_type=QuantType.QUInt8,
                        weight_type=QuantType.QInt8, calibrate_method=CalibrationMethod.MinMax)
    os.remove(prepared)
    os.replace(path + ".part", path)
    return path


def build(case):
    path = onnx_export.exported(case)
    if case.peer != "ort":
        path = quantized(case, path)
    options = ort.SessionOptions()
    options.intra_op_num_threads = case.threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    feeds = dict(zip(("theta0", "phi0", "labels"), case.inputs()))
    return lambda: session.run(None, feeds)[0]
