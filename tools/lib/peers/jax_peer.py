"""JAX: one XLA program, the steps a compiled loop. Both layouts of K and of the images are tried, the faster is taken."""

import os


def forward(parameters, theta, phi, labels, *, steps, reference, transposed, channels_last):
    """`transposed`: K is stored [source, target], and so is the product."""
    import jax
    import jax.numpy as jnp

    from .checkpoint import LEAK

    def stack(x):
        return jnp.concatenate([jnp.sin(x), jnp.cos(x)])

    def cond_step(phi, _):
        s, c = jnp.sin(phi), jnp.cos(phi)
        a, e = jnp.split(stack(phi) @ parameters["cond_coupling"].T, 2)
        return phi + parameters["cond_omega"] + c * a - s * e, jnp.stack([s, c], 1)

    _, terms = jax.lax.scan(cond_step, phi, length=steps)  # [T, B, 2, M]
    drives = jnp.einsum("tbpk,bki->tbpi", terms, parameters["drive"][labels])

    def step(theta, drive):
        s, c = jnp.sin(theta), jnp.cos(theta)
        if transposed:
            product = stack(theta) @ parameters["coupling"]
        else:
            product = (parameters["coupling"] @ stack(theta).T).T
        a, e = jnp.split(product, 2)
        return theta + parameters["omega"] + c * (a + drive[:, 0]) - s * (e + drive[:, 1]), None

    theta, _ = jax.lax.scan(step, theta, drives)
    theta = theta - (theta.mean(1, keepdims=True) if reference == "mean" else theta[:, :1])
    x = jnp.concatenate([jnp.sin(theta), jnp.cos(theta)], 1).reshape(theta.shape[0], -1, 4, 4)
    layout = ("NHWC", "HWIO", "NHWC") if channels_last else ("NCHW", "OIHW", "NCHW")
    rows, columns = (1, 2) if channels_last else (2, 3)
    if channels_last:
        x = x.transpose(0, 2, 3, 1)
    last = len(parameters["weights"]) - 1
    for i, (weight, bias) in enumerate(zip(parameters["weights"], parameters["biases"])):
        if i % 2 == 0 and i < last:
            x = jnp.repeat(jnp.repeat(x, 2, axis=rows), 2, axis=columns)
        x = jax.lax.conv_general_dilated(x, weight, (1, 1), ((1, 1), (1, 1)), dimension_numbers=layout)
        x = x + (bias if channels_last else bias[:, None, None])
        x = jnp.where(x >= 0, x, LEAK * x) if i < last else jnp.tanh(x)
    return x.transpose(0, 3, 1, 2) if channels_last else x


def build(case):
    if case.threads == 1:
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    os.environ["JAX_PLATFORMS"] = "cpu"
    import functools

    import jax
    import numpy as np

    model = case.load_model()
    inputs = [jax.device_put(array) for array in case.inputs()]

    def form(transposed, channels_last):
        order = (2, 3, 1, 0) if channels_last else (0, 1, 2, 3)
        parameters = jax.device_put({
            "coupling": np.ascontiguousarray(model.coupling.T) if transposed else model.coupling,
            "omega": model.omega, "cond_coupling": model.cond_coupling, "cond_omega": model.cond_omega,
            "drive": model.drive,
            "weights": [np.ascontiguousarray(w.transpose(order)) for w, _ in model.convolutions],
            "biases": [b for _, b in model.convolutions]})
        call = jax.jit(functools.partial(forward, steps=model.steps, reference=model.reference,
                                         transposed=transposed, channels_last=channels_last))
        return lambda: call(parameters, *inputs).block_until_ready()

    return case.fastest({f"K {'transposed' if t else 'as is'}, {'NHWC' if c else 'NCHW'}": form(t, c)
                         for t in (False, True) for c in (False, True)})
