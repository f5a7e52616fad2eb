package explore

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"ffslab/ffs/flow"
	"ffslab/ffs/outlier"
	"ffslab/viz"
)

// Toy is the paper's first figure in two dimensions: inlier classes that are not Gaussian, and the
// outliers of two models of their density, VOS's class-conditional Gaussians with a common
// covariance and a flow.
type Toy struct {
	// Classes are the inliers [K][n][2].
	Classes [][][]float64
	// Means [K][2] and Covariance are the parameters of the Gaussians.
	Means      [][]float64
	Covariance *mat.SymDense
	// GaussianOutliers and FlowOutliers are the least likely draws of each model.
	GaussianOutliers, FlowOutliers [][]float64

	flow *toyFlow
}

// Both models keep the least likely of toyKept draws, the paper's number.
const (
	toyPoints   = 800 // in each class
	toyOutliers = 90
	toyKept     = 200
)

// toyRange is the part of the plane that is shown.
var toyRange = [2][2]float64{{-4.5, 4.5}, {-2.2, 2.5}}

// NewToy draws the classes, three crescents, and fits both models to them. It takes a few seconds.
func (s *Session) NewToy() (*Toy, error) {
	backend, err := s.backend()
	if err != nil {
		return nil, err
	}
	rng := rand.New(rand.NewPCG(sampleSeed, 0))
	t := &Toy{Classes: crescents(rng)}
	t.Means, t.Covariance = classGaussians(t.Classes)
	if t.flow, err = fitToyFlow(backend, slices.Concat(t.Classes...), toySteps, rng); err != nil {
		return nil, err
	}
	each := toyOutliers / len(t.Classes)
	if t.GaussianOutliers, err = t.synthesize(backend, outlier.Config{
		Method: outlier.MethodGaussian, SampleFrom: each * toyKept, Select: each, Queue: toyPoints,
	}, rng); err != nil {
		return nil, err
	}
	t.FlowOutliers, err = t.synthesize(backend, outlier.Config{Method: outlier.MethodFlow, SampleFrom: toyOutliers * toyKept, Select: toyOutliers}, rng)
	return t, err
}

// classGaussians returns the parameters of VOS's Gaussians for classes [K][n][dim]: the means of
// the classes and their common covariance.
func classGaussians(classes [][][]float64) (means [][]float64, covariance *mat.SymDense) {
	var centred []float64
	for _, class := range classes {
		centre := mean(class)
		means = append(means, centre)
		for _, p := range class {
			for j, v := range p {
				centred = append(centred, v-centre[j])
			}
		}
	}
	dim := len(means[0])
	rows := mat.NewDense(len(centred)/dim, dim, centred)
	covariance = mat.NewSymDense(dim, nil)
	covariance.SymOuterK(1/float64(len(centred)/dim), rows.T())
	return means, covariance
}

// synthesize makes outliers in the plane by a method of package outlier.
func (t *Toy) synthesize(backend compute.Backend, c outlier.Config, rng *rand.Rand) ([][]float64, error) {
	c.Dim, c.Classes = toyConfig.Dim, len(t.Classes)
	method, err := outlier.New(c)
	if err != nil {
		return nil, err
	}
	exec, err := model.NewExec(backend, t.flow.store, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		g, foreground := in[0].Graph(), graph.BroadcastToDims(graph.Const(in[0].Graph(), true), in[0].Shape().Dim(0))
		out := method.Synthesize(outlier.Input{
			Scope: scope.At("synthesis"), Features: in[0], Classes: in[1], Foreground: foreground, Noise: in[2:], Flow: flow.New(scope.At("flow"), g, toyConfig),
		})
		return []*graph.Node{out.Samples}
	})
	if err != nil {
		return nil, err
	}
	defer exec.Finalize()
	var classes []int32
	for k, class := range t.Classes {
		classes = append(classes, slices.Repeat([]int32{int32(k)}, len(class))...)
	}
	inputs := []any{planeTensor(slices.Concat(t.Classes...)), tensors.FromFlatDataAndDimensions(classes, len(classes))}
	for _, shape := range method.Noise() {
		noise := make([]float32, shape.Size())
		for i := range noise {
			noise[i] = float32(rng.NormFloat64())
		}
		inputs = append(inputs, tensors.FromFlatDataAndDimensions(noise, shape.Dimensions...))
	}
	outputs, err := exec.Call(inputs...)
	if err != nil {
		return nil, err
	}
	flat := float64s(outputs[0], 1)
	return slices.Collect(slices.Chunk(flat, toyConfig.Dim)), nil
}

