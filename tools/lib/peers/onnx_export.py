"""The model as ONNX: static batch, steps unrolled, written node by node so that nothing is left for an exporter to spoil."""

import os

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from .checkpoint import LEAK


class Graph:
    """Collects nodes and constants; every method returns the name of a value."""

    def __init__(self):
        self.nodes, self.constants, self.count = [], {}, 0

    def constant(self, name, array):
        self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return name

    def op(self, kind, *inputs, outputs=1, name=None, **attributes):
        self.count += 1
        names = [f"{kind.lower()}_{self.count}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, name=name or f"{kind}_{self.count}",
                                           **attributes))
        return names[0] if outputs == 1 else names


def export(model, batch, path):
    """Writes inputs (theta0 [B, N], phi0 [B, M], labels [B]) -> images [B, 3, H, W]."""
    g = Graph()
    n, m, steps = model.oscillators, model.conditioning, model.steps
    # A product of constants [source, target] from the right, as the runtimes pack them.
    coupling = g.constant("coupling", model.coupling.T)
    cond_coupling = g.constant("cond_coupling", model.cond_coupling.T)
    omega, cond_omega = g.constant("omega", model.omega), g.constant("cond_omega", model.cond_omega)

    def step(phase, matrix, frequency, name, add=None):
        """phase + frequency + coupling; also the sines and cosines. `add` [2B, N] joins the products."""
        s, c = g.op("Sin", phase), g.op("Cos", phase)
        product = g.op("MatMul", g.op("Concat", s, c, axis=0), matrix, name=name)
        if add:
            product = g.op("Add", product, add)
        a, e = g.op("Split", product, outputs=2, axis=0, num_outputs=2)
        change = g.op("Sub", g.op("Mul", c, a), g.op("Mul", s, e))
        return g.op("Add", g.op("Add", phase, frequency), change), s, c

    # The conditioning block does not see the oscillators: all its steps come first, and one product drives all steps.
    phi, rows = "phi0", []
    for t in range(steps):
        phi, s, c = step(phi, cond_coupling, cond_omega, f"cond_{t}")
        rows += [g.op("Unsqueeze", x, g.constant("axis_1", np.array([1], np.int64))) for x in (s, c)]
    drive = g.op("Gather", g.constant("drive", model.drive), "labels", axis=0)  # [B, M, N]
    drives = g.op("MatMul", g.op("Concat", *rows, axis=1), drive, name="drives")  # [B, 2T, N]
    drives = g.op("Transpose", drives, perm=[1, 0, 2])
    drives = g.op("Reshape", drives, g.constant("drives_shape", np.array([steps, 2 * batch, n], np.int64)))
    squeeze = g.constant("axis_0", np.array([0], np.int64))
    theta = "theta0"
    for t, part in enumerate([g.op("Squeeze", p, squeeze) for p in
                              g.op("Split", drives, outputs=steps, axis=0, num_outputs=steps)]):
        theta, _, _ = step(theta, coupling, omega, f"couple_{t}", add=part)

    if model.reference == "mean":
        reference = g.op("ReduceMean", theta, g.constant("axis_1", np.array([1], np.int64)), keepdims=1)
    else:
        reference = g.op("Gather", theta, g.constant("first", np.array([0], np.int64)), axis=1)
    relative = g.op("Sub", theta, reference)
    x = g.op("Concat", g.op("Sin", relative), g.op("Cos", relative), axis=1)
    x = g.op("Reshape", x, g.constant("map_shape", np.array([batch, n // 8, 4, 4], np.int64)))
    twice = g.constant("twice", np.array([1, 1, 2, 2], np.float32))
    last = len(model.convolutions) - 1
    for i, (weight, bias) in enumerate(model.convolutions):
        if i % 2 == 0 and i < last:
            x = g.op("Resize", x, "", twice, mode="nearest", coordinate_transformation_mode="asymmetric",
                     nearest_mode="floor")
        x = g.op("Conv", x, g.constant(f"weight_{i}", weight), g.constant(f"bias_{i}", bias), name=f"conv_{i}",
                 kernel_shape=[3, 3], pads=[1, 1, 1, 1])
        x = g.op("LeakyRelu", x, alpha=LEAK) if i < last else g.op("Tanh", x)
    g.nodes[-1].output[0] = "images"

    size = 4 * 2 ** len(model.blocks)
    tensor = helper.make_tensor_value_info
    graph = helper.make_graph(
        g.nodes, "un0",
        [tensor("theta0", TensorProto.FLOAT, [batch, n]), tensor("phi0", TensorProto.FLOAT, [batch, m]),
         tensor("labels", TensorProto.INT64, [batch])],
        [tensor("images", TensorProto.FLOAT, [batch, 3, size, size])], list(g.constants.values()))
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    proto.ir_version = 9
    onnx.checker.check_model(proto)
    onnx.save(proto, path)


def exported(case):
    """Path of the ONNX file of this model and batch; made when it is not there."""
    path = os.path.join(case.work, f"{case.model}-b{case.batch}.onnx")
    if not os.path.exists(path):
        export(case.load_model(), case.batch, path + ".part")
        os.replace(path + ".part", path)
    return path


def calibration(case, samples=32):
    """Feeds of random phases for static quantization, other than those that are timed."""
    from . import oracle
    model = case.load_model()
    theta, phi, labels = oracle.draw_inputs(model, max(samples, case.batch), seed=4321)
    for first in range(0, len(theta) - case.batch + 1, case.batch):
        part = slice(first, first + case.batch)
        yield {"theta0": theta[part], "phi0": phi[part], "labels": labels[part]}
