"""Makes features.npz, the reference of TestFeaturesAreTheLibraries: what timm, torchvision and pycls
compute from one RGB image, each with its own normalisation.

    pip install torch==2.15.0 torchvision==0.29.1 timm==1.0.31
    pip install --no-deps pycls==0.1.1 yacs simplejson iopath portalocker
    python features.py

For each network NAME the file holds NAME.parameters, the names and shapes of its parameters as lines
of text, and NAME.s1 to NAME.s4, every eleventh number of its feature maps (NCHW) at the strides 4 to 32.
The parameters themselves are no part of the file: both sides compute them (see values).
"""
import numpy as np
import timm
import torch
import torchvision

HEIGHT, WIDTH, KEPT = 64, 96, 11
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def values(p, name, shape):
    """The p-th parameter: number i is made of a hash of i and p, uniform in [-1, 1)."""
    n = int(np.prod(shape))
    h = np.arange(n, dtype=np.uint32) + np.uint32(p * 0x9E3779B1 & 0xFFFFFFFF)
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B), (16, 1)):
        h = (h ^ (h >> np.uint32(shift))) * np.uint32(factor)
    x = (h >> np.uint32(8)).astype(np.float64) / 2**23 - 1
    if len(shape) > 1:
        x *= np.sqrt(6 / (n / shape[0]))
    elif name.endswith("running_var") or name.endswith("weight"):
        x = 0.75 + 0.25 * x
    else:
        x *= 0.2
    return torch.from_numpy(x.astype(np.float32).reshape(shape))


def pycls_models():
    from pycls.core.config import cfg, reset_cfg
    from pycls.models.anynet import AnyNet
    from pycls.models.regnet import RegNet

    cfg.MODEL.NUM_CLASSES = 2
    cfg.REGNET.merge_from_list(["SE_ON", True, "DEPTH", 13, "W0", 24, "WA", 36.44, "WM", 2.49, "GROUP_W", 8])
    yield "pycls.RegNetY-200MF", RegNet()
    reset_cfg()
    cfg.MODEL.NUM_CLASSES = 2
    cfg.ANYNET.merge_from_list([  # configs/dds_baselines/resnet/R-50-1x64d_dds_8gpu.yaml
        "STEM_TYPE", "res_stem_in", "STEM_W", 64, "BLOCK_TYPE", "res_bottleneck_block", "STRIDES", [1, 2, 2, 2],
        "DEPTHS", [3, 4, 6, 3], "WIDTHS", [256, 512, 1024, 2048], "BOT_MULS", [0.25] * 4, "GROUP_WS", [64, 128, 256, 512]])
    yield "pycls.ResNet-50", AnyNet()


def models():
    """Yields a name, the network, its four stages, and whether its first channel is red."""
    for name in ("regnetx_002", "regnety_002", "resnet50"):
        net = timm.create_model(name, num_classes=2)
        assert net.default_cfg["mean"] == MEAN and net.default_cfg["std"] == STD
        stages = [getattr(net, ("layer" if name == "resnet50" else "s") + str(i)) for i in range(1, 5)]
        yield "timm." + name, net, stages, True
    for name in ("regnet_x_400mf", "regnet_y_400mf", "resnet50"):
        net = getattr(torchvision.models, name)(num_classes=2)
        stages = [getattr(net, f"layer{i}") for i in range(1, 5)] if name == "resnet50" else list(net.trunk_output)
        yield "torchvision." + name, net, stages, True
    for name, net in pycls_models():
        yield name, net, [net.s1, net.s2, net.s3, net.s4], False


def main():
    image = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    arrays = {"image": image}
    for name, net, stages, rgb in models():
        pixels = (torch.from_numpy(image).float() / 255 - torch.tensor(MEAN)) / torch.tensor(STD)
        x = pixels.permute(2, 0, 1)[None]
        if not rgb:
            x = x.flip(1)
        state = {k: v for k, v in net.state_dict().items() if v.is_floating_point()}
        net.load_state_dict({k: values(p, k, v.shape) for p, (k, v) in enumerate(state.items())}, strict=False)
        for i, stage in enumerate(stages):
            def keep(module, inputs, y, key=f"{name}.s{i + 1}"):
                arrays[key] = y.detach().numpy().reshape(-1)[::KEPT]
                print(key, tuple(y.shape), f"mean {y.mean():.3g} standard deviation {y.std():.3g}")
            stage.register_forward_hook(keep)
        net.eval()
        with torch.no_grad():
            net(x)
        lines = "".join(f"{k} {' '.join(map(str, v.shape))}\n" for k, v in state.items())
        arrays[name + ".parameters"] = np.frombuffer(lines.encode(), np.uint8)
    np.savez_compressed("features.npz", **arrays)


main()
