"""Writes random_sets.json: small random sets that are full of corner cases, and what pycocotools makes of them (see TestRandomCOCO).

    pip install pycocotools==2.0.11 numpy==2.4.6
    python random_sets.py > random_sets.json

In every set: crowd regions, equal scores, areas on the borders between sizes (32^2 and 96^2), an image with more than 100 detections of a class, a class
without objects, one without detections, one with neither, images without objects, duplicates and boxes without area.
"""
import contextlib
import io
import json

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

IMAGES, CLASSES = 6, 6


def made(rng):
    objects, detections = [], []

    def box():
        side = int(rng.choice([10, 31, 32, 33, 64, 95, 96, 97, 150]))
        other = side if rng.random() < 0.5 else int(rng.integers(4, 120))
        return [int(rng.integers(0, 200)), int(rng.integers(0, 200)), side, other]

    for image in range(1, IMAGES):  # the last one has no objects
        for _ in range(int(rng.integers(1, 7))):
            b = box()
            area = b[2] * b[3] if rng.random() < 0.7 else int(rng.choice([32 ** 2, 96 ** 2, 500, 5000]))
            objects.append([image, int(rng.choice([1, 2, 3, 5])), *b, area, int(rng.random() < 0.2)])
    for image in range(1, IMAGES + 1):
        for _ in range(130 if image == 2 else 12):
            kind = int(rng.choice([1, 2, 3, 4])) if image != 2 else 1
            near = [o for o in objects if o[0] == image]
            b = box()
            if near and rng.random() < 0.7:
                o = near[int(rng.integers(len(near)))]
                b = [int(v) for v in np.maximum(np.array(o[2:6]) + rng.integers(-6, 7, 4) * int(rng.random() < 0.7), 0)]
                kind = o[1] if o[1] != 5 and rng.random() < 0.8 else kind
            detections.append([image, kind, *b, round(float(rng.random()), 1)])
    return objects, detections


def main():
    sets = []
    for seed in range(10):
        objects, detections = made(np.random.default_rng(seed))
        with contextlib.redirect_stdout(io.StringIO()):
            truth = COCO()
            truth.dataset = {
                "images": [{"id": i} for i in range(1, IMAGES + 1)],
                "categories": [{"id": i, "name": str(i)} for i in range(1, CLASSES + 1)],
                "annotations": [{"id": n, "image_id": o[0], "category_id": o[1], "bbox": o[2:6], "area": o[6], "iscrowd": o[7]}
                                for n, o in enumerate(objects, 1)],
            }
            truth.createIndex()
            results = truth.loadRes([{"image_id": d[0], "category_id": d[1], "bbox": d[2:6], "score": d[6]} for d in detections])
            evaluation = COCOeval(truth, results, "bbox")
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
        sets.append({"objects": objects, "detections": detections, "stats": [float(v) for v in evaluation.stats]})
    print("[" + ",\n".join(json.dumps(s, separators=(",", ":")) for s in sets) + "]")


main()
