// Package outlier makes synthetic outliers: box features that stand for unknown objects in
// training. The built-in methods, except none, select or move samples of a density of the inliers
// so that they are improbable. A [Method] describes a method for lists and configurations, and
// makes its [Synthesizer], which builds the graph. [Register] adds a method.
//
//	flow           the paper's method: the least likely of the flow's samples
//	flow-langevin  a variant in the code of FFS: all samples, moved down their likelihood
//	gaussian       VOS: the least likely samples of a Gaussian for each class
//	none           no outliers
package outlier

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/flow"
	"ffslab/ffs/options"
)

// Input holds the inputs of a training step.
type Input struct {
	// Scope holds the state of a synthesiser: variables that are not trained.
	Scope *model.Scope
	// Features are the box features [n, dim] of the step's proposals. No gradient flows back into
	// them.
	Features *graph.Node
	// Foreground [n] bool marks the proposals of inlier objects; Classes [n] int32 are their
	// classes.
	Foreground, Classes *graph.Node
	// Noise holds independent standard normal numbers in the shapes of Synthesizer.Noise.
	Noise []*graph.Node
	// Flow is the density of the features, for methods that need one.
	Flow *flow.Flow
}

// Output holds the synthetic outliers of a step.
type Output struct {
	// Samples are box features [s, dim] float32, s = Count(). Stop their gradient
	// (graph.StopGradient) unless losses on outliers are meant to reach the method's parameters.
	Samples *graph.Node
	// NLL is the negative log-likelihood [s] of the samples under the method's own density of
	// inliers. That of a flow includes the original's constant (see flow.NLL). It may be nil for a
	// method without a density.
	NLL *graph.Node
	// Candidate [s] int32 is, for each sample, the row of the noise that it was made from, counted
	// over all arrays of Noise. It is nil for a method that keeps all that it draws; "ffs sample"
	// then marks every draw as an outlier and refuses --select.
	Candidate *graph.Node
	// Drawn is the mean NLL, a scalar, of all candidates that the flow has drawn, before any are
	// chosen or moved. It is nil for methods without a flow.
	Drawn *graph.Node
	// Steps and Stopped say how an iterative method ended. Steps is the number of steps it took, a
	// scalar int32; Stopped, a scalar bool, says whether it reached its goal rather than its limit.
	// They are nil for other methods.
	Steps, Stopped *graph.Node
}

// Synthesizer is a method that makes synthetic outliers. Its methods build a graph and panic if
// that fails.
type Synthesizer interface {
	// Count is the number of outliers in a step, 0 for a method that makes none.
	Count() int
	// Noise lists the shapes of the standard normal numbers that Synthesize takes.
	Noise() []shapes.Shape
	// Ready returns a scalar bool: whether the state in the scope, left by earlier steps, suffices
	// to make outliers. Call it before Synthesize. If it is false, call Synthesize all the same, so
	// that it observes the inliers, and ignore its result.
	Ready(scope *model.Scope, g *graph.Graph) *graph.Node
	// Synthesize observes the inliers of the step and makes outliers. Do not call it if Count is 0.
	Synthesize(in Input) Output
}

// Normals returns the shape of one array of standard normal numbers, as a list for
// Synthesizer.Noise.
func Normals(dims ...int) []shapes.Shape { return []shapes.Shape{shapes.Make(dtypes.Float32, dims...)} }

// Stateless is embedded by synthesisers that need no state from earlier steps. They are always
// ready.
type Stateless struct{}

// Ready returns true.
func (Stateless) Ready(_ *model.Scope, g *graph.Graph) *graph.Node { return graph.Const(g, true) }

// Config chooses a method and its size: the section model.outlier of a configuration.
type Config struct {
	// Method is the name of a registered method.
	Method string `yaml:"method"`
	// StartIter is the first training step that sees synthetic outliers.
	StartIter int `yaml:"start_iter"`
	// SampleFrom is the number of candidates: of a step for the flow (200 in the paper), of each
	// class for the Gaussians (10000 in VOS).
	SampleFrom int `yaml:"sample_from"`
	// Select is the number of candidates of the lowest density to keep; for the Gaussians, of each
	// class. Both original programs keep 1. flow-langevin keeps all.
	Select int `yaml:"select"`
	// Queue is the number of features of each class to which the Gaussians are fitted (1000 in
	// VOS).
	Queue int `yaml:"queue"`
	// MaxSteps bounds the descent of flow-langevin, which the original does not bound.
	MaxSteps int `yaml:"max_steps"`
	// Options are the settings of a method that is not built in.
	Options options.Options `yaml:"options,omitempty"`

	// Dim is the length of a box feature, Classes the number of inlier classes.
	Dim     int `yaml:"-"`
	Classes int `yaml:"-"`
}

// Validate returns an error that names the first impossible setting. It includes the errors of New.
func (c Config) Validate() error {
	_, err := New(c)
	return err
}
