"""The whole tiny detector of detector.pth: what it detects in detector.png, and one training step."""
import pathlib

import numpy as np
import torch
from PIL import Image

import backbone
import boxes as bx
import preprocess
import roi
import rpn
from energy import energy, logistic
from flow import Flow, nll

HERE = pathlib.Path(__file__).resolve().parents[2] / "detector/testdata"
SHORTEST, LONGEST = 96, 160
LEVELS = ("p2", "p3", "p4", "p5", "p6")
TEST_TOP, TRAIN_TOP = 1000, 2000  # of each level before suppression
START_ITER = {"before": False, "after": True}  # whether outliers are synthesised


def load():
    """The checkpoint's parameters. Those that are trained want a gradient."""
    p = torch.load(HERE / "detector.pth", map_location="cpu", weights_only=True)["model"]
    fixed = ("pixel_", "proposal_generator.anchor", "backbone.bottom_up.stem.", "backbone.bottom_up.s1.")
    for name, v in p.items():
        norm = any(part in name for part in ("bn.", "_bn.")) and "backbone" in name
        if v.is_floating_point() and not name.startswith(fixed) and not norm:
            v.requires_grad_()
    return p


def subset(p, scope):
    return {k.removeprefix(scope): v for k, v in p.items() if k.startswith(scope)}


def first_stage(p, x):
    """The pyramid, the anchors, and the logits and deltas of each level's anchors."""
    stages = [m for _, m in backbone.bottom_up(p, x, "backbone.bottom_up.")][1:]
    maps = backbone.pyramid(p, stages, "backbone.")
    head = subset(p, "proposal_generator.")
    rows = [rpn.flatten(*rpn.head(head, m)) for m in maps]
    return maps, rpn.anchors(x.shape[2:]), [l for l, _ in rows], [d for _, d in rows]


def detect(g):
    p = load()
    original = np.asarray(Image.open(HERE / "detector.png").convert("RGB"))[:, :, ::-1].copy()
    yield "original_size", original.shape[:2]
    small = preprocess.resize(original, SHORTEST, LONGEST).transpose(2, 0, 1).copy()
    yield "resized", small
    size = small.shape[1:]
    x = preprocess.batch([small])
    yield "network_input", x
    with torch.no_grad():
        maps, anchors, logits, deltas = first_stage(p, x)
        yield from zip(LEVELS, maps)
        proposals, scores = rpn.propose(anchors, [l[0] for l in logits], [d[0] for d in deltas], size, TEST_TOP, 1000)
        yield "proposal_boxes", proposals
        yield "proposal_logits", scores
        features, cls, reg = roi.head(subset(p, "roi_heads."), roi.pool(maps[:4], [proposals]))
        yield "box_features", features[:50]
        yield "cls_logits", cls
        yield "box_deltas", reg
        probs, decoded = cls.softmax(1), bx.decode(reg, proposals, roi.WEIGHTS)
        row, label = (probs[:, :-1] > 0.05).nonzero(as_tuple=True)
        yield "before_nms.boxes", decoded.reshape(len(decoded), -1, 4)[row, label]
        yield "before_nms.scores", probs[row, label]
        yield "before_nms.classes", label
        boxes, scores, label, row = roi.detect(decoded, probs, size, False)
        scale = torch.tensor([original.shape[1] / size[1], original.shape[0] / size[0]] * 2)
        boxes = bx.clip(boxes * scale, original.shape[:2])
        whole = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
        boxes, scores, label, row = boxes[whole], scores[whole], label[whole], row[whole]
        yield from {
            "boxes": boxes, "scores": scores, "classes": label, "inter_feat": cls[row], "cls_probs": probs[row],
            "energy": torch.logsumexp(cls[row, :-1], 1), "json_category_id": label + 1,
            "json_bbox_xywh": torch.cat([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], 1),
        }.items()


def train(g):
    for case, synthesise in START_ITER.items():
        p = load()
        maps, anchors, logits, deltas = first_stage(p, preprocess.batch([g["image"]]))
        if case == "before":
            with torch.no_grad():
                found, _ = rpn.propose(anchors, [l[0] for l in logits], [d[0] for d in deltas], g["image"].shape[1:], TRAIN_TOP, 1000)
            yield "proposals_before_sampling", found
            every = torch.cat(anchors)
            index, _ = bx.match_rpn(bx.iou(torch.from_numpy(g["gt_boxes"]), every))
            yield "rpn.matched_gt_boxes", torch.from_numpy(g["gt_boxes"])[index]
        labels, matched = torch.from_numpy(g["rpn.labels"]), torch.from_numpy(g["rpn.matched_gt_boxes"])
        losses = dict(zip(("rpn_cls", "rpn_loc"), rpn.losses(
            torch.cat(anchors), torch.cat(logits, 1), torch.cat(deltas, 1), labels[None], [matched], 128)))
        heads = subset(p, "roi_heads.")
        proposals, classes = torch.from_numpy(g["roi.proposal_boxes"]), torch.from_numpy(g["roi.gt_classes"])
        features, cls, reg = roi.head(heads, roi.pool(maps[:4], [proposals]))
        losses["cls"], losses["box_reg"] = roi.losses(cls, reg, proposals, torch.from_numpy(g["roi.gt_boxes"]), classes)
        inliers = classes < cls.shape[1] - 1
        flow = Flow(subset(heads, "flow_model."))
        losses["nll"] = 1e-4 * nll(*flow.forward(features[inliers].detach())).mean()
        losses["lr_reg_loss"] = losses["dummy"] = losses["dummy1"] = torch.zeros(())
        if synthesise:
            with torch.no_grad():
                z = torch.from_numpy(g["z_randn"])
                samples, _ = flow.inverse(z)
                index = nll(z, flow.forward(samples)[1]).topk(1).indices
                samples = samples[index]
            yield "after.top_index", index
            yield "after.ood_sample", samples
            scores = samples @ heads["box_predictor.cls_score.weight"].T + heads["box_predictor.cls_score.bias"]
            weight = heads["weight_energy.weight"]
            losses["lr_reg_loss"] = 0.1 * logistic(heads, energy(cls[inliers], weight), energy(scores, weight))[3]
        total = sum(losses.values())
        total.backward()
        yield case + ".total_loss", total
        yield from ((f"{case}.loss.{k}", v) for k, v in losses.items())
        for name, v in p.items():
            grad = torch.zeros(()) if v.grad is None else v.grad
            if f"{case}.gradnorm.{name}" in g:
                yield f"{case}.gradnorm.{name}", grad.norm()
            if f"{case}.grad.{name}" in g:
                yield f"{case}.grad.{name}", grad


def detection_tolerance(name):
    if "boxes" in name or "bbox" in name:
        return 0.02
    return 1e-3 if "score" in name or "prob" in name else 3e-3


FILES = {
    "ffs/detector/testdata/detector.npz": (detection_tolerance, detect),
    "ffs/detector/testdata/train_step.npz": (lambda name: 2e-3 if "grad" in name else 1e-4, train),
}
