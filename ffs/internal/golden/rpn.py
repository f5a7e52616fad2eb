"""The first stage: anchors, the proposal head, its proposals and its losses."""
import numpy as np
import torch
import torch.nn.functional as F
from torchvision.ops import batched_nms

import boxes as bx
from flow import parameters

SIZES, RATIOS = (32, 64, 128, 256, 512), (0.5, 1, 2)
LEVELS, STRIDES = ("p2", "p3", "p4", "p5", "p6"), (4, 8, 16, 32, 64)
WEIGHTS = (1, 1, 1, 1)
BATCH_PER_IMAGE = 256


def cell_anchors(size):
    """One anchor for each ratio (height by width) around the origin."""
    out = []
    for ratio in RATIOS:
        w = (size ** 2 / ratio) ** 0.5
        h = ratio * w
        out.append([-w / 2, -h / 2, w / 2, h / 2])
    return torch.tensor(out)


def anchors(image_size):
    """The anchors of each level, in the order rows, columns, ratios."""
    height, width = image_size
    out = []
    for size, stride in zip(SIZES, STRIDES):
        rows, columns = -(-height // stride), -(-width // stride)
        y, x = torch.meshgrid(torch.arange(rows) * stride, torch.arange(columns) * stride, indexing="ij")
        shifts = torch.stack([x, y, x, y], -1).reshape(-1, 1, 4).float()
        out.append((shifts + cell_anchors(size)).reshape(-1, 4))
    return out


def head(p, feature):
    x = torch.relu(F.conv2d(feature, p["rpn_head.conv.weight"], p["rpn_head.conv.bias"], padding=1))
    return tuple(F.conv2d(x, p[f"rpn_head.{n}.weight"], p[f"rpn_head.{n}.bias"]) for n in ("objectness_logits", "anchor_deltas"))


def flatten(logits, deltas):
    """Maps as rows in the order of the anchors."""
    n, a, h, w = logits.shape
    return logits.permute(0, 2, 3, 1).reshape(n, -1), deltas.reshape(n, a, 4, h, w).permute(0, 3, 4, 1, 2).reshape(n, -1, 4)


def propose(anchors, logits, deltas, size, before, after):
    """An image's proposals and their logits: the best of each level, suppressed level by level."""
    boxes, scores, level = [], [], []
    for i, (a, l, d) in enumerate(zip(anchors, logits, deltas)):
        top = l.argsort(descending=True, stable=True)[:before]
        boxes.append(bx.decode(d[top], a[top], WEIGHTS))
        scores.append(l[top])
        level.append(torch.full((len(top),), i))
    boxes, scores, level = bx.clip(torch.cat(boxes), size), torch.cat(scores), torch.cat(level)
    whole = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    boxes, scores, level = boxes[whole], scores[whole], level[whole]
    keep = batched_nms(boxes, scores, level, 0.7)[:after]
    return boxes[keep], scores[keep]


def losses(anchors, logits, deltas, labels, gt_boxes, per_image=BATCH_PER_IMAGE):
    """Binary cross-entropy over the sampled anchors and L1 over the positive ones' deltas, for logits
    [images, anchors]; both divided by the number of anchors that are meant to be sampled."""
    sampled, positive = labels >= 0, labels == 1
    cls = F.binary_cross_entropy_with_logits(logits[sampled], labels[sampled].float(), reduction="sum")
    target = torch.stack([bx.encode(anchors, b, WEIGHTS) for b in gt_boxes])
    loc = (deltas[positive] - target[positive]).abs().sum()
    return cls / (per_image * len(labels)), loc / (per_image * len(labels))


def anchor_arrays(g):
    yield "cell_anchors", torch.stack([cell_anchors(s) for s in SIZES])
    for case in ("small", "large"):
        height, width = (int(v) for v in g[case + ".image_size"])
        yield case + ".grid_sizes", [[-(-height // s), -(-width // s)] for s in STRIDES]
        for name, a in zip(LEVELS, anchors((height, width))):
            if case == "small":
                yield "small." + name, a
                continue
            exact = a.numpy().astype(np.float64)
            weights = np.arange(len(a)) % 997
            numbers = {
                "count": len(a), "first": a[:100], "last": a[-100:], "sum_f64": exact.sum(0),
                "sum_abs_f64": np.abs(exact).sum(0), "weighted_sum_f64": (exact * weights[:, None]).sum(0),
            }
            yield from ((f"large.{name}.{k}", v) for k, v in numbers.items())


def proposals(g):
    p = parameters(g)
    features = [torch.from_numpy(g["feat." + n]).requires_grad_() for n in LEVELS]
    sizes = g["image_sizes"]
    canvas = (features[0].shape[2] * 4, features[0].shape[3] * 4)
    grid = anchors(canvas)
    logits, deltas = [], []
    for name, feature in zip(LEVELS, features):
        maps = head(p, feature)
        yield "logits_map." + name, maps[0]
        yield "deltas_map." + name, maps[1]
        rows = flatten(*maps)
        logits.append(rows[0])
        deltas.append(rows[1])
    counts = [int(v) for v in g["topk"]]
    for mode, before, after in (("train", counts[0], counts[2]), ("test", counts[1], counts[3])):
        for i in (0, 1):
            found = propose(grid, [l[i] for l in logits], [d[i] for d in deltas], sizes[i], before, after)
            yield from zip((f"{mode}.img{i}.proposal_boxes", f"{mode}.img{i}.objectness_logits"), found)
    every = torch.cat(grid)
    matched = []
    for i in (0, 1):
        gt = torch.from_numpy(g[f"gt_boxes.img{i}"])
        index, label = bx.match_rpn(bx.iou(gt, every))
        yield f"labels_before_sampling.img{i}", label
        yield f"matched_gt_boxes.img{i}", gt[index]
        matched.append(gt[index])
    labels = torch.stack([torch.from_numpy(g[f"labels.img{i}"]) for i in (0, 1)])
    cls, loc = losses(every, torch.cat(logits, 1), torch.cat(deltas, 1), labels, matched)
    yield from {"loss.rpn_cls": cls, "loss.rpn_loc": loc}.items()
    (cls + loc).backward()
    for name, f in zip(LEVELS, features):
        yield "grad.feat." + name, f.grad
    for name, v in p.items():
        yield "grad." + name, v.grad


FILES = {
    "ffs/rpn/testdata/anchors.npz": (1e-6, anchor_arrays),
    "ffs/rpn/testdata/rpn.npz": (lambda name: 1e-3 if "boxes" in name else 1e-4, proposals),
}
