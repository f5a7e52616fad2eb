package score

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
)

var registry = struct {
	sync.Mutex
	byName map[string]registration
}{byName: map[string]registration{}}

type registration struct {
	make func() Scorer
	by   string // type and place of the call of Register
}

// Register makes a score known under the name that its scorers bear. make returns a new one, with its settings, for each use. Call it in an init function.
// It panics if a score of that name is known, and names both.
func Register(make func() Scorer) {
	made := make()
	name, by := made.Name(), fmt.Sprintf("%T", made)
	if _, file, line, ok := runtime.Caller(1); ok {
		by += fmt.Sprintf(" (%s:%d)", file, line)
	}
	registry.Lock()
	defer registry.Unlock()
	if other, taken := registry.byName[name]; taken {
		panic(fmt.Sprintf("score: %q is registered twice, by %s and by %s: rename one of them", name, other.by, by))
	}
	registry.byName[name] = registration{make, by}
}

// Names returns the names of all registered scores in alphabetical order.
func Names() []string {
	registry.Lock()
	defer registry.Unlock()
	return slices.Sorted(maps.Keys(registry.byName))
}

// New returns a new scorer of the name. An unknown name is an error that lists all.
func New(name string) (Scorer, error) {
	registry.Lock()
	found, ok := registry.byName[name]
	registry.Unlock()
	if !ok {
		return nil, fmt.Errorf("unknown score %q: want one of %s", name, strings.Join(Names(), ", "))
	}
	return found.make(), nil
}

func init() {
	for _, make := range []func() Scorer{
		func() Scorer { return &Energy{} }, func() Scorer { return &MSP{} }, func() Scorer { return &MaxLogit{} }, func() Scorer { return &Entropy{} },
		func() Scorer { return &GEN{} }, func() Scorer { return &KLMatching{} }, func() Scorer { return &ScaledMSP{} },
		func() Scorer { return &Mahalanobis{} }, func() Scorer { return &RelativeMahalanobis{} }, func() Scorer { return &KNN{} },
		func() Scorer { return &SHE{} }, func() Scorer { return &NNGuide{} }, func() Scorer { return &FeatureNorm{} },
		func() Scorer { return &Cosine{} }, func() Scorer { return &VMF{} },
		func() Scorer { return &ViM{} }, func() Scorer { return &Residual{} }, func() Scorer { return &ReAct{} }, func() Scorer { return &DICE{} },
		func() Scorer { return &ASHS{} }, func() Scorer { return &ASHP{} }, func() Scorer { return &SCALE{} },
		func() Scorer { return &FDBD{} }, func() Scorer { return &GradNorm{} },
		func() Scorer { return Given("weighted_energy") }, func() Scorer { return Given("logistic") }, func() Scorer { return Given("nll") },
	} {
		Register(make)
	}
}
