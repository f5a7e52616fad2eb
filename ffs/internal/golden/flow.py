"""The normalizing flow: two GLOW coupling blocks (Kingma and Dhariwal, NeurIPS 2018), each followed
by a fixed permutation, as FrEIA 0.2 builds them (GLOWCouplingBlock with clamp 2, PermuteRandom)."""
import math

import numpy as np
import torch

CLAMP, ATAN_SCALE = 2.0, 0.636
BLOCKS = ("module_list.0", "module_list.2")
PERMUTATIONS = ("module_list.1", "module_list.3")


class Flow:
    """Maps features to latents with parameters p, under FrEIA's names."""

    def __init__(self, p):
        self.p = p

    def subnet(self, name, x):
        """The log-scale, soft-clamped, and the shift that a half is transformed with."""
        p = self.p
        h = torch.relu(x @ p[name + ".0.weight"].T + p[name + ".0.bias"])
        s, t = (h @ p[name + ".2.weight"].T + p[name + ".2.bias"]).chunk(2, 1)
        return CLAMP * ATAN_SCALE * torch.atan(s), t

    def couple(self, block, x):
        a, b = x.chunk(2, 1)
        s2, t2 = self.subnet(block + ".subnet2", b)
        a = s2.exp() * a + t2
        s1, t1 = self.subnet(block + ".subnet1", a)
        b = s1.exp() * b + t1
        return torch.cat([a, b], 1), s1.sum(1) + s2.sum(1)

    def uncouple(self, block, y):
        a, b = y.chunk(2, 1)
        s1, t1 = self.subnet(block + ".subnet1", a)
        b = (b - t1) * (-s1).exp()
        s2, t2 = self.subnet(block + ".subnet2", b)
        a = (a - t2) * (-s2).exp()
        return torch.cat([a, b], 1), -s1.sum(1) - s2.sum(1)

    def nodes(self, x):
        """Yields each layer's name, output and log-determinant."""
        for i, (block, permutation) in enumerate(zip(BLOCKS, PERMUTATIONS)):
            x, logdet = self.couple(block, x)
            yield f"coupling_{i}", x, logdet
            x = x[:, self.p[permutation + ".perm"]]
            yield f"permute_{i}", x, torch.zeros_like(logdet)

    def forward(self, x):
        total = torch.zeros(len(x), dtype=x.dtype)
        for _, x, logdet in self.nodes(x):
            total = total + logdet
        return x, total

    def inverse(self, z):
        total = torch.zeros(len(z), dtype=z.dtype)
        for block, permutation in reversed(list(zip(BLOCKS, PERMUTATIONS))):
            z, logdet = self.uncouple(block, z[:, self.p[permutation + ".perm_inv"]])
            total = total + logdet
        return z, total


def nll(z, logdet):
    """The negative log-likelihood of each row, with the original's constant for 8-bit data."""
    return 0.5 * (z ** 2 + math.log(2 * math.pi)).sum(1) + math.log(256) * z.shape[1] - logdet


def parameters(g, prefix="param."):
    """The tensors under the prefix; those of numbers with a fraction want a gradient."""
    p = {k.removeprefix(prefix): torch.from_numpy(v) for k, v in g.items() if k.startswith(prefix)}
    return {k: v.requires_grad_() if v.is_floating_point() else v for k, v in p.items()}


def recompute(g):
    p = parameters(g)
    flow = Flow(p)
    x = torch.from_numpy(g["x"]).requires_grad_()
    for name, out, logdet in flow.nodes(x):
        yield f"node.{name}.out", out
        yield f"node.{name}.logdet", logdet
    z, logdet = flow.forward(x)
    yield "z", z
    yield "log_jac_det", logdet
    yield "nll", nll(z, logdet)
    loss = nll(z, logdet).mean()
    yield "nll_loss", loss
    loss.backward()
    yield "grad_x", x.grad
    for name, v in p.items():
        if v.requires_grad:
            yield "grad." + name, v.grad
    with torch.no_grad():
        drawn = torch.from_numpy(g["z_rand"])
        samples, logdet = flow.inverse(drawn)
        yield "x_neg", samples
        yield "log_jac_det_rev", logdet
        back, logdet = flow.forward(samples)
        yield "z_back", back
        yield "log_jac_det_neg", logdet
        likely = nll(drawn, logdet)
        yield "nll_neg", likely
        value, index = likely.topk(1)
        yield "top_value", value
        yield "top_index", index
        yield "ood_sample", samples[index]
        exact = Flow({k: v.double() if v.is_floating_point() else v for k, v in p.items()})
        yield from zip(("z_f64", "log_jac_det_f64"), exact.forward(x.double()))
        yield from zip(("x_neg_f64", "log_jac_det_rev_f64"), exact.inverse(drawn.double()))
    for n in (64, 1024):
        for seed in (0, 1):
            yield f"np_perm.n{n}.seed{seed}", np.random.RandomState(seed).permutation(n)


def tolerance(name):
    if name.endswith("f64"):
        return 1e-9
    return 1e-3 if name.startswith(("grad", "x_neg")) else 1e-4


FILES = {"ffs/flow/testdata/flow.npz": (tolerance, recompute)}
