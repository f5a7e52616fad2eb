package config

import (
	"fmt"
	"maps"
	"slices"

	"ffslab/data"
	"ffslab/ffs/internal/check"
	"ffslab/ffs/loss"
)

// Validate returns an error that names the first key whose value is impossible, and what it may be.
func (c Config) Validate() error {
	m := c.Model
	for _, section := range []struct {
		prefix string
		err    error
	}{
		{"model.", m.validate()},
		{"model.backbone.", c.registered(partFamily, m.Pyramid().Validate())},
		{"model.rpn.", m.Proposals().Validate()},
		{"model.roi.", m.Heads().Validate()},
		{"model.flow.", m.Density().Validate()},
		{"model.outlier.", c.registered(partMethod, m.Synthesis().Validate())},
		{"model.loss.", c.validateLoss()},
		{"input.", c.Input.validate()},
		{"train.", c.Train.validate()},
		{"train.", c.registered(partOptimizer, c.Train.validateOptimizer())},
	} {
		if section.err != nil {
			return fmt.Errorf("%s%w", section.prefix, section.err)
		}
	}
	return nil
}

func (m Model) validate() error {
	return check.First(
		check.Rule{OK: len(m.Classes) > 0, Key: "classes", Value: m.Classes, Meaning: "must name at least one inlier class"},
		check.Rule{OK: distinct(m.Classes), Key: "classes", Value: m.Classes, Meaning: "must not name a class twice"},
		check.AtLeastOne("fpn_channels", m.FPNChannels),
		check.Rule{OK: m.FPNNorm == "" || m.FPNNorm == "group_norm", Key: "fpn_norm", Value: m.FPNNorm, Meaning: "must be empty or group_norm"},
	)
}

func (c Config) validateLoss() error {
	l := c.Model.Loss
	if err := check.First(check.NotNegative("energy", l.Energy), check.NotNegative("nll", l.NLL)); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(l.Terms)) {
		if err := check.First(check.NotNegative(name, l.Terms[name].Weight)); err != nil {
			return err
		}
		if l.Terms[name].Weight == 0 && len(l.Terms[name].Options) > 0 {
			return fmt.Errorf("%s: options without a weight do nothing: set %s.weight", name, name)
		}
		if _, err := loss.New(name, l.Terms[name].Options); err != nil {
			return c.registered(partTerm+name, err)
		}
	}
	return nil
}

func (in Input) validate() error {
	return check.First(
		check.Rule{OK: len(in.MinSizeTrain) > 0 && slices.Min(in.MinSizeTrain) > 0, Key: "min_size_train", Value: in.MinSizeTrain, Meaning: "must be positive sizes in pixels"},
		check.AtLeastOne("max_size_train", in.MaxSizeTrain),
		check.AtLeastOne("min_size_test", in.MinSizeTest),
		check.AtLeastOne("max_size_test", in.MaxSizeTest),
		check.Rule{OK: canvases(in.Canvases), Key: "canvases", Value: in.Canvases, Meaning: "must be [height, width] pairs of positive multiples of 32"},
		check.AtLeastOne("max_boxes", in.MaxBoxes),
		check.Rule{OK: len(in.PixelMean) == 3, Key: "pixel_mean", Value: in.PixelMean, Meaning: "must be three values (blue, green, red)"},
		check.Rule{OK: len(in.PixelStd) == 3 && check.Positive(in.PixelStd), Key: "pixel_std", Value: in.PixelStd, Meaning: "must be three positive values (blue, green, red)"},
	)
}

func (t Train) validate() error {
	return check.First(
		check.AtLeastOne("images_per_step", t.ImagesPerStep),
		check.Rule{OK: t.BaseLR > 0, Key: "base_lr", Value: t.BaseLR, Meaning: "must be positive"},
		check.Rule{OK: t.FlowLRFactor >= 0, Key: "flow_lr_factor", Value: t.FlowLRFactor, Meaning: "must not be negative (0 stands for 1)"},
		check.Rule{OK: t.BackboneLRFactor >= 0, Key: "backbone_lr_factor", Value: t.BackboneLRFactor, Meaning: "must not be negative (0 stands for 1)"},
		check.Rule{OK: t.Momentum >= 0 && t.Momentum < 1, Key: "momentum", Value: t.Momentum, Meaning: "must be at least 0 and under 1"},
		check.NotNegative("weight_decay", t.WeightDecay),
		check.Rule{OK: t.Decay == "steps" || t.Decay == "cosine", Key: "decay", Value: t.Decay, Meaning: "must be steps or cosine"},
		check.Rule{OK: slices.IsSorted(t.Steps), Key: "steps", Value: t.Steps, Meaning: "must ascend"},
		check.AtLeastOne("max_iter", t.MaxIter),
		check.NotNegative("warmup_iters", t.WarmupIters),
		check.AtLeastOne("checkpoint_every", t.CheckpointEvery),
		check.AtLeastOne("keep_checkpoints", t.KeepCheckpoints),
		check.Rule{OK: t.Unknown == "" || slices.Contains(data.Unknowns(), t.Unknown), Key: "unknown", Value: t.Unknown, Meaning: "must be ignore, crowd, drop or refuse"},
		check.Rule{OK: t.ClipNorm >= 0, Key: "clip_norm", Value: t.ClipNorm, Meaning: "must not be negative (0 does not clip)"},
		t.Precision.Rule("precision"),
	)
}

func (t Train) validateOptimizer() error {
	_, err := t.NewOptimizer(nil)
	return err
}

func distinct(names []string) bool {
	return len(slices.Compact(slices.Sorted(slices.Values(names)))) == len(names)
}

func canvases(sizes [][2]int) bool {
	return len(sizes) > 0 && !slices.ContainsFunc(sizes, func(s [2]int) bool {
		return min(s[0], s[1]) <= 0 || s[0]%32 != 0 || s[1]%32 != 0
	})
}
