"""A checkpoint as the arrays every framework is given: diagonals removed, all scales and the step length baked in."""

import dataclasses
import json
import math
import struct

import numpy as np

LEAK = 0.2  # slope of LeakyReLU below zero


@dataclasses.dataclass
class Model:
    """N oscillators, M conditioning oscillators, Q classes, T Euler steps.

    `coupling`, `omega`, `drive` hold the factor dt = time / T, so a step is theta += right-hand side. `drive` is
    transposed to [Q, M, N]: the drive of all steps is then one product per sample, with rows of N.
    """

    name: str
    steps: int
    reference: str  # "mean" (of the unwrapped phases) or "oscillator" (number 0)
    coupling: np.ndarray  # [N, N], K[i, j] is the pull of j on i
    omega: np.ndarray  # [N]
    cond_coupling: np.ndarray  # [M, M]
    cond_omega: np.ndarray  # [M]
    drive: np.ndarray  # [Q, M, N]
    convolutions: list  # of (weight [Cout, Cin, 3, 3], bias [Cout]); in pairs, each after a 2x upsample, then the last

    @property
    def oscillators(self):
        return self.coupling.shape[0]

    @property
    def conditioning(self):
        return self.cond_coupling.shape[0]

    @property
    def classes(self):
        return self.drive.shape[0]

    @property
    def blocks(self):
        """The up-blocks: [((weight, bias), (weight, bias))]."""
        pairs = self.convolutions[:-1]
        return list(zip(pairs[0::2], pairs[1::2]))


def read_safetensors(path):
    """All tensors of a file as arrays, and its metadata (strings)."""
    types = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8"}
    with open(path, "rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(size))
        data = file.read()
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        if entry["dtype"] not in types:
            raise ValueError(f"tensor '{name}' has type {entry['dtype']}, expected one of {', '.join(types)}")
        tensors[name] = np.frombuffer(data[begin:end], types[entry["dtype"]]).reshape(entry["shape"])
    return tensors, metadata


def load(path, dtype=np.float32):
    """Reads a safetensors checkpoint. Everything is baked in fp64 and rounded to `dtype` once."""
    tensors, config = read_safetensors(path)
    tensors = {name.replace("_orig_mod.", ""): value.astype(np.float64) for name, value in tensors.items()}
    encoding, solver = config.get("encoding", "sin_cos"), config["solver"]
    if solver != "euler" or encoding != "sin_cos":
        raise ValueError(f"the model uses {solver} and {encoding}, the peers are written for euler and sin_cos")
    references = {"mean_relative": "mean", "ref_oscillator": "oscillator"}
    if config["relativization"] not in references:
        raise ValueError(f"the peers have no readout relative to '{config['relativization']}'")

    coupling = tensors["dynamics.K"].copy()
    cond_coupling = tensors["dynamics.K_cond"].copy()
    drive = tensors["dynamics.K_drive"].transpose(0, 2, 1)
    np.fill_diagonal(coupling, 0)
    np.fill_diagonal(cond_coupling, 0)
    if config["parameterization"] == "mup":
        coupling /= math.sqrt(coupling.shape[0])
        cond_coupling /= math.sqrt(cond_coupling.shape[0])
        drive = drive / math.sqrt(cond_coupling.shape[0])

    steps = int(config["num_steps"])
    dt = float(config["integration_time"]) / max(steps, 1)
    blocks = 1 + max(int(name.split(".")[2]) for name in tensors if name.startswith("decoder.cascade."))
    stems = [f"decoder.cascade.{block}.net.{place}" for block in range(blocks) for place in (1, 3)]
    stems.append("decoder.to_output")

    def bake(array):
        return np.ascontiguousarray(array, dtype)

    return Model(
        name=str(path), steps=steps, reference=references[config["relativization"]],
        coupling=bake(dt * coupling), omega=bake(dt * tensors["dynamics.omega"].reshape(-1)),
        cond_coupling=bake(dt * cond_coupling), cond_omega=bake(dt * tensors["dynamics.omega_cond"].reshape(-1)),
        drive=bake(dt * drive),
        convolutions=[(bake(tensors[s + ".weight"]), bake(tensors[s + ".bias"])) for s in stems])
