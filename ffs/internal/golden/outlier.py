"""Synthetic outliers and the losses of FFS (Kumar et al., CVPR 2023), of its Langevin variant, and of
VOS (Du et al., ICLR 2022), on one head with features and proposals of two images."""
import pathlib

import numpy as np
import torch

import roi
from energy import energy, logistic
from flow import Flow, nll, parameters

LOGISTIC_WEIGHT, NLL_WEIGHT, SELECTED = 0.1, 1e-4, 1


def subset(p, scope):
    return {k.removeprefix(scope): v for k, v in p.items() if k.startswith(scope)}


class Head:
    """The second stage on the arrays of a file: features, scores and deltas, and what they should be."""

    def __init__(self, g):
        self.p = parameters(g)
        self.flow = Flow(subset(self.p, "flow_model."))
        self.proposals = roi.images(g, "proposal_boxes")
        self.gt_boxes, self.gt_classes = (torch.cat(roi.images(g, n)) for n in ("gt_boxes", "gt_classes"))
        pooled = roi.pool([torch.from_numpy(g["feat." + n]) for n in roi.LEVELS], self.proposals)
        self.features, self.scores, self.deltas = roi.head(self.p, pooled)
        self.features.retain_grad()
        cls, reg = roi.losses(self.scores, self.deltas, torch.cat(self.proposals), self.gt_boxes, self.gt_classes)
        zero = torch.zeros(())
        self.losses = {"loss_cls": cls, "lr_reg_loss": zero, "loss_box_reg": reg, "loss_dummy": zero, "loss_dummy1": zero}

    def inliers(self):
        return self.gt_classes < self.scores.shape[1] - 1

    def classify(self, features):
        return features @ self.p["box_predictor.cls_score.weight"].T + self.p["box_predictor.cls_score.bias"]

    def tell_apart(self, scores_ood):
        """Sets the energy's loss."""
        weight = self.p["weight_energy.weight"]
        loss = logistic(self.p, energy(self.scores[self.inliers()], weight), energy(scores_ood, weight))[3]
        self.losses["lr_reg_loss"] = LOGISTIC_WEIGHT * loss

    def fit_flow(self):
        """Sets the flow's loss. The features get no gradient from it."""
        self.losses["loss_nll"] = NLL_WEIGHT * nll(*self.flow.forward(self.features[self.inliers()].detach())).mean()

    def gradients(self):
        """Yields the gradients of the losses' sum; a parameter that takes no part has 0."""
        sum(self.losses.values()).backward()
        yield "grad.box_features", self.features.grad
        for name, v in self.p.items():
            if v.requires_grad:
                yield "grad." + name, torch.zeros_like(v) if v.grad is None else v.grad


def prefixed(prefix, g, pairs):
    """The pairs that the file has, under the prefix."""
    return ((prefix + name, v) for name, v in pairs if prefix + name in g)


def ffs(g):
    for case in ("before", "after"):
        h = Head(g)
        h.fit_flow()
        if case == "after":
            with torch.no_grad():
                z = torch.from_numpy(g["z_randn"])
                samples, _ = h.flow.inverse(z)
                likely = nll(z, h.flow.forward(samples)[1])  # of the drawn latents, as in the original
                index = likely.topk(SELECTED).indices
            scores = h.classify(samples[index])
            h.tell_apart(scores)
            yield from prefixed("after.", g, {"nll_neg": likely, "top_index": index, "ood_sample": samples[index], "scores_ood": scores}.items())
            alone = {"box_features": h.features, "cls_score.weight": h.p["box_predictor.cls_score.weight"], "weight_energy.weight": h.p["weight_energy.weight"]}
            found = torch.autograd.grad(h.losses["lr_reg_loss"], list(alone.values()), retain_graph=True)
            yield from prefixed("after.grad_lr_only.", g, zip(alone, found))
        yield from prefixed(case + ".", g, {"box_features": h.features, "scores": h.scores, "deltas": h.deltas}.items())
        yield from prefixed(case + ".loss.", g, (h.losses | {"total": sum(h.losses.values())}).items())
        yield from prefixed(case + ".", g, h.gradients())


