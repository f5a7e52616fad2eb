"""The second stage: pooling of proposals from the pyramid, the box head, its losses and inference."""
import torch
import torch.nn.functional as F
from torchvision.ops import batched_nms, roi_align

import boxes as bx
from flow import parameters

WEIGHTS = (10, 10, 5, 5)
LEVELS = ("p2", "p3", "p4", "p5")
STRIDES = (4, 8, 16, 32)


def levels(boxes):
    """The level of the pyramid that each box is pooled from, 0 for p2."""
    size = torch.sqrt(bx.area(boxes))
    return (torch.floor(4 + torch.log2(size / 224 + 1e-8)).clamp(2, 5) - 2).long()


def pool(features, proposals, sampling_ratio=0):
    """7x7 features of the proposals, a list of boxes for each image, from p2..p5."""
    boxes = torch.cat(proposals)
    image = torch.cat([torch.full((len(b), 1), i, dtype=boxes.dtype) for i, b in enumerate(proposals)])
    rows, level = torch.cat([image, boxes], 1), levels(boxes)
    out = torch.zeros(len(boxes), features[0].shape[1], 7, 7)
    for i, (f, stride) in enumerate(zip(features, STRIDES)):
        at = level == i
        out = out.index_put((at.nonzero()[:, 0],), roi_align(f, rows[at], 7, 1 / stride, sampling_ratio, aligned=True))
    return out


def head(p, pooled):
    """Box features, class scores and box deltas."""
    linear = lambda name, x: x @ p[name + ".weight"].T + p[name + ".bias"]
    h = torch.relu(linear("box_head.fc1", pooled.flatten(1)))
    h = torch.relu(linear("box_head.fc2", h))
    return h, linear("box_predictor.cls_score", h), linear("box_predictor.bbox_pred", h)


def losses(scores, deltas, proposals, gt_boxes, gt_classes):
    """Cross-entropy over all rows; L1 over the foreground's deltas, divided by the number of rows."""
    k = scores.shape[1] - 1
    fg = (gt_classes < k).nonzero()[:, 0]
    mine = deltas.reshape(len(deltas), k, 4)[fg, gt_classes[fg]]
    want = bx.encode(proposals[fg], gt_boxes[fg], WEIGHTS)
    return F.cross_entropy(scores, gt_classes), (mine - want).abs().sum() / len(scores)


def detect(boxes, probs, size, clip):
    """Detections of an image: boxes, scores, classes and rows. clip comes before suppression in
    detectron2; FFS's predictor leaves it out."""
    if clip:
        boxes = bx.clip(boxes.reshape(len(boxes), -1, 4), size)
    boxes, scores = boxes.reshape(len(boxes), -1, 4), probs[:, :-1]
    row, label = (scores > 0.05).nonzero(as_tuple=True)
    boxes, scores = boxes[row, label], scores[row, label]
    keep = batched_nms(boxes, scores, label, 0.5)[:100]
    return boxes[keep], scores[keep], label[keep], row[keep]


def align(g):
    features = [torch.from_numpy(g["feat." + name]).requires_grad_() for name in LEVELS]
    proposals = [torch.from_numpy(g["boxes_img0"]), torch.from_numpy(g["boxes_img1"])]
    out = pool(features, proposals)
    yield "out", out
    yield "levels", levels(torch.cat(proposals))
    yield "out_sampling_ratio_2", pool(features, proposals, 2)[:10]
    (out * torch.from_numpy(g["g"])).sum().backward()
    for name, f in zip(LEVELS, features):
        yield "grad." + name, f.grad


def images(g, name):
    return [torch.from_numpy(g[f"img{i}.{name}"]) for i in (0, 1)]


def heads(g):
    p = parameters(g)
    pooled = torch.from_numpy(g["pooled"]).requires_grad_()
    features, scores, deltas = head(p, pooled)
    features.retain_grad()
    yield from zip(("box_features", "scores", "deltas"), (features, scores, deltas))
    proposals, gt_boxes, gt_classes = (torch.cat(images(g, n)) for n in ("proposal_boxes", "gt_boxes", "gt_classes"))
    yield "regression_targets", bx.encode(proposals, gt_boxes, WEIGHTS)
    cls, reg = losses(scores, deltas, proposals, gt_boxes, gt_classes)
    yield from {"main.loss_cls": cls, "main.loss_box_reg": reg}.items()
    none = losses(scores, deltas, proposals, gt_boxes, torch.full_like(gt_classes, scores.shape[1] - 1))
    yield from zip(("nofg.loss_cls", "nofg.loss_box_reg"), none)
    (cls + reg).backward()
    yield "grad.pooled", pooled.grad
    yield "grad.box_features", features.grad
    for name, v in p.items():
        yield "grad." + name, v.grad
    start = 0
    for i, boxes in enumerate(images(g, "proposal_boxes")):
        rows = slice(start, start + len(boxes))
        start = rows.stop
        decoded, probs = bx.decode(deltas[rows], boxes, WEIGHTS), scores[rows].softmax(1)
        yield f"predicted_boxes.img{i}", decoded
        yield f"predicted_probs.img{i}", probs
        found = detect(decoded, probs, SIZE, True)
        yield from zip((f"inference.img{i}.{n}" for n in ("boxes", "scores", "classes", "rows")), found)


SIZE = (96, 128)

FILES = {
    "ffs/roi/testdata/roi_align.npz": (lambda name: 1e-4 if name.startswith("grad") else 1e-5, align),
    "ffs/roi/testdata/roi_heads.npz": (1e-5, heads),
}
