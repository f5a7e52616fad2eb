"""The energy with learned class weights, and the logistic loss that tells inliers from outliers."""
import torch
import torch.nn.functional as F



def energy(logits, weight):
    """log sum_k relu(w_k) exp(l_k) over the inlier classes: the background's logit, the last, counts
    nothing. The maximum that is taken out is that of all inlier classes."""
    inlier = logits[:, :-1]
    top = inlier.max(1, keepdim=True).values.detach()
    return (top + torch.log((F.relu(weight) * torch.exp(inlier - top)).sum(1, keepdim=True))).squeeze(1)


def logistic(p, inliers, outliers):
    """The logits of two classes from energies, and their cross-entropy; 1 stands for inliers."""
    energies = torch.cat([inliers, outliers])
    labels = torch.cat([torch.ones(len(inliers)), torch.zeros(len(outliers))]).long()
    logits = energies[:, None] @ p["logistic_regression.weight"].T + p["logistic_regression.bias"]
    return energies, labels, logits, F.cross_entropy(logits, labels)


def recompute(g):
    for case in ("a", "b"):
        p = {k: torch.from_numpy(g[k]).requires_grad_() for k in (
            "weight_energy.weight", "logistic_regression.weight", "logistic_regression.bias")}
        rows = {k: torch.from_numpy(g[f"{case}.{k}"]).requires_grad_() for k in ("logits_fg", "logits_ood")}
        inliers = energy(rows["logits_fg"], p["weight_energy.weight"])
        outliers = energy(rows["logits_ood"], p["weight_energy.weight"])
        energies, labels, logits, ce = logistic(p, inliers, outliers)
        ce.backward()
        yield from {
            f"{case}.energy_fg": inliers, f"{case}.energy_ood": outliers, f"{case}.lr_input": energies,
            f"{case}.lr_labels": labels, f"{case}.lr_logits": logits, f"{case}.ce": ce,
            f"{case}.lr_reg_loss": 0.1 * ce,
            f"{case}.inference_energy_fg": torch.logsumexp(rows["logits_fg"][:, :-1], 1),
        }.items()
        for name, v in (p | rows).items():
            yield f"{case}.grad_ce.{name}", v.grad
    yield "extreme.energy", energy(torch.from_numpy(g["extreme.logits"]), torch.from_numpy(g["weight_energy.weight"]))
    yield "dead.energy", energy(torch.from_numpy(g["a.logits_fg"][:3]), torch.from_numpy(g["dead.weight"]))


FILES = {"ffs/energy/testdata/energy.npz": (1e-5, recompute)}
