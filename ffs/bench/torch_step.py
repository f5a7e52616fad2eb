"""The same work as "ffs bench step", "infer" and "flow" in PyTorch: torchvision's Faster R-CNN with a
RegNetX-4.0GF, detectron2's settings, and the flow. Prints one line of JSON.

    pip install torch==2.15.0 torchvision==0.29.1
    python torch_step.py --part step --height 320 --width 416 [--channels-last]

On a GPU: --device cuda, with --tf32 or --autocast for the faster kinds of products.
"""
import argparse
import contextlib
import json
import math
import os
import statistics
import time
from collections import OrderedDict

import torch
import torch.nn.functional as F
import torchvision
from torch import nn
from torchvision.models._utils import IntermediateLayerGetter
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.regnet import BlockParams, RegNet
from torchvision.ops import FeaturePyramidNetwork, MultiScaleRoIAlign
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool
from torchvision.ops.misc import FrozenBatchNorm2d

FEATURES, HIDDEN, DRAWN, FLOW_ROWS = 1024, 2048, 200, 512
WIDTHS, DEPTHS = [80, 240, 560, 1360], [2, 5, 14, 2]


class Backbone(nn.Module):
    """RegNetX-4.0GF at strides 4 to 32, stem and first stage frozen, and its pyramid."""

    out_channels = 256

    def __init__(self):
        super().__init__()
        design = BlockParams(DEPTHS, WIDTHS, [40] * 4, [1.0] * 4, [2] * 4)
        net = RegNet(design, num_classes=1, stem_width=32, norm_layer=FrozenBatchNorm2d)
        stages = OrderedDict(stem=net.stem)
        for i, stage in enumerate(net.trunk_output):
            stages[f"s{i + 1}"] = stage
        self.stages = IntermediateLayerGetter(nn.Sequential(stages), {f"s{i}": f"s{i}" for i in range(1, 5)})
        self.stages["stem"].requires_grad_(False)
        self.stages["s1"].requires_grad_(False)
        self.pyramid = FeaturePyramidNetwork(WIDTHS, self.out_channels, extra_blocks=LastLevelMaxPool())

    def forward(self, x):
        return self.pyramid(self.stages(x))


class Coupling(nn.Module):
    """A GLOW coupling block: each half scales and shifts the other."""

    def __init__(self, features):
        super().__init__()
        half = features // 2
        self.first, self.second = (nn.Sequential(nn.Linear(half, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2 * half)) for _ in range(2))

    def terms(self, net, x):
        scale, shift = net(x).chunk(2, 1)
        return 2 * 0.636 * torch.atan(scale), shift

    def forward(self, x):
        a, b = x.chunk(2, 1)
        s2, t2 = self.terms(self.second, b)
        a = s2.exp() * a + t2
        s1, t1 = self.terms(self.first, a)
        return torch.cat([a, s1.exp() * b + t1], 1), (s1 + s2).sum(1)

    def inverse(self, y):
        a, b = y.chunk(2, 1)
        s1, t1 = self.terms(self.first, a)
        b = (b - t1) * (-s1).exp()
        s2, t2 = self.terms(self.second, b)
        return torch.cat([(a - t2) * (-s2).exp(), b], 1)


class Flow(nn.Module):
    """Two coupling blocks, each followed by a fixed permutation."""

    def __init__(self, features=FEATURES):
        super().__init__()
        self.blocks = nn.ModuleList(Coupling(features) for _ in range(2))
        for i in range(2):
            self.register_buffer(f"order{i}", torch.randperm(features))

    def forward(self, x):
        total = 0
        for i, block in enumerate(self.blocks):
            x, logdet = block(x)
            x, total = x[:, getattr(self, f"order{i}")], total + logdet
        return x, total

    def sample(self, z):
        """The features of latents, and the likelihood of these as the original computes it: by
        another pass forward."""
        x = z
        for i in (1, 0):
            x = self.blocks[i].inverse(x[:, getattr(self, f"order{i}").argsort()])
        return x, nll(z, self(x)[1])


def nll(z, logdet):
    return 0.5 * (z ** 2 + math.log(2 * math.pi)).sum(1) - logdet


