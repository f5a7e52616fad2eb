package score

import (
	"errors"
	"fmt"
	"strings"

	"ffslab/ffs/internal/guard"
	"ffslab/ffs/internal/registry"
)

var scorers = registry.New[func() Scorer](kind)

// Register makes a score available under the name that its scorers return. build returns a new
// scorer with its settings and is called for every use. Call Register in an init function. It
// panics if the name is taken.
func Register(build func() Scorer) { scorers.Add(build().Name(), build) }

// Names returns the names of all registered scores in alphabetical order.
func Names() []string { return scorers.Names() }

// New returns a new scorer. The error of an unknown name lists all names.
func New(name string) (Scorer, error) {
	build, err := scorers.Get(name)
	if errors.Is(err, registry.ErrUnknown) {
		return nil, fmt.Errorf("unknown score %q: want one of %s", name, strings.Join(Names(), ", "))
	}
	var s Scorer
	if err := guard.Part(kind, name, func() { s = build() }); err != nil {
		return nil, err
	}
	if s == nil {
		return nil, fault(name, "the registered function returned nil, want a Scorer")
	}
	return s, nil
}

func init() {
	for _, build := range []func() Scorer{
		func() Scorer { return &Energy{} }, func() Scorer { return &MSP{} },
		func() Scorer { return &MaxLogit{} }, func() Scorer { return &Entropy{} },
		func() Scorer { return &GEN{} }, func() Scorer { return &KLMatching{} },
		func() Scorer { return &ScaledMSP{} }, func() Scorer { return &Mahalanobis{} },
		func() Scorer { return &RelativeMahalanobis{} }, func() Scorer { return &KNN{} },
		func() Scorer { return &SHE{} }, func() Scorer { return &NNGuide{} },
		func() Scorer { return &FeatureNorm{} }, func() Scorer { return &Cosine{} },
		func() Scorer { return &VMF{} }, func() Scorer { return &ViM{} },
		func() Scorer { return &Residual{} }, func() Scorer { return &ReAct{} },
		func() Scorer { return &DICE{} }, func() Scorer { return &ASHS{} },
		func() Scorer { return &ASHP{} }, func() Scorer { return &SCALE{} },
		func() Scorer { return &FDBD{} }, func() Scorer { return &GradNorm{} },
		func() Scorer { return Given("weighted_energy") },
		func() Scorer { return Given("logistic") }, func() Scorer { return Given("nll") },
	} {
		Register(build)
	}
}
