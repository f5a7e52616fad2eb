"""Boxes: their regression targets, their matching to ground truth, and non-maximum suppression, with
detectron2 0.6's conventions."""
import math

import torch
from torchvision.ops import batched_nms

SCALE_CLAMP = math.log(1000 / 16)


def center_size(boxes):
    w, h = boxes[..., 2] - boxes[..., 0], boxes[..., 3] - boxes[..., 1]
    return boxes[..., 0] + 0.5 * w, boxes[..., 1] + 0.5 * h, w, h


def encode(src, target, weights):
    """The deltas that move src to target."""
    cx, cy, w, h = center_size(src)
    tx, ty, tw, th = center_size(target)
    wx, wy, ww, wh = weights
    return torch.stack([wx * (tx - cx) / w, wy * (ty - cy) / h, ww * torch.log(tw / w), wh * torch.log(th / h)], 1)


def decode(deltas, src, weights):
    """The boxes [n, 4k] of k sets of deltas [n, 4k]. Sizes are bounded from above alone."""
    cx, cy, w, h = (v[:, None] for v in center_size(src))
    d = deltas.reshape(len(deltas), -1, 4) / torch.tensor(weights, dtype=deltas.dtype)
    x, y = d[..., 0] * w + cx, d[..., 1] * h + cy
    w, h = d[..., 2].clamp(max=SCALE_CLAMP).exp() * w, d[..., 3].clamp(max=SCALE_CLAMP).exp() * h
    return torch.stack([x - 0.5 * w, y - 0.5 * h, x + 0.5 * w, y + 0.5 * h], -1).reshape(deltas.shape)


def clip(boxes, size):
    """Boxes [..., 4] within an image of the size (height, width)."""
    height, width = size
    limit = torch.tensor([width, height, width, height], dtype=boxes.dtype)
    return torch.minimum(boxes.clamp(min=0), limit)


def area(boxes):
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def iou(a, b):
    top = torch.maximum(a[:, None, :2], b[None, :, :2])
    bottom = torch.minimum(a[:, None, 2:], b[None, :, 2:])
    inter = (bottom - top).clamp(min=0).prod(2)
    return torch.where(inter > 0, inter / (area(a)[:, None] + area(b)[None] - inter), torch.zeros(()))


def match(quality, thresholds, labels, low_quality):
    """For each box (columns) the best ground truth (rows), the first of equals, and the label of the
    interval that its overlap lies in. With low_quality, every box that is the best of a ground truth
    is positive, also at an overlap of 0."""
    if quality.numel() == 0:
        n = quality.shape[1]
        return torch.zeros(n, dtype=torch.int64), torch.full((n,), labels[0], dtype=torch.int64)
    value, index = quality.max(0)
    label = torch.tensor(labels)[torch.bucketize(value, torch.tensor(thresholds), right=True)]
    if low_quality:
        best = quality.max(1, keepdim=True).values
        label[(quality == best).any(0)] = 1
    return index, label


def match_rpn(quality):
    return match(quality, (0.3, 0.7), (0, -1, 1), True)


def transform(g):
    src, target = torch.from_numpy(g["src"]), torch.from_numpy(g["target"])
    yield "scale_clamp", torch.tensor(SCALE_CLAMP)
    for kind, weights in (("rpn", (1, 1, 1, 1)), ("roi", (10, 10, 5, 5))):
        yield f"{kind}.weights", torch.tensor(weights, dtype=torch.float32)
        deltas = encode(src, target, weights)
        yield f"{kind}.deltas", deltas
        yield f"{kind}.decoded", decode(deltas, src, weights)
        yield f"{kind}.multi_decoded", decode(torch.from_numpy(g[f"{kind}.multi_deltas"]), src, weights)


def matching(g):
    for case in sorted({name.split(".")[0] for name in g}):
        gt, boxes = torch.from_numpy(g[case + ".gt"]), torch.from_numpy(g[case + ".boxes"])
        quality = iou(gt, boxes)
        yield case + ".iou", quality
        yield case + ".area_boxes", area(boxes)
        for kind, (index, label) in (("rpn", match_rpn(quality)), ("roi", match(quality, (0.5,), (0, 1), False))):
            yield f"{case}.{kind}.match", index
            yield f"{case}.{kind}.label", label


def suppression(g):
    for case in ("ties300", "rpn300", "many1500", "one_class200"):
        boxes, scores, classes = (torch.from_numpy(g[f"{case}.{k}"]) for k in ("boxes", "scores", "classes"))
        yield case + ".keep", batched_nms(boxes, scores, classes, float(g[case + ".iou_threshold"]))
    yield "empty.keep", batched_nms(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, dtype=torch.int64), 0.5)


FILES = {
    "ffs/boxes/testdata/box_transform.npz": (1e-4, transform),
    "ffs/boxes/testdata/matching.npz": (1e-6, matching),
    "ffs/boxes/testdata/nms.npz": (0, suppression),
}
