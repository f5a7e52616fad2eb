"""SGD with momentum and the warm-up schedule with steps, as detectron2 sets torch's optimizer up."""
import bisect

import numpy as np
import torch


def rate(i, base, steps, warmup, most, factor=1e-3, gamma=0.1):
    """The learning rate of iteration i. The warm-up starts at factor times the rate and rises
    linearly; it is no longer than the training."""
    warmup = min(warmup, most)
    scale = gamma ** bisect.bisect_right(steps, i)
    if i < warmup:
        start = gamma ** bisect.bisect_right(steps, 0) * factor
        end = gamma ** bisect.bisect_right(steps, warmup)
        scale = start + (end - start) * i / warmup
    return base * scale


def decay_of(run, name):
    """The weight decay of a parameter, and the factor of its learning rate."""
    is_norm, is_bias = name.startswith(("bn.", "gn.")), name.endswith("bias")
    if run == "bias_override" and is_bias:
        return 0.01, 2
    if is_norm:
        return 0.0, 1
    return (5e-5 if run == "default" else 0.1), 1


def recompute(g):
    for run in ("default", "strong_decay", "bias_override"):
        names = [k.removeprefix(run + ".start.") for k in g if k.startswith(run + ".start.")]
        p = {n: torch.from_numpy(g[f"{run}.start.{n}"].copy()).requires_grad_() for n in names}
        groups = []
        for n in names:
            decay, factor = decay_of(run, n)
            groups.append({"params": [p[n]], "weight_decay": decay, "factor": factor})
            if run == "default":
                yield f"default.weight_decay.{n}", decay
        optimizer = torch.optim.SGD(groups, lr=0.02, momentum=0.9)
        paths = {n: [] for n in names}
        rates = [rate(i, 0.02, (7, 10), 4, 12) for i in range(12)]
        for lr in rates:
            for group in optimizer.param_groups:
                group["lr"] = lr * group["factor"]
            optimizer.zero_grad()
            sum((0.5 * torch.from_numpy(g[f"{run}.curvature.{n}"]) * (p[n] - torch.from_numpy(g[f"{run}.target.{n}"])) ** 2).sum() for n in names).backward()
            optimizer.step()
            for n in names:
                paths[n].append(p[n].detach().clone())
        yield run + ".lr", np.float32(rates)
        yield run + ".lr_f64", rates
        for n in names:
            yield f"{run}.trajectory.{n}", torch.stack(paths[n])
            yield f"{run}.momentum.{n}", optimizer.state[p[n]]["momentum_buffer"]
    for schedule in ("voc", "bdd", "vis_as_shipped", "vis_60000"):
        base, most, *steps = g[f"schedule.{schedule}.settings_f64"][:4]
        warmup, factor, gamma = g[f"schedule.{schedule}.settings_f64"][4:7]
        yield f"schedule.{schedule}.lr_f64", [rate(i, base, steps, warmup, most, factor, gamma) for i in g[f"schedule.{schedule}.iter"]]


FILES = {"ffs/optim/testdata/sgd.npz": (lambda name: 1e-9 if name.endswith("f64") else 1e-5, recompute)}
