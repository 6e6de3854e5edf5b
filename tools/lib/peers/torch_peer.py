"""PyTorch: eager, compiled, and compiled with bf16 weights and activations."""

import os

import torch
import torch.nn.functional as F

from .checkpoint import LEAK


class BestForm(torch.nn.Module):
    """Sines and cosines stacked, so that a step reads K once. `narrow` is the type of products; phases stay f32."""

    def __init__(self, model, narrow):
        super().__init__()
        self.steps, self.reference, self.narrow = model.steps, model.reference, narrow

        def constant(array, dtype=torch.float32):
            return torch.nn.Parameter(torch.tensor(array).to(dtype), requires_grad=False)

        self.coupling = constant(model.coupling, narrow)
        self.omega = constant(model.omega)
        self.cond_coupling = constant(model.cond_coupling)
        self.cond_omega = constant(model.cond_omega)
        self.drive = constant(model.drive)
        self.weights = torch.nn.ParameterList([constant(w, narrow) for w, _ in model.convolutions])
        self.biases = torch.nn.ParameterList([constant(b, narrow) for _, b in model.convolutions])

    def drives(self, phi, labels):
        """[B, 2T, N]: what the conditioning block adds to the products of K, for the sines, then for the cosines."""
        sines, cosines = [], []
        for _ in range(self.steps):
            s, c = torch.sin(phi), torch.cos(phi)
            sines.append(s)
            cosines.append(c)
            a, e = F.linear(torch.cat([s, c]), self.cond_coupling).chunk(2)
            phi = phi + self.cond_omega + c * a - s * e
        return torch.bmm(torch.stack(sines + cosines, dim=1), self.drive[labels])

    def evolve(self, theta, phi, labels):
        drives = self.drives(phi, labels)
        for step in range(self.steps):
            s, c = torch.sin(theta), torch.cos(theta)
            # Narrowed before they are joined: the compiler of PyTorch 2.13 gets the other order wrong.
            stacked = torch.cat([s.to(self.narrow), c.to(self.narrow)])
            a, e = F.linear(stacked, self.coupling).float().chunk(2)
            theta = theta + self.omega + c * (a + drives[:, step]) - s * (e + drives[:, self.steps + step])
        return theta

    def forward(self, theta, phi, labels, channels_last):
        theta = self.evolve(theta, phi, labels)
        theta = theta - (theta.mean(1, keepdim=True) if self.reference == "mean" else theta[:, :1])
        x = torch.cat([torch.sin(theta), torch.cos(theta)], 1).to(self.narrow).view(theta.shape[0], -1, 4, 4)
        if channels_last:
            x = x.contiguous(memory_format=torch.channels_last)
        last = len(self.weights) - 1
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases)):
            if i % 2 == 0 and i < last:
                x = F.interpolate(x, scale_factor=2.0, mode="nearest")
            x = F.conv2d(x, weight, bias, padding=1)
            x = F.leaky_relu(x, LEAK, inplace=True) if i < last else torch.tanh(x.float())
        return x.contiguous()


def build(case):
    torch.set_num_threads(case.threads)
    torch.set_num_interop_threads(1)
    model = BestForm(case.load_model(), torch.bfloat16 if case.peer.endswith("bf16") else torch.float32).eval()
    inputs = [torch.from_numpy(array) for array in case.inputs()]
    compiled = "compile" in case.peer
    if compiled:
        os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", os.path.join(case.work, "inductor"))
        import torch._inductor.config as inductor
        inductor.freezing = True  # weights become constants and are packed for oneDNN
        inductor.compile_threads = 1

    def form(channels_last):
        call = model.forward
        if compiled:
            call = torch.compile(call, dynamic=False)

        def run():
            with torch.inference_mode() if not compiled else torch.no_grad():
                return call(*inputs, channels_last)
        return run

    return case.fastest({"channels first": form(False), "channels last": form(True)})
