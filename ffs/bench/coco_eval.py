"""Evaluates a COCO results file with pycocotools and prints one JSON line: how long reading and evaluating took, and the twelve numbers.

usage: coco_eval.py GT.json DT.json   (from standard input in "ffs bench coco-eval")
"""
import contextlib
import importlib.metadata
import io
import json
import sys
import time

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

NAMES = ("AP", "AP50", "AP75", "AP_small", "AP_medium", "AP_large", "AR1", "AR10", "AR100", "AR_small", "AR_medium", "AR_large")

with contextlib.redirect_stdout(io.StringIO()):
    begin = time.perf_counter()
    truth = COCO(sys.argv[1])
    results = truth.loadRes(sys.argv[2])
    read = time.perf_counter()
    evaluation = COCOeval(truth, results, "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    end = time.perf_counter()

print(json.dumps({
    "version": importlib.metadata.version("pycocotools"),
    "read_s": read - begin,
    "evaluate_s": end - read,
    "stats": dict(zip(NAMES, map(float, evaluation.stats))),
}))
