"""Metrics: AUROC, AUPR and FPR95 by scikit-learn, COCO's box evaluation by pycocotools, and FFS's
score threshold from its result."""
import contextlib
import io
import json

import numpy as np


def uniform(n, mul, add, mod):
    return (np.arange(n, dtype=np.int64) * mul + add) % mod / mod


def scores_of(test):
    """A set's scores, inliers' first."""
    if "formula" not in test:
        return test["pos"], test["neg"]
    inliers, outliers = (sum(uniform(20000, *u) for u in test["formula"][k]) for k in ("pos", "neg"))
    return 0.55 + inliers, outliers


def fpr95(inliers, outliers):
    """The share of outliers at or above the threshold whose recall of inliers is nearest to 0.95, of
    equals the lowest threshold. Lower ones than the lowest inlier are not considered."""
    inliers, outliers = np.asarray(inliers), np.asarray(outliers)
    thresholds = np.unique(np.concatenate([inliers, outliers[outliers > inliers.min()]]))  # recall falls
    recall = 1 - np.searchsorted(np.sort(inliers), thresholds) / len(inliers)
    threshold = thresholds[np.argmin(np.abs(recall - 0.95))]
    return (outliers >= threshold).mean(), threshold


def measures(root):
    from sklearn.metrics import average_precision_score, roc_auc_score

    worst = 0.0
    for test in json.loads((root / "ffs/eval/testdata/metrics.json").read_text())["sets"]:
        inliers, outliers = scores_of(test)
        scores = np.concatenate([inliers, outliers])
        labels = np.concatenate([np.ones(len(inliers)), np.zeros(len(outliers))])
        rate, threshold = fpr95(inliers, outliers)
        got = {"auroc": roc_auc_score(labels, scores), "aupr": average_precision_score(labels, scores), "fpr95": rate,
               "threshold_at_fpr95": threshold}
        for key, value in got.items():
            worst = max(worst, abs(value - test["expected"][key]))
            if worst > 1e-9:
                return f"{test['name']}: {key} {value}, want {test['expected'][key]}"
    return None


def evaluate(root):
    """pycocotools' evaluation of the set in ffs/eval/testdata."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    folder = root / "ffs/eval/testdata"
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(folder / "gt.json"))
        e = COCOeval(truth, truth.loadRes(str(folder / "detections.json")), "bbox")
        e.evaluate()
        e.accumulate()
        e.summarize()
    return e


def summaries(root):
    want = json.loads((root / "ffs/eval/testdata/expected.json").read_text())
    e = evaluate(root)
    faults = []

    def same(name, got, wanted):
        if wanted is None or isinstance(wanted, float) and np.isnan(wanted):
            wanted = np.nan
        if not np.allclose(got, wanted, rtol=0, atol=1e-9, equal_nan=True):
            faults.append(f"{name} {got}, want {wanted}")

    for (name, wanted), got in zip(want["stats"].items(), e.stats):
        same(name, got, wanted)
    used = []
    recall_at = e.params.recThrs
    for k, cls in enumerate(e.params.catIds):
        wanted = want["per_class"][str(cls)]
        precision = e.eval["precision"][:, :, k, 0, 2]
        mean = lambda p: p[p > -1].mean() if (p > -1).any() else -1.0
        averaged = precision.mean(0)
        with np.errstate(invalid="ignore", divide="ignore"):
            f1 = 2 * averaged * recall_at / (averaged + recall_at)
        best = int(f1.argmax())  # the first NaN, if there is one
        threshold = e.eval["scores"][:, best, k, 0, 2].mean()
        if threshold != 0:
            used.append(threshold)
        got = {"ap": mean(precision), "ap50": mean(precision[0]), "recall": e.eval["recall"][:, k, 0, 2],
               "f1_argmax": best, "f1_max": f1[best], "f1_score_threshold": threshold}
        for key, value in got.items():
            same(f"class {cls} {key}", value, wanted[key])
    same("threshold", np.mean(used), want["optimal_score_threshold"])
    return "; ".join(faults) or None


def curves(g):
    from golden import ROOT

    e = evaluate(ROOT)
    for name in ("precision", "recall", "scores"):
        yield name, e.eval[name]
    yield "rec_thrs", e.params.recThrs
    yield "iou_thrs", e.params.iouThrs


FILES = {"ffs/eval/testdata/expected.npz": (1e-9, curves)}
CHECKS = {"ffs/eval/testdata/metrics.json": measures, "ffs/eval/testdata/expected.json": summaries}
