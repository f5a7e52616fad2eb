"""Makes efficientnet.npz, the reference of TestEfficientNetLiteMatchesPyTorch.

    python efficientnet.py    (numpy, torch 2.x, efficientnet_lite_pytorch 0.1.0)

The features of an EfficientNet-Lite0 at strides 4 to 32 for a small image in RGB, and two gradients.
Parameters are no part of the file: both sides compute them, value i of the p-th parameter in
alphabetical order (OIHW kernels) from sin(0.1 (i+1) (p+1)).
"""
import math

import numpy as np
import torch
from efficientnet_lite_pytorch import EfficientNet

LAST = {2: "s4", 4: "s8", 10: "s16", 15: "s32"}  # the last block at each stride
GRADIENTS = ("_conv_stem.weight", "_blocks.3._depthwise_conv.weight", "_blocks.8._expand_conv.weight")


def is_feature(name):
    return not name.startswith(("_conv_head", "_bn1.", "_fc")) and "num_batches_tracked" not in name


def parameters(model):
    names = sorted(name for name in model.state_dict() if is_feature(name))
    for p, name in enumerate(names):
        target = model.state_dict()[name]
        n = target.numel()
        v = np.sin(0.1 * np.arange(1, n + 1, dtype=np.float64) * (p + 1))
        if target.dim() == 4:
            v *= math.sqrt(2 / (n / target.shape[0]))
        elif name.endswith("running_var") or "_bn" in name and name.endswith(".weight"):
            v = 1 + 0.3 * v
        else:
            v *= 0.2
        target.copy_(torch.tensor(v.reshape(target.shape), dtype=torch.float32))
    return len(names)


def main():
    model = EfficientNet.from_name("efficientnet-lite0").eval()
    with torch.no_grad():
        count = parameters(model)
    torch.manual_seed(0)
    image = torch.randn(1, 3, 64, 96)
    x = model._swish(model._bn0(model._conv_stem(image)))
    arrays, outputs = {"image": image, "parameters": torch.tensor(count)}, []
    for i, block in enumerate(model._blocks):
        x = block(x)
        if i in LAST:
            arrays[LAST[i]] = x.detach()
            outputs.append(x)
    sum((o * torch.cos(torch.arange(o.numel()).reshape(o.shape).float())).sum() for o in outputs).backward()
    for name in GRADIENTS:
        arrays["grad." + name] = dict(model.named_parameters())[name].grad
    np.savez_compressed("efficientnet.npz", **{k: v.numpy() for k, v in arrays.items()})


main()
