"""The model in fp64, written for plainness: what every output is compared with. And the inputs all are given."""

import numpy as np

from . import checkpoint


def draw_inputs(model, count, seed=1234):
    """(theta0 [B, N], phi0 [B, M]) uniform in [-pi, pi), f32, and class labels [B] in turn."""
    generator = np.random.default_rng(seed)
    phases = generator.uniform(-np.pi, np.pi, (count, model.oscillators + model.conditioning)).astype(np.float32)
    theta, phi = np.split(phases, [model.oscillators], axis=1)
    return np.ascontiguousarray(theta), np.ascontiguousarray(phi), np.arange(count, dtype=np.int64) % model.classes


def pull(coupling, source, target):
    """sum_j K[i, j] sin(source_j - target_i) for [B, N] phases, by the angle-difference identity."""
    return np.cos(target) * (np.sin(source) @ coupling.T) - np.sin(target) * (np.cos(source) @ coupling.T)


def evolve(model, theta, phi, labels):
    """Final main phases [B, N], unwrapped."""
    theta, phi = theta.astype(np.float64), phi.astype(np.float64)
    drive = model.drive[labels]  # [B, M, N]
    for _ in range(model.steps):
        driven = np.cos(theta) * np.einsum("bk,bki->bi", np.sin(phi), drive)
        driven -= np.sin(theta) * np.einsum("bk,bki->bi", np.cos(phi), drive)
        theta, phi = (theta + model.omega + pull(model.coupling, theta, theta) + driven,
                      phi + model.cond_omega + pull(model.cond_coupling, phi, phi))
    return theta


def features(model, theta):
    """Sines, then cosines, of the phases relative to the reference: [B, 2N]."""
    reference = theta.mean(axis=1, keepdims=True) if model.reference == "mean" else theta[:, :1]
    return np.concatenate([np.sin(theta - reference), np.cos(theta - reference)], axis=1)


def convolve(image, weight, bias):
    """3x3, padding 1, one image [C, H, W]: nine shifted products."""
    channels, height, width = image.shape
    padded = np.pad(image, ((0, 0), (1, 1), (1, 1)))
    result = np.repeat(bias[:, None], height * width, axis=1)
    for y in range(3):
        for x in range(3):
            result += weight[:, :, y, x] @ padded[:, y:y + height, x:x + width].reshape(channels, -1)
    return result.reshape(-1, height, width)


def decode(model, feature):
    """Images [B, 3, H, W] in [-1, 1], one after the other: a batch of the large models would need gigabytes."""
    def leaky(x):
        return np.where(x >= 0, x, checkpoint.LEAK * x)

    images = []
    for row in feature:
        x = row.reshape(-1, 4, 4)
        for first, second in model.blocks:
            x = leaky(convolve(x.repeat(2, axis=1).repeat(2, axis=2), *first))
            x = leaky(convolve(x, *second))
        images.append(np.tanh(convolve(x, *model.convolutions[-1])))
    return np.stack(images)


def generate(model, theta, phi, labels):
    """Images in fp64. `model` should be loaded as fp64 as well."""
    return decode(model, features(model, evolve(model, theta, phi, labels)))


def check_against_golden(model, golden_path):
    """Compares with the golden values that a program with literal sums of sines made; raises when they differ."""
    golden, _ = checkpoint.read_safetensors(golden_path)
    images = generate(model, golden["theta0"], golden["phi0"], golden["labels"])
    worst = np.abs(images - golden["images"]).max()
    if worst > 1e-9:
        raise AssertionError(f"the fp64 computation differs from '{golden_path}' by {worst:.1e}")
    return worst
