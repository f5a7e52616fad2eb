"""What Python reads from the checkpoints of other programs. The files themselves stay as torch 2.7.1
and NumPy 1 and 2 wrote them: torch.save does not give the same bytes twice."""
import pathlib
import pickle

import numpy as np
import torch

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "checkpoint/testdata"


def tensors(name):
    """The tensors of a .pth file, under a key or at its top. torch's safe reader does not know
    pickle's protocol 4; the files here are known."""
    read = torch.load(FOLDER / name, map_location="cpu", weights_only="protocol4" not in name)
    return read.get("model", read) if not all(torch.is_tensor(v) for v in read.values()) else read


def widened(t):
    t = t.detach()
    return (t.float() if t.dtype == torch.bfloat16 else t).numpy()


def containers(g):
    files = [tensors(n) for n in ("zip.pth", "zip_bare_state_dict.pth", "zip_protocol4.pth", "legacy.pth")]
    for name, t in files[0].items():
        for other in files[1:]:
            if not (name in other and torch.equal(other[name], t) and other[name].stride() == t.stride()):
                raise ValueError(f"the containers differ in {name}")
        yield name, widened(t)
        yield name + "#dtype", np.frombuffer(str(t.dtype).encode(), np.uint8)
        yield name + "#stride", np.array(t.stride(), np.int64)


def state_dicts(g):
    for name, t in tensors("zip_state_dict_with_metadata.pth").items():
        if not torch.equal(t, tensors("legacy_state_dict_with_metadata.pth")[name]):
            raise ValueError(f"the containers differ in {name}")
        yield name, widened(t)


def unpickle(name, **options):
    """One of the files listed here, which are known; never one of somebody else's."""
    with open(FOLDER / name, "rb") as f:
        return pickle.load(f, **options)


def pickles(g):
    files = [unpickle(n)["model"] for n in ("detectron2.pkl", "detectron2_protocol2.pkl", "detectron2_numpy2_protocol4.pkl")]
    for name, value in files[0].items():
        for other in files[1:]:
            if not np.array_equal(other[name], value):
                raise ValueError(f"the protocols differ in {name}")
        yield name, value


def caffe2(g):
    read = unpickle("caffe2_blobs.pkl", encoding="latin1")
    for name, value in read.get("blobs", read).items():
        if name in g:
            yield name, value


FILES = {
    "ffs/checkpoint/testdata/expected_pth.npz": (0, containers),
    "ffs/checkpoint/testdata/expected_state_dict_with_metadata.npz": (0, state_dicts),
    "ffs/checkpoint/testdata/expected_pkl.npz": (0, pickles),
    "ffs/checkpoint/testdata/expected_caffe2.npz": (0, caffe2),
}