// crescents returns points on three interlocking arcs of 190 degrees.
func crescents(rng *rand.Rand) [][][]float64 {
	arcs := []struct{ x, y, from float64 }{{-1.45, 0, -5}, {0, 0.35, 175}, {1.45, 0, -5}} // centre; degrees
	classes := make([][][]float64, len(arcs))
	for k, arc := range arcs {
		for range toyPoints {
			angle := (arc.from + 190*rng.Float64()) * math.Pi / 180
			radius := 1 + 0.08*rng.NormFloat64()
			classes[k] = append(classes[k], []float64{arc.x + radius*math.Cos(angle), arc.y + radius*math.Sin(angle)})
		}
	}
	return classes
}

// Figure draws the two models side by side.
func (t *Toy) Figure() (*viz.Figure, error) {
	gaussians, err := t.panel("Gaussians with a common covariance", t.GaussianOutliers, func(s *viz.Scatter) error {
		for _, mean := range t.Means {
			s.Gaussians = append(s.Gaussians, viz.Gaussian{
				Name: "50, 90, 99 % of a class", Mean: [2]float64(mean), Color: viz.Black,
				Cov: [2][2]float64{{t.Covariance.At(0, 0), t.Covariance.At(0, 1)}, {t.Covariance.At(1, 0), t.Covariance.At(1, 1)}},
			})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	flow, err := t.panel("normalising flow", t.FlowOutliers, func(s *viz.Scatter) error {
		density, err := viz.NewDensity("50, 90, 99 % of the density", toyRange[0], toyRange[1], 140, t.flow.logP)
		density.Color = viz.Black
		s.Densities = []viz.Density{density}
		return err
	})
	if err != nil {
		return nil, err
	}
	caption := viz.Caption(fmt.Sprintf("Three classes in the plane (colours), two models of their density (lines around 50, 90 and 99 %% of the mass), and their outliers (orange), each the least likely of %d draws. "+
		"Left: a Gaussian for each class with a common covariance, as in VOS. Right: a normalising flow, as in FFS.", toyKept))
	return caption.Under(viz.Grid(2, gaussians, flow))
}

func (t *Toy) panel(title string, outliers [][]float64, density func(*viz.Scatter) error) (*viz.Figure, error) {
	s := viz.Scatter{Title: title, XLabel: "feature 1", YLabel: "feature 2", Equal: true, XRange: toyRange[0], YRange: toyRange[1]}
	for k, class := range t.Classes {
		color := []viz.Color{viz.Blue, viz.Green, viz.Purple}[k]
		s.Groups = append(s.Groups, points(fmt.Sprintf("class %d", k+1), class, color))
	}
	synthetic := points("outliers", outliers, viz.SyntheticColor)
	synthetic.Strong = true
	s.Groups = append(s.Groups, synthetic)
	if err := density(&s); err != nil {
		return nil, err
	}
	return s.Figure()
}

func points(name string, rows [][]float64, color viz.Color) viz.Points {
	p := viz.Points{Name: name, Color: color}
	for _, row := range rows {
		p.X, p.Y = append(p.X, row[0]), append(p.Y, row[1])
	}
	return p
}

// Table counts the outliers among the inliers: those whose nearest inlier is as near as the nearest
// neighbours of 95 % of the inliers are. It also gives their median distance to the inliers.
func (t *Toy) Table() *Table {
	inliers := narrow(slices.Concat(t.Classes...))
	finder := newNearestFinder(inliers)
	own := finder.distances(inliers, evenly(len(inliers), len(inliers)))
	slices.Sort(own)
	reach := stat.Quantile(0.95, stat.Empirical, own, nil)
	table := newTable("outliers by", "n", "among the inliers", "median distance to the nearest inlier")
	for _, model := range []struct {
		name     string
		outliers [][]float64
	}{{"Gaussians", t.GaussianOutliers}, {"flow", t.FlowOutliers}} {
		distances := finder.distances(narrow(model.outliers), nil)
		among := 0
		for _, d := range distances {
			if d <= reach {
				among++
			}
		}
		slices.Sort(distances)
		table.Add(model.name, fmt.Sprint(len(distances)), fmt.Sprintf("%.0f %%", 100*float64(among)/float64(len(distances))),
			fmt.Sprintf("%.2f", stat.Quantile(0.5, stat.Empirical, distances, nil)))
	}
	return table
}
