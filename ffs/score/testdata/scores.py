"""Writes scores.npz: seeded features of inliers and of rows to score, and what pytorch-ood makes of them (see TestParity).

    pip install torch==2.15.0 pytorch-ood==0.4.0 scikit-learn==1.9.1 scipy==1.17.1
    python scores.py scores.npz

Every method of pytorch-ood is given the layer without its last row, the background, and its outlier scores are negated: higher means more inlier.
"residual", "feature_norm", "cosine" and "vmf", which pytorch-ood 0.4.0 lacks, are written out here.
"""
import sys

import numpy as np
import torch
from pytorch_ood import detector as ood
from pytorch_ood.detector import tscaling
from scipy import special

# All in double precision. Some methods ask for single precision by Tensor.float.
torch.set_default_dtype(torch.float64)
torch.Tensor.float = torch.Tensor.double

CLASSES = 5


def case(seed, rows, columns, *, duplicates=False, constant=False, single=False, linear=False):
    """Inliers [rows, columns] with their classes, rows to score [40, columns], and a layer whose last row is the background."""
    rng = np.random.default_rng(seed)
    means = rng.gamma(2, 1, (CLASSES, columns))
    labels = np.arange(rows) % CLASSES
    if single:
        labels[(labels == 3) & (np.arange(rows) > 3)] = 1
    x = means[labels] + 0.5 * rng.standard_normal((rows, columns))
    test = np.concatenate([means[np.arange(20) % CLASSES] + 0.6 * rng.standard_normal((20, columns)), rng.gamma(1, 2, (20, columns))])
    if duplicates:
        x[rows // 2:] = x[:rows - rows // 2]
        labels[rows // 2:] = labels[:rows - rows // 2]
        test[:5] = x[:5]
    if constant:
        for a in (x, test):
            a[:, 0], a[:, 1] = 0, 2.5
    if linear:  # two columns that are sums of others: the covariance has no inverse
        for a in (x, test):
            a[:, -1], a[:, -2] = a[:, 0] + a[:, 1], 2 * a[:, 2]
    centred = means - means.mean(0)
    w = np.concatenate([0.4 * centred, 0.05 * rng.standard_normal((1, columns))])
    b = np.append(-0.2 * (means ** 2 - means.mean(0) ** 2).sum(1), 1) + 3
    return x, labels, test, w, b


def to_the_end(parameters, lr, max_iter):
    """pytorch-ood's optimiser, which by itself stops after 50 steps of a hundredth of the way each."""
    return torch.optim.LBFGS(parameters, lr=0.5, max_iter=500, tolerance_grad=0, tolerance_change=0)


tscaling.LBFGS = to_the_end


def confused(labels):
    """Every seventh label is another one: where all are classified rightly, the likeliest temperature is 0."""
    return np.where(np.arange(len(labels)) % 7 == 0, (labels + 1) % CLASSES, labels)


def reference(x, labels, test, w, b):
    x_, y, t, w_, b_ = [torch.from_numpy(a) for a in (x, labels, test, w[:-1], b[:-1])]
    linear = torch.nn.Linear(*w_.T.shape)
    linear.weight.data, linear.bias.data = w_, b_
    z, zt = linear(x_).detach(), linear(t).detach()
    maps = lambda a: a[:, :, None, None]
    head = torch.nn.Sequential(torch.nn.Flatten(), linear)
    k = min(50, len(x))
    found = {
        "energy": ood.EnergyBased(None).predict_logits(zt),
        "energy_t2": ood.EnergyBased(None, t=2).predict_logits(zt),
        "msp": ood.MaxSoftmax(None).predict_logits(zt),
        "max_logit": ood.MaxLogit(None).predict_logits(zt),
        "entropy": ood.Entropy(None).predict_logits(zt),
        "gen": ood.GEN(None).predict_logits(zt),
        "gen_top2": ood.GEN(None, M=2).predict_logits(zt),
        "kl_matching": ood.KLMatching(None).fit_logits(z).predict_logits(zt),
        "scaled_msp": ood.TemperatureScaling(None).fit_logits(z, torch.from_numpy(confused(labels))).predict_logits(zt).detach(),
        "mahalanobis": ood.Mahalanobis(None).fit_features(x_, y).predict_features(t),
        "relative_mahalanobis": ood.RMD(None).fit_features(x_, y).predict_features(t),
        "knn": ood.KNN(None, k=k).fit_features(x_, y).predict_features(t),
        "knn_3": ood.KNN(None, k=3).fit_features(x_, y).predict_features(t),
        "she": ood.SHE(None, linear).fit_features(x_, y).predict_features(t),
        "nnguide": ood.NNGuide(None, linear).fit_features(x_, y).predict_features(t),
        "vim": ood.ViM(None, d=x.shape[1] // 2, w=w_, b=b_).fit_features(x_, y),
        "react": ood.ReAct(None, head).fit_feature_maps(maps(x_), y).predict_feature_maps(maps(t)),
        "dice": ood.DICE(None, w_, b_, p=0.9).fit_features(x_, y).predict_features(t),
        "ash_s": ood.ASH(None, head, "ash-s", percentile=0.9).predict_feature_maps(maps(t)),
        "ash_p": ood.ASH(None, head, "ash-p", percentile=0.6).predict_feature_maps(maps(t)),
        "scale": ood.SCALE(None, head, percentile=0.85).predict_feature_maps(maps(t)),
        "fdbd": ood.fDBD(None, linear).fit_features(x_).predict_features(t),
        "gradnorm": ood.GradNorm(linear, param_filter=lambda name: name == "weight").to("cpu").predict(t),
    }
    vim = found["vim"]
    found["vim"] = vim.predict_features(t)
    found = {name: -score.detach().numpy() for name, score in found.items()}
    found["residual"] = -np.linalg.norm((test - vim.u.numpy()) @ vim.principal_subspace.numpy(), axis=1)
    found["feature_norm"] = np.linalg.norm(test, axis=1)
    found |= directions(x, labels, test)
    return found


def directions(x, labels, test):
    unit = lambda a: a / np.linalg.norm(a, axis=-1, keepdims=True)
    d = x.shape[1]
    cosine, density = [], []
    for c in range(CLASSES):
        mean = unit(x[labels == c]).mean(0)
        r = min(np.linalg.norm(mean), 1 - 1e-4)
        kappa = r * (d - r ** 2) / (1 - r ** 2)
        order = d / 2 - 1
        # ive is exp(-kappa) times the Bessel function, hence the two kappas.
        normaliser = order * np.log(kappa) - d / 2 * np.log(2 * np.pi) - np.log(special.ive(order, kappa)) - kappa
        cosine.append(unit(test) @ unit(mean))
        density.append(normaliser + kappa * cosine[-1])
    return {"cosine": np.max(cosine, 0), "vmf": np.max(density, 0)}


cases = {
    "plain": case(1, 300, 24), "duplicates": case(2, 120, 16, duplicates=True), "constant": case(3, 200, 16, constant=True),
    "single": case(4, 150, 12, single=True), "wide": case(5, 30, 40), "linear": case(6, 200, 16, linear=True),
}
arrays = {}
for name, (x, labels, test, w, b) in cases.items():
    arrays |= {f"{name}/x": x, f"{name}/labels": labels.astype(np.int64), f"{name}/confused": confused(labels).astype(np.int64), f"{name}/test": test, f"{name}/w": w, f"{name}/b": b}
    arrays |= {f"{name}/want/{score}": values for score, values in reference(x, labels, test, w, b).items()}
np.savez_compressed(sys.argv[1], **arrays)
