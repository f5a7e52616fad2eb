package optim

import (
	"fmt"
	"math"
)

// Schedule is detectron2's WarmupMultiStepLR with a linear warm-up, or its WarmupCosineLR. Zero
// warm-up fields mean no warm-up.
type Schedule struct {
	// BaseLR is the learning rate after the warm-up.
	BaseLR float64
	// Steps are the iterations, ascending, at each of which the rate is multiplied by Gamma.
	Steps []int
	Gamma float64
	// Cosine lets the rate fall to 0 along half a cosine period over MaxIter iterations instead
	// (Loshchilov and Hutter, ICLR 2017, without restarts); Steps and Gamma are then ignored.
	Cosine bool
	// WarmupIters is the number of iterations in which the rate rises linearly from WarmupFactor *
	// BaseLR.
	WarmupIters  int
	WarmupFactor float64
	// MaxIter is the length of training. A longer warm-up is cut to it.
	MaxIter int
}

// Validate returns an error that names the first impossible field.
func (s Schedule) Validate() error {
	positive := func(v float64) bool { return v > 0 && !math.IsInf(v, 1) }
	switch {
	case !positive(s.BaseLR):
		return fmt.Errorf("optim: BaseLR is %g; use a positive number", s.BaseLR)
	case !s.Cosine && len(s.Steps) > 0 && !positive(s.Gamma):
		return fmt.Errorf("optim: Gamma is %g; use a positive number, usually 0.1", s.Gamma)
	case s.WarmupIters < 0:
		return fmt.Errorf("optim: WarmupIters is %d; use 0 for none", s.WarmupIters)
	case !(s.WarmupFactor >= 0 && s.WarmupFactor <= 1):
		return fmt.Errorf("optim: WarmupFactor is %g; use a number from 0 to 1", s.WarmupFactor)
	case s.MaxIter < 1:
		return fmt.Errorf("optim: MaxIter is %d; use at least 1", s.MaxIter)
	}
	for i := 1; i < len(s.Steps); i++ {
		if s.Steps[i] <= s.Steps[i-1] {
			return fmt.Errorf("optim: Steps has %d after %d; list them in ascending order", s.Steps[i], s.Steps[i-1])
		}
	}
	return nil
}

// LR returns the learning rate of an iteration, counted from 0.
func (s Schedule) LR(iteration int) float64 {
	warmup := min(s.WarmupIters, s.MaxIter)
	if iteration >= warmup {
		return s.BaseLR * s.decayed(iteration)
	}
	done := float64(iteration) / float64(warmup)
	return s.BaseLR * (s.WarmupFactor*(1-done) + s.decayed(warmup)*done)
}

// decayed returns the rate of an iteration after the warm-up, as a fraction of BaseLR.
func (s Schedule) decayed(iteration int) float64 {
	if s.Cosine {
		return (1 + math.Cos(math.Pi*float64(iteration)/float64(s.MaxIter))) / 2
	}
	factor := 1.0
	for _, step := range s.Steps {
		if iteration >= step {
			factor *= s.Gamma
		}
	}
	return factor
}