class Detector(nn.Module):
    """The detector with what FFS adds: the flow, the weights of the energy and the logistic layer."""

    def __init__(self, height, width, classes):
        super().__init__()
        self.rcnn = FasterRCNN(
            Backbone(), classes + 1, min_size=min(height, width), max_size=max(height, width),
            rpn_anchor_generator=AnchorGenerator(((32,), (64,), (128,), (256,), (512,)), ((0.5, 1.0, 2.0),) * 5),
            box_roi_pool=MultiScaleRoIAlign(["s1", "s2", "s3", "s4"], output_size=7, sampling_ratio=0),
            rpn_pre_nms_top_n_train=2000, rpn_pre_nms_top_n_test=1000, rpn_post_nms_top_n_train=1000)
        self.flow, self.logistic = Flow(), nn.Linear(1, 2)
        self.energy_weight = nn.Parameter(torch.rand(classes))
        self.predictor = self.rcnn.roi_heads.box_predictor
        self.predictor.register_forward_hook(self.remember)

    def remember(self, module, inputs, outputs):
        self.features, self.scores = inputs[0], outputs[0]

    def energy(self, scores):
        inliers = scores[:, 1:]  # the background is torchvision's first class
        top = inliers.max(1, keepdim=True).values
        return top[:, 0] + torch.log((F.relu(self.energy_weight) * (inliers - top).exp()).sum(1))

    def loss(self, images, targets):
        losses = self.rcnn(images, targets)
        features, scores = self.features, self.scores
        inliers = slice(0, max(8, len(features) // 4))  # as many rows as the sampled foreground
        losses["nll"] = 1e-4 * nll(*self.flow(features[inliers].detach())).mean()
        with torch.no_grad():
            samples, likely = self.flow.sample(torch.randn(DRAWN, FEATURES, device=features.device))
            outlier = samples[likely.topk(1).indices]
        energies = torch.cat([self.energy(scores[inliers]), self.energy(self.predictor.cls_score(outlier))])
        labels = torch.ones(len(energies), dtype=torch.int64, device=features.device)
        labels[-1] = 0
        losses["energy"] = 0.1 * F.cross_entropy(self.logistic(energies[:, None]), labels)
        return sum(losses.values())


def flow_call(args):
    flow = Flow().to(args.device)
    optimizer = torch.optim.SGD(flow.parameters(), 1e-3, momentum=0.9)
    features = torch.randn(FLOW_ROWS, FEATURES, device=args.device).relu()

    def call():
        optimizer.zero_grad()
        with precision(args):
            loss = nll(*flow(features)).mean()
        loss.backward()
        optimizer.step()
        with torch.no_grad(), precision(args):
            flow.sample(torch.randn(DRAWN, FEATURES, device=args.device))

    return call


def detector_call(args):
    detector = Detector(args.height, args.width, args.classes).to(args.device)
    if args.channels_last:
        detector = detector.to(memory_format=torch.channels_last)
    images = list(torch.rand(args.batch, 3, args.height, args.width, device=args.device))
    if args.part == "infer":
        detector.eval()

        def call():
            with torch.no_grad(), precision(args):
                detector.rcnn(images)

        return call
    boxes = torch.tensor([[20.0, 30, 120, 160], [100, 80, 260, 240], [10, 10, 60, 60]], device=args.device)
    targets = [{"boxes": boxes, "labels": torch.tensor([1, 2, 3], device=args.device)} for _ in images]
    trained = [p for p in detector.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(trained, 1e-3, momentum=0.9, weight_decay=5e-5)

    def call():
        optimizer.zero_grad()
        with precision(args):
            loss = detector.loss(images, targets)
        loss.backward()
        optimizer.step()

    return call


def precision(args):
    return torch.autocast(args.device, torch.bfloat16) if args.autocast else contextlib.nullcontext()


def main():
    parser = argparse.ArgumentParser(description="Measure one FFS step, a detection or the flow in PyTorch.")
    parser.add_argument("--part", choices=("step", "infer", "flow"), default="step")
    parser.add_argument("--height", type=int, default=320)
    parser.add_argument("--width", type=int, default=416)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--classes", type=int, default=20)
    parser.add_argument("--steps", type=int, default=5, help="measured calls, after one that is not")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="default: the cores that the process may use")
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--tf32", action="store_true")
    parser.add_argument("--autocast", action="store_true", help="bfloat16 where autocast has it")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = args.tf32
    torch.backends.cudnn.benchmark = args.device == "cuda"
    call = flow_call(args) if args.part == "flow" else detector_call(args)
    seconds = []
    for _ in range(args.steps + 1):
        start = time.perf_counter()
        call()
        if args.device == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    first, seconds = seconds[0], seconds[1:]
    print(json.dumps({
        "part": args.part, "height": args.height, "width": args.width, "batch": args.batch, "device": args.device,
        "channels_last": args.channels_last, "tf32": args.tf32, "autocast": args.autocast, "threads": args.threads,
        "torch": torch.__version__, "torchvision": torchvision.__version__, "first_s": first,
        "median_s": statistics.median(seconds), "min_s": min(seconds), "max_s": max(seconds)}))


if __name__ == "__main__":
    main()
