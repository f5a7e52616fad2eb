package config

import (
	"fmt"
	"slices"
)

// Methods are the synthesisers that model.outlier.method can name.
var Methods = []string{"none", "flow", "flow-langevin", "gaussian"}

// Validate returns an error that names the first key whose value is impossible, and what it may be.
func (c Config) Validate() error {
	m, in, t := c.Model, c.Input, c.Train
	for _, check := range []struct {
		ok      bool
		key     string
		value   any
		meaning string
	}{
		{len(m.Classes) > 0, "model.classes", m.Classes, "must name at least one inlier class"},
		{distinct(m.Classes), "model.classes", m.Classes, "must not name a class twice"},
		{m.Backbone.Family == "regnet" || m.Backbone.Family == "resnet", "model.backbone.family", m.Backbone.Family, "must be regnet or resnet"},
		{m.Backbone.Norm == "frozen_bn" || m.Backbone.Norm == "group_norm", "model.backbone.norm", m.Backbone.Norm, "must be frozen_bn or group_norm"},
		{m.FPNChannels > 0, "model.fpn_channels", m.FPNChannels, "must be positive"},
		{m.FPNNorm == "" || m.FPNNorm == "group_norm", "model.fpn_norm", m.FPNNorm, "must be empty or group_norm"},
		{len(m.RPN.AnchorSizes) == 5 && positive(m.RPN.AnchorSizes), "model.rpn.anchor_sizes", m.RPN.AnchorSizes, "must be five positive sizes in pixels, for p2..p6"},
		{len(m.RPN.AnchorRatios) > 0 && positive(m.RPN.AnchorRatios), "model.rpn.anchor_ratios", m.RPN.AnchorRatios, "must be positive"},
		{m.RPN.BatchPerImage > 0, "model.rpn.batch_per_image", m.RPN.BatchPerImage, "must be positive"},
		{fraction(m.RPN.PositiveFraction), "model.rpn.positive_fraction", m.RPN.PositiveFraction, "must be above 0 and at most 1"},
		{m.RPN.PreNMSTrain > 0, "model.rpn.pre_nms_train", m.RPN.PreNMSTrain, "must be positive"},
		{m.RPN.PreNMSTest > 0, "model.rpn.pre_nms_test", m.RPN.PreNMSTest, "must be positive"},
		{m.RPN.PostNMSTrain > 0, "model.rpn.post_nms_train", m.RPN.PostNMSTrain, "must be positive"},
		{m.RPN.PostNMSTest > 0, "model.rpn.post_nms_test", m.RPN.PostNMSTest, "must be positive"},
		{fraction(m.RPN.NMS), "model.rpn.nms", m.RPN.NMS, "must be above 0 and at most 1"},
		{m.ROI.BatchPerImage > 0, "model.roi.batch_per_image", m.ROI.BatchPerImage, "must be positive"},
		{fraction(m.ROI.PositiveFraction), "model.roi.positive_fraction", m.ROI.PositiveFraction, "must be above 0 and at most 1"},
		{m.ROI.FCDim > 0 && m.ROI.FCDim%2 == 0, "model.roi.fc_dim", m.ROI.FCDim, "must be positive and even: the flow splits it in halves"},
		{m.ROI.ScoreThreshold >= 0 && m.ROI.ScoreThreshold < 1, "model.roi.score_threshold", m.ROI.ScoreThreshold, "must be at least 0 and under 1"},
		{fraction(m.ROI.NMS), "model.roi.nms", m.ROI.NMS, "must be above 0 and at most 1"},
		{m.ROI.Detections > 0, "model.roi.detections", m.ROI.Detections, "must be positive"},
		{m.Flow.Blocks > 0, "model.flow.blocks", m.Flow.Blocks, "must be positive"},
		{m.Flow.Hidden > 0, "model.flow.hidden", m.Flow.Hidden, "must be positive"},
		{m.Flow.Clamp > 0, "model.flow.clamp", m.Flow.Clamp, "must be positive"},
		{slices.Contains(Methods, m.Outlier.Method), "model.outlier.method", m.Outlier.Method, fmt.Sprintf("must be one of %v", Methods)},
		{m.Outlier.StartIter >= 0, "model.outlier.start_iter", m.Outlier.StartIter, "must not be negative"},
		{m.Outlier.SampleFrom > 0, "model.outlier.sample_from", m.Outlier.SampleFrom, "must be positive"},
		{m.Outlier.Select > 0 && m.Outlier.Select <= m.Outlier.SampleFrom, "model.outlier.select", m.Outlier.Select, "must be positive and at most sample_from"},
		{m.Outlier.Queue > 0, "model.outlier.queue", m.Outlier.Queue, "must be positive"},
		{m.Outlier.MaxSteps > 0, "model.outlier.max_steps", m.Outlier.MaxSteps, "must be positive"},
		{m.Loss.Energy >= 0, "model.loss.energy", m.Loss.Energy, "must not be negative"},
		{m.Loss.NLL >= 0, "model.loss.nll", m.Loss.NLL, "must not be negative"},
		{len(in.MinSizeTrain) > 0 && slices.Min(in.MinSizeTrain) > 0, "input.min_size_train", in.MinSizeTrain, "must be positive sizes in pixels"},
		{in.MaxSizeTrain > 0, "input.max_size_train", in.MaxSizeTrain, "must be positive"},
		{in.MinSizeTest > 0, "input.min_size_test", in.MinSizeTest, "must be positive"},
		{in.MaxSizeTest > 0, "input.max_size_test", in.MaxSizeTest, "must be positive"},
		{canvases(in.Canvases), "input.canvases", in.Canvases, "must be [height, width] pairs of positive multiples of 32"},
		{in.MaxBoxes > 0, "input.max_boxes", in.MaxBoxes, "must be positive"},
		{len(in.PixelMean) == 3, "input.pixel_mean", in.PixelMean, "must be three values (blue, green, red)"},
		{len(in.PixelStd) == 3 && positive(in.PixelStd), "input.pixel_std", in.PixelStd, "must be three positive values (blue, green, red)"},
		{t.ImagesPerStep > 0, "train.images_per_step", t.ImagesPerStep, "must be positive"},
		{t.Optimizer == "sgd" || t.Optimizer == "adamw", "train.optimizer", t.Optimizer, "must be sgd or adamw"},
		{t.BaseLR > 0, "train.base_lr", t.BaseLR, "must be positive"},
		{t.FlowLRFactor >= 0, "train.flow_lr_factor", t.FlowLRFactor, "must not be negative (0 stands for 1)"},
		{t.Momentum >= 0 && t.Momentum < 1, "train.momentum", t.Momentum, "must be at least 0 and under 1"},
		{t.WeightDecay >= 0, "train.weight_decay", t.WeightDecay, "must not be negative"},
		{t.Decay == "steps" || t.Decay == "cosine", "train.decay", t.Decay, "must be steps or cosine"},
		{slices.IsSorted(t.Steps), "train.steps", t.Steps, "must ascend"},
		{t.MaxIter > 0, "train.max_iter", t.MaxIter, "must be positive"},
		{t.WarmupIters >= 0, "train.warmup_iters", t.WarmupIters, "must not be negative"},
		{t.CheckpointEvery > 0, "train.checkpoint_every", t.CheckpointEvery, "must be positive"},
		{t.KeepCheckpoints > 0, "train.keep_checkpoints", t.KeepCheckpoints, "must be positive"},
		{t.ClipNorm >= 0, "train.clip_norm", t.ClipNorm, "must not be negative (0 does not clip)"},
	} {
		if !check.ok {
			return fmt.Errorf("%s: %v %s", check.key, check.value, check.meaning)
		}
	}
	return nil
}

func fraction(x float64) bool { return x > 0 && x <= 1 }

func positive(xs []float64) bool {
	return !slices.ContainsFunc(xs, func(x float64) bool { return !(x > 0) })
}

func distinct(names []string) bool {
	seen := map[string]bool{}
	for _, name := range names {
		if seen[name] {
			return false
		}
		seen[name] = true
	}
	return true
}

func canvases(sizes [][2]int) bool {
	for _, s := range sizes {
		if s[0] <= 0 || s[1] <= 0 || s[0]%32 != 0 || s[1]%32 != 0 {
			return false
		}
	}
	return len(sizes) > 0
}
