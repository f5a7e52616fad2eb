"""Recomputes the reference arrays of the tests (testdata/*.npz and the like) from their own inputs.

    pip install -r requirements.txt
    python golden.py              # all files: the largest difference of each; fails beyond its tolerance
    python golden.py flow energy  # the files of some scripts
    python golden.py --write ...  # put what was recomputed in place of what is there

Each script lists its files in FILES: path from the repository's root -> (tolerance, function). The
function gets the file's arrays and yields (name, recomputed) pairs. An array that it does not yield
is an input: parameters, images, boxes, random draws. A difference is |a-b| / (1 + |b|); integers and
the names of tolerance 0 must be equal.
"""
import argparse
import importlib
import pathlib
import sys

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[3]
SCRIPTS = ("flow", "energy", "outlier", "backbone", "boxes", "rpn", "roi", "optim", "detector",
           "preprocess", "metrics", "checkpoint")


def as_array(value):
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    return np.asarray(value)


def difference(got, want):
    """The largest |got-want| / (1+|want|); NaN equals NaN and an infinity itself."""
    if got.shape != want.shape:
        raise ValueError(f"shape {got.shape}, want {want.shape}")
    got, want = got.astype(np.float64), want.astype(np.float64)
    same = (got == want) | (np.isnan(got) & np.isnan(want))
    with np.errstate(invalid="ignore"):
        error = np.where(same, 0, np.abs(got - want) / (1 + np.abs(want)))
    return np.nan_to_num(error, nan=np.inf).max(initial=0.0)


def check(path, tolerance, recompute, write):
    """Compares one file; tolerance is a number, or a function of an array's name."""
    with np.load(ROOT / path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    worst, at, count, faults = 0.0, "-", 0, []
    new = dict(arrays)
    for name, value in recompute(dict(arrays)):
        want, value = arrays[name], as_array(value)
        allowed = tolerance(name) if callable(tolerance) else tolerance
        if want.dtype.kind in "iub":
            allowed = 0
        error = difference(value, want)
        count += 1
        if error > worst:
            worst, at = error, name
        if error > allowed:
            faults.append(f"{name}: off by {error:.3g}, allowed {allowed:g}")
        new[name] = value.astype(want.dtype)
    print(f"{path}: {count} arrays recomputed, {len(arrays) - count} inputs; largest difference {worst:.2g} ({at})")
    for fault in faults:
        print("  " + fault)
    if write:
        np.savez_compressed(ROOT / path, **new)
    return not faults and count > 0


def main():
    parser = argparse.ArgumentParser(description="Recompute the tests' reference arrays.")
    parser.add_argument("scripts", nargs="*", default=SCRIPTS, metavar="SCRIPT", help=" ".join(SCRIPTS))
    parser.add_argument("--write", action="store_true", help="replace the arrays by the recomputed ones")
    args = parser.parse_args()
    good = True
    for script in args.scripts:
        module = importlib.import_module(script)
        for path, (tolerance, recompute) in module.FILES.items():
            good &= check(path, tolerance, recompute, args.write)
        for name, verify in getattr(module, "CHECKS", {}).items():
            fault = verify(ROOT)
            print(f"{name}: {fault or 'agrees'}")
            good &= not fault
    sys.exit(not good)


if __name__ == "__main__":
    main()
