"""What happens to images and boxes before the network: detectron2's ResizeShortestEdge by Pillow, the
horizontal flip, the batch, and a training image's annotations."""
import re

import numpy as np
import torch
from PIL import Image

MEAN, STD = (103.53, 116.28, 123.675), (57.375, 57.12, 58.395)


def output_shape(height, width, short, longest):
    """The size that the shorter edge gets short and the longer at most longest."""
    scale = short / min(height, width)
    h, w = (short, scale * width) if height < width else (scale * height, short)
    if max(h, w) > longest:
        scale = longest / max(h, w)
        h, w = h * scale, w * scale
    return int(h + 0.5), int(w + 0.5)


def resize(image, short, longest):
    height, width = output_shape(*image.shape[:2], short, longest)
    return np.asarray(Image.fromarray(image).resize((width, height), Image.BILINEAR))


def resize_boxes(boxes, old, new):
    """Boxes of integers stay integers, cut towards 0, as in the reference."""
    scaled = boxes * np.array([new[1] / old[1], new[0] / old[0]] * 2)
    return scaled.astype(boxes.dtype)


def flip_boxes(boxes, width):
    flipped = boxes.copy()
    flipped[:, 0], flipped[:, 2] = width - boxes[:, 2], width - boxes[:, 0]
    return flipped


def batch(images):
    """Normalises BGR images [3, height, width] and pads them to one size, a multiple of 32."""
    height, width = (-(-max(i.shape[axis] for i in images) // 32) * 32 for axis in (1, 2))
    out = torch.zeros(len(images), 3, height, width)
    for x, image in zip(out, images):
        x[:, :image.shape[1], :image.shape[2]] = (torch.from_numpy(image).float() - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]
    return out


def annotations(xywh, g, width):
    """The boxes of a training image, resized and flipped, without crowds and what is empty."""
    boxes = np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], 1)
    size = tuple(g["train.image_size"])
    boxes = flip_boxes(resize_boxes(boxes, g["a.image"].shape[:2], size), width)
    boxes = np.minimum(np.maximum(boxes, 0), [size[1], size[0]] * 2)
    keep = (g["train.iscrowd"] == 0) & (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    return boxes[keep], g["train.category"][keep]


def recompute(g):
    for name in g:
        if m := re.fullmatch(r"([ab])\.resize_short(\d+)_max(\d+)", name):
            image, boxes = g[m[1] + ".image"], g[m[1] + ".boxes"]
            small = resize(image, int(m[2]), int(m[3]))
            yield name, small
            yield name + ".boxes", resize_boxes(boxes, image.shape[:2], small.shape[:2])
    for name in ("a", "b"):
        yield name + ".hflip", g[name + ".image"][:, ::-1]
        yield name + ".hflip.boxes", flip_boxes(g[name + ".boxes"], g[name + ".image"].shape[1])
    yield "output_shape_table", [[*row[:4], *output_shape(*(int(v) for v in row[:4]))] for row in g["output_shape_table"]]
    yield "pixel_mean", np.float32(MEAN)
    yield "pixel_std", np.float32(STD)
    chain = []
    for name in ("a", "b"):
        chain.append(resize(g[name + ".image"], 40, 1000)[:, :, ::-1].transpose(2, 0, 1).copy())
        yield f"chain.{name}_bgr_resized", chain[-1]
    yield "chain.batch", batch(chain)
    yield "chain.image_sizes", [i.shape[1:] for i in chain]
    image = resize(g["a.image"], 64, 1000)
    yield "train.image", image[:, ::-1]
    yield "train.image_size", image.shape[:2]
    for suffix, dtype in (("", np.float32), ("_if_json_has_ints", np.int64)):
        boxes, classes = annotations(g["train.bbox_xywh"].astype(dtype), g, image.shape[1])
        yield "train.gt_boxes" + suffix, boxes
        yield "train.gt_classes" + suffix, classes


FILES = {"data/testdata/preprocess.npz": (1e-4, recompute)}
