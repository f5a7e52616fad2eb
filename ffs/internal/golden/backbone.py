"""A RegNet (Radosavovic et al., CVPR 2020) with frozen batch norm and its feature pyramid (Lin et al.,
CVPR 2017), under detectron2's names, and the designs that RegNets' parameters come to."""
import json
import math

import torch
import torch.nn.functional as F

from flow import parameters

GROUP_WIDTH = 8


def norm(p, name, x):
    return F.batch_norm(x, p[name + ".running_mean"].detach(), p[name + ".running_var"].detach(), p[name + ".weight"], p[name + ".bias"], eps=1e-5)


def block(p, name, x, stride):
    conv = lambda part, y, **options: F.conv2d(y, p[f"{name}.{part}.weight"], **options)
    y = torch.relu(norm(p, name + ".f.a_bn", conv("f.a", x)))
    groups = y.shape[1] // p[name + ".f.b.weight"].shape[1]
    y = torch.relu(norm(p, name + ".f.b_bn", conv("f.b", y, stride=stride, padding=1, groups=groups)))
    y = norm(p, name + ".f.c_bn", conv("f.c", y))
    if name + ".proj.weight" in p:
        x = norm(p, name + ".bn", conv("proj", x, stride=stride))
    return torch.relu(x + y)


def bottom_up(p, image, scope="bottom_up."):
    """Yields the stem's and the four stages' names and maps."""
    x = F.conv2d(image, p[scope + "stem.conv.weight"], stride=2, padding=1)
    x = torch.relu(norm(p, scope + "stem.bn", x))
    yield "stem", x
    for stage in range(1, 5):
        i = 1
        while f"{scope}s{stage}.b{i}.f.a.weight" in p:
            x = block(p, f"{scope}s{stage}.b{i}", x, 2 if i == 1 else 1)
            i += 1
        if stage == 1:  # the stem and the first stage are frozen
            x = x.detach()
        yield f"s{stage}", x


def pyramid(p, stages, scope=""):
    """The maps p2..p6 of the stages s1..s4."""
    conv = lambda name, x, **options: F.conv2d(x, p[f"{scope}{name}.weight"], p[f"{scope}{name}.bias"], **options)
    maps, above = [], None
    for level in (5, 4, 3, 2):
        lateral = conv(f"fpn_lateral{level}", stages[level - 2])
        above = lateral if above is None else lateral + F.interpolate(above, scale_factor=2.0, mode="nearest")
        maps.insert(0, conv(f"fpn_output{level}", above, padding=1))
    return maps + [F.max_pool2d(maps[-1], 1, stride=2)]


def recompute(g):
    p = parameters(g)
    named = list(bottom_up(p, torch.from_numpy(g["image"])))
    yield from named
    maps = pyramid(p, [x for _, x in named[1:]])
    levels = ["p2", "p3", "p4", "p5", "p6"]
    yield from zip(levels, maps)
    scalar = sum((x * torch.from_numpy(g["gradw." + n])).sum() for n, x in zip(levels, maps))
    yield "grad_scalar", scalar
    scalar.backward()
    for name, v in p.items():
        if "grad." + name in g:
            yield "grad." + name, v.grad


def design(depth, w_a, w_0, w_m, group_width, stem_width=None, se_ratio=0.0):
    """Widths, depths and group widths of the stages. Python rounds halves to even."""
    widths, depths = [], []
    for j in range(depth):
        power = round(math.log((w_0 + w_a * j) / w_0) / math.log(w_m))
        width = round(w_0 * w_m ** power / 8) * 8
        if not widths or width != widths[-1]:
            widths.append(width)
            depths.append(0)
        depths[-1] += 1
    groups = [min(group_width, w) for w in widths]
    adjusted = [round(w / g) * g for w, g in zip(widths, groups)]
    inputs = [stem_width] + adjusted[:-1]
    return {
        "widths_before_adjust": widths, "depths": depths, "widths": adjusted, "group_widths": groups,
        "bottleneck_widths": adjusted, "groups": [w // g for w, g in zip(adjusted, groups)],
        "se_channels_first_block": [round(se_ratio * w) for w in inputs],
        "se_channels_other_blocks": [round(se_ratio * w) for w in adjusted],
    }


def designs(root):
    """Compares the designs of regnet.json; its lists of a whole model's parameters need detectron2."""
    reference = json.loads((root / "ffs/backbone/testdata/regnet.json").read_text())
    named = {k: v for k, v in reference.items() if isinstance(v, dict) and "params" in v}
    for name, want in named.items():
        for key, value in design(**want["params"]).items():
            if value != want[key]:
                return f"{name}: {key} {value}, want {want[key]}"
    return None if named else "holds no designs"


FILES = {"ffs/backbone/testdata/backbone.npz": (lambda name: 1e-3 if name.startswith("grad") else 1e-4, recompute)}
CHECKS = {"ffs/backbone/testdata/regnet.json, designs": designs}
