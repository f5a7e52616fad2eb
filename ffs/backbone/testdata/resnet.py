"""Makes resnet.npz, the reference of TestResNetMatchesPyTorch: python resnet.py (numpy and torch 2.x).

A ResNet-50 of stem width 4 written out with torch.nn.functional under detectron2's names. Parameters are no part of the file: both sides compute them,
value i of the p-th parameter in alphabetical order (OIHW kernels) from sin(0.1 (i+1) (p+1)).
"""
import math

import numpy as np
import torch
import torch.nn.functional as F

STEM, DEPTHS = 4, (3, 4, 6, 3)


def shapes():
    out = {}

    def conv(name, cin, cout, k):
        out[name + ".weight"] = (cout, cin, k, k)
        for p in ("weight", "bias", "running_mean", "running_var"):
            out[f"{name}.norm.{p}"] = (cout,)

    conv("stem.conv1", 3, STEM, 7)
    cin = STEM
    for i, depth in enumerate(DEPTHS):
        width = STEM << i
        for j in range(depth):
            at = f"res{i + 2}.{j}"
            if j == 0:
                conv(at + ".shortcut", cin, 4 * width, 1)
            conv(at + ".conv1", cin, width, 1)
            conv(at + ".conv2", width, width, 3)
            conv(at + ".conv3", width, 4 * width, 1)
            cin = 4 * width
    return out


def parameters():
    params = {}
    for p, (name, shape) in enumerate(sorted(shapes().items())):
        n = math.prod(shape)
        v = np.sin(0.1 * np.arange(1, n + 1, dtype=np.float64) * (p + 1))
        if len(shape) == 4:
            v *= math.sqrt(2 / (n / shape[0]))
        elif name.endswith("running_var") or name.endswith("norm.weight"):
            v = 1 + 0.3 * v
        else:
            v *= 0.2
        params[name] = torch.tensor(v.reshape(shape), dtype=torch.float32)
    return params


def run(params, x, stride_in_1x1):
    def conv(name, x, stride, padding):
        x = F.conv2d(x, params[name + ".weight"], stride=stride, padding=padding)
        n = name + ".norm."
        return F.batch_norm(x, params[n + "running_mean"], params[n + "running_var"], params[n + "weight"], params[n + "bias"], eps=1e-5)

    x = F.max_pool2d(F.relu(conv("stem.conv1", x, 2, 3)), 3, 2, 1)
    outputs = [x]
    for i, depth in enumerate(DEPTHS):
        for j in range(depth):
            at, stride = f"res{i + 2}.{j}", 2 if i > 0 and j == 0 else 1
            first, second = (stride, 1) if stride_in_1x1 else (1, stride)
            y = F.relu(conv(at + ".conv1", x, first, 0))
            y = F.relu(conv(at + ".conv2", y, second, 1))
            y = conv(at + ".conv3", y, 1, 0)
            if j == 0:
                x = conv(at + ".shortcut", x, stride, 0)
            x = F.relu(x + y)
        outputs.append(x)
    return outputs


def main():
    torch.manual_seed(0)
    arrays = {"image": torch.randn(1, 3, 64, 64)}
    params = parameters()
    for where in ("1x1", "3x3"):
        image = arrays["image"].clone().requires_grad_()
        kernel = params["res3.0.conv2.weight"].clone().requires_grad_()
        outputs = run(params | {"res3.0.conv2.weight": kernel}, image, where == "1x1")
        sum((o * torch.cos(torch.arange(o.numel()).reshape(o.shape).float())).sum() for o in outputs).backward()
        for name, o in zip(("stem", "res2", "res3", "res4", "res5"), outputs):
            arrays[f"{where}.{name}"] = o.detach()
        arrays[f"{where}.grad.image"], arrays[f"{where}.grad.res3.0.conv2.weight"] = image.grad, kernel.grad
    arrays["names"] = torch.tensor(len(params))
    np.savez_compressed("resnet.npz", **{k: v.numpy() for k, v in arrays.items()})


main()
