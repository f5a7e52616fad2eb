// Package outlier makes synthetic outliers: box features that lie just outside the inliers, from which the detector learns what an unknown
// object's energy is. The methods that the paper compares stand side by side behind Synthesizer, chosen by name; nothing else
// changes between them. Register adds another one.
package outlier

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/flow"
	"ffslab/ffs/options"
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
	// NLL is their negative log-likelihood [s] under the method's own density of inliers. That of a flow bears the original's constant
	// (see flow.NLL). It may be nil for a method without a density.
	NLL *Node
	// Candidate [s] int32 is the row of the noise, counted over all of its arrays, that each sample comes from; nil if sample i comes from row i,
	// or from none in particular.
	Candidate *Node
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

// Normals lists one array of standard normal numbers of the dimensions, as Noise returns it.
func Normals(dims ...int) []shapes.Shape { return []shapes.Shape{shapes.Make(dtypes.Float32, dims...)} }

// Stateless is embedded by synthesisers that make outliers from the step alone: they are always ready.
type Stateless struct{}

// Ready is true.
func (Stateless) Ready(_ *model.Scope, g *graph.Graph) *Node { return graph.Const(g, true) }

// Config chooses a method and its size: the section model.outlier of a configuration.
type Config struct {
	// Method is a name that is registered.
	Method string `yaml:"method"`
	// StartIter is the first training step that sees outliers.
	StartIter int `yaml:"start_iter"`
	// SampleFrom is the number of candidates: a step's for the flow (200 in the paper), each class's for the Gaussians (10000 in VOS).
	SampleFrom int `yaml:"sample_from"`
	// Select is how many candidates of the lowest density are kept; for the Gaussians, of each class. Both original programs keep 1.
	// flow-langevin keeps all.
	Select int `yaml:"select"`
	// Queue is the number of features of each class that the Gaussians are fitted to (1000 in VOS).
	Queue int `yaml:"queue"`
	// MaxSteps bounds flow-langevin's descent, which the original does not bound.
	MaxSteps int `yaml:"max_steps"`
	// Options are the settings of a method that is not built in.
	Options options.Options `yaml:"options,omitempty"`

	// Dim is the number of box features, Classes the number of inlier classes.
	Dim     int `yaml:"-"`
	Classes int `yaml:"-"`
}

// Validate returns an error that names the first impossible setting, New's included.
func (c Config) Validate() error {
	_, err := New(c)
	return err
}