def langevin_steps(flow, z, threshold, most, step):
    """Starts at the latents' samples and walks down their mean log-likelihood until it is under the
    threshold. Yields samples, mean log-likelihood and log-determinants of each iterate. The first
    takes the drawn latents for constants, so that its gradient is that of the log-determinant."""
    x, _ = flow.inverse(z)
    latents = z
    for k in range(most + 1):
        forward, logdet = flow.forward(x)
        value = -nll(latents if k == 0 else forward, logdet).mean()
        yield x, value, logdet, forward
        if value < threshold or k == most:
            return
        x = x - step * torch.autograd.grad(value, x, retain_graph=True)[0]


def langevin(g):
    inputs = np.load(pathlib.Path(__file__).resolve().parents[3] / "ffs/outlier/testdata/ffs_losses.npz")
    inputs = {k: inputs[k] for k in inputs.files}
    for case in ("stop0", "stop7", "n200", "cap10"):
        h = Head(inputs)
        h.fit_flow()
        ll = -nll(*h.flow.forward(h.features[h.inliers()].detach()))
        yield case + ".ll_inliers", ll
        yield case + ".ll_inliers_min", ll.min()
        z = torch.from_numpy(g[case + ".z_randn"])
        steps = list(langevin_steps(h.flow, z, ll.min(), 10 if case == "cap10" else 100, float(g[case + ".step_size"])))
        yield case + ".iterates", torch.stack([s[0] for s in steps])
        yield case + ".ll_neg", torch.stack([s[1] for s in steps])
        yield case + ".log_jac_det", torch.stack([s[2] for s in steps])
        yield case + ".z_start_forward", steps[0][3]
        yield case + ".num_updates", len(steps) - 1
        yield case + ".stopped", int(steps[-1][1] < ll.min())
        scores = h.classify(steps[-1][0])
        h.tell_apart(scores)
        yield from prefixed(case + ".", g, {"scores_ood": scores, "box_features": h.features}.items())
        yield from prefixed(case + ".loss.", g, h.losses.items())
        yield from prefixed(case + ".", g, h.gradients())


def enqueue(queue, count, features, classes):
    """Puts features into their classes' queues in order; a full queue drops its oldest."""
    queue, count = queue.clone(), count.clone()
    for f, k in zip(features, classes):
        if count[k] < queue.shape[1]:
            queue[k, count[k]] = f
            count[k] += 1
        else:
            queue[k] = torch.cat([queue[k, 1:], f[None]])
    return queue, count


def gaussian(g):
    full = torch.full((5,), g["full.queue_before"].shape[1])
    for case, count in (("fill", torch.from_numpy(g["fill.count_before"])), ("full", full)):
        h = Head(g)
        inliers = h.inliers()
        queue, count = enqueue(torch.from_numpy(g[case + ".queue_before"]), count, h.features[inliers].detach(), h.gt_classes[inliers])
        yield case + ".queue_after", queue
        yield from prefixed(case + ".", g, {"count_after": count, "box_features": h.features}.items())
        if case == "full":
            mean = queue.mean(1)
            centred = (queue - mean[:, None]).flatten(0, 1)
            covariance = centred.T @ centred / len(centred) + 1e-4 * torch.eye(centred.shape[1])
            factor = torch.linalg.cholesky(covariance)
            samples = mean[:, None] + torch.from_numpy(g["eps"]) @ factor.T
            density = torch.stack([torch.distributions.MultivariateNormal(m, covariance).log_prob(s) for m, s in zip(mean, samples)])
            index = density.argmin(1)
            chosen = samples[torch.arange(len(mean)), index]
            scores = h.classify(chosen)
            h.tell_apart(scores)
            yield from prefixed("full.", g, {
                "mean": mean, "covariance": covariance, "scale_tril": factor, "samples": samples, "log_prob": density,
                "selected_index": index, "selected": chosen, "scores_ood": scores}.items())
        yield from prefixed(case + ".loss.", g, h.losses.items())
        yield from prefixed(case + ".", g, h.gradients())


def tolerance(name):
    return 1e-3 if any(part in name for part in ("grad", "iterates", "log_prob")) else 1e-4


FILES = {
    "ffs/outlier/testdata/ffs_losses.npz": (tolerance, ffs),
    "ffs/outlier/testdata/langevin.npz": (tolerance, langevin),
    "ffs/outlier/testdata/vos_gaussian.npz": (tolerance, gaussian),
}
