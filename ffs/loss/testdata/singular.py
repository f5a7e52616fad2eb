"""Writes singular.npz: singular values of class-layer weights and the gradients of both terms, by torch.linalg.svdvals in float64.

    pip install torch==2.15.0 numpy && python singular.py
"""

import numpy as np
import torch

arrays = {}
for name, rows, columns, smallest in (("voc", 21, 256, None), ("small", 7, 128, None), ("two", 2, 4, None), ("ill", 6, 16, 1e-3), ("odd", 9, 9, None)):
    rng = np.random.default_rng(len(name) + rows)
    weight = 0.01 * rng.standard_normal((rows, columns))
    if smallest is not None:  # a class layer close to losing a rank
        u, s, vt = np.linalg.svd(weight, full_matrices=False)
        s[-1] = smallest * s[0]
        weight = (u * s) @ vt
    weight = weight.astype(np.float32)
    arrays[f"{name}.weight"] = weight
    w = torch.tensor(weight, dtype=torch.float64, requires_grad=True)
    s = torch.linalg.svdvals(w)
    arrays[f"{name}.values"] = s.detach().numpy()
    for term, loss in (("least_singular_value", 1 / s[-1]), ("condition_number", s[0] / s[-1])):
        (gradient,) = torch.autograd.grad(loss, w, retain_graph=True)
        arrays[f"{name}.{term}"] = loss.detach().numpy()
        arrays[f"{name}.{term}.grad"] = gradient.numpy()
np.savez_compressed("singular.npz", **arrays)
