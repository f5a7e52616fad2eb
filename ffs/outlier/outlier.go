// Package outlier makes synthetic outliers: box features that lie just outside the inliers, from which the detector learns what an unknown
// object's energy is. The methods that the paper compares stand side by side behind Synthesizer, chosen by name; nothing else
// changes between them.
package outlier

import (
	"fmt"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/flow"
)

// Node is a value of the graph.
type Node = graph.Node

// Input is what a step knows.
type Input struct {
	// Scope holds a synthesiser's state, variables that are not trained.
	Scope *model.Scope
	// Features are the box features [n, dim] of the step's proposals; no gradient flows back into them.
	Features *Node
	// Foreground [n] bool tells the rows that are proposals of inlier objects, Classes [n] int32 their classes.
	Foreground, Classes *Node
	// Noise holds independent standard normal numbers in the shapes that Synthesizer.Noise lists.
	Noise []*Node
	// Flow is the features' density, for the methods that need one.
	Flow *flow.Flow
}

// Output is a step's outliers.
type Output struct {
	// Samples are box features [s, dim].
	Samples *Node
	// NLL is their negative log-likelihood [s] under the method's own density of inliers.
	NLL *Node
	// Drawn is the mean NLL, a scalar, of all that the flow has drawn, before any are chosen or moved; nil for methods without a flow.
	Drawn *Node
	// Steps and Stopped say how an iterative method ended: scalars, the number of steps that it took (int32) and whether it reached its goal
	// (bool) rather than its limit. They are nil for the others.
	Steps, Stopped *Node
}

// Synthesizer is a method of making outliers. Its methods build a graph, and panic where that fails.
type Synthesizer interface {
	// Count is the number of outliers of a step, 0 for a method that makes none.
	Count() int
	// Noise lists the shapes of the standard normal numbers that Synthesize takes.
	Noise() []shapes.Shape
	// Ready is a scalar bool: whether the state under the scope, which earlier steps left, is enough to make outliers. Where it is
	// false, those of Synthesize are to be ignored.
	Ready(scope *model.Scope, g *graph.Graph) *Node
	// Synthesize observes the step's inliers and makes outliers. It is not to be called where Count is 0.
	Synthesize(in Input) Output
}

// Names of the methods.
const (
	MethodFlow     = "flow"
	MethodLangevin = "flow-langevin"
	MethodGaussian = "gaussian"
	MethodNone     = "none"
)

// Config chooses a method and its size.
type Config struct {
	// Method is one of the names above.
	Method string
	// Dim is the number of box features, Classes the number of inlier classes.
	Dim, Classes int
	// SampleFrom is the number of candidates: a step's for the flow (200 in the paper), each class's for the Gaussians (10000 in VOS).
	SampleFrom int
	// Select is how many candidates of the lowest density are kept; for the Gaussians, of each class. Both original programs keep 1.
	// flow-langevin keeps all.
	Select int
	// Queue is the number of features of each class that the Gaussians are fitted to (1000 in VOS).
	Queue int
	// MaxSteps bounds flow-langevin's descent, which the original does not bound.
	MaxSteps int
}

// New returns the method that the configuration names, or Validate's error.
func New(config Config) (Synthesizer, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	switch config.Method {
	case MethodFlow:
		return flowSampler{config}, nil
	case MethodLangevin:
		return langevin{config}, nil
	case MethodGaussian:
		return gaussian{config}, nil
	default:
		return none{}, nil
	}
}

// Validate returns an error that names the first impossible field. Fields that the method does not read may hold anything.
func (c Config) Validate() error {
	type field struct {
		name  string
		value int
	}
	var fields []field
	switch c.Method {
	case MethodFlow:
		fields = []field{{"SampleFrom", c.SampleFrom}, {"Select", c.Select}}
	case MethodLangevin:
		fields = []field{{"SampleFrom", c.SampleFrom}, {"MaxSteps", c.MaxSteps}}
	case MethodGaussian:
		fields = []field{{"Classes", c.Classes}, {"Queue", c.Queue}, {"SampleFrom", c.SampleFrom}, {"Select", c.Select}}
	case MethodNone:
		return nil
	default:
		return fmt.Errorf("outlier: no method is called %q; use %s, %s, %s or %s",
			c.Method, MethodFlow, MethodLangevin, MethodGaussian, MethodNone)
	}
	for _, f := range append(fields, field{"Dim", c.Dim}) {
		if f.value < 1 {
			return fmt.Errorf("outlier: %s is %d; the method %s needs at least 1", f.name, f.value, c.Method)
		}
	}
	if c.Method != MethodLangevin && c.Select > c.SampleFrom {
		return fmt.Errorf("outlier: Select is %d, but SampleFrom only %d; select at most that many", c.Select, c.SampleFrom)
	}
	return nil
}

// UsesFlow tells whether the method makes its outliers with the flow.
func (c Config) UsesFlow() bool { return c.Method == MethodFlow || c.Method == MethodLangevin }
