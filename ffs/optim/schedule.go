package optim

import (
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
