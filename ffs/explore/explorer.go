package explore

import (
	"errors"
	"fmt"
	"path/filepath"

	"ffslab/viz"
	"ffslab/viz/explorer"
	"ffslab/viz/notebook"
)

// What the explorer holds. Every method draws at each temperature and with each seed as many as the paper's flow does in a step.
const (
	explorerAxes    = 6
	explorerDraws   = 200
	explorerSeeds   = 4
	explorerKnown   = 360 // inliers
	explorerUnknown = 160 // objects of each outlier set
	explorerNear    = 6   // real objects for a synthetic feature
	explorerClasses = 6   // whose typical objects and means have a place in paths and surfaces: the most frequent ones
)

var explorerTemperatures = []float64{0.25, 0.5, 0.75, 1, 1.25, 1.5, 2}

// explorerBuilder makes a page of real objects, evenly spaced ones of each set, and of what is made from them.
type explorerBuilder struct {
	v    *Synthesis
	axes *viz.Projection
	page *explorer.Page

	real    [][]float32    // features of the objects, in the page's order
	groups  []realGroup    // of them
	nearest *nearestFinder // among them
}

// realGroup is a class of inliers, or an outlier set.
type realGroup struct {
	name    string
	unknown bool
	first   int         // place of its first object on the page
	shown   [][]float32 // its objects there
	all     [][]float32
}

// Explorer returns the page on which a reader looks for outliers: real objects by class, what every registered method of synthesis draws, the real objects nearest
// to each draw, ways through the latents between objects, and the energy over planes through mean features. The flow is compiled once; the page computes
// nothing but selections.
func (s *Session) Explorer() (*explorer.Page, error) {
	v, err := s.Synthesis()
	if err != nil {
		return nil, err
	}
	b := &explorerBuilder{v: v}
	if b.axes, err = fewerAxes(widen(v.inliers.Rows), explorerAxes); err != nil {
		return nil, err
	}
	o := v.model.Config.Model.Outlier
	b.page = &explorer.Page{
		WithoutNLL: !v.model.HasFlow(),
		Draws:      explorer.Draws{Temperatures: explorerTemperatures, Drawn: explorerDraws, Selected: max(1, explorerDraws*o.Select/o.SampleFrom)},
	}
	for seed := range uint64(explorerSeeds) {
		b.page.Draws.Seeds = append(b.page.Draws.Seeds, seed+1)
	}
	for i := range b.axes.Components {
		b.page.Axes = append(b.page.Axes, b.axes.Label(i))
	}
	for _, add := range []func() error{b.addObjects, b.addDraws, b.addPaths, b.addSurfaces} {
		if err := add(); err != nil {
			return nil, err
		}
	}
	origin, err := origin(v.run, v.sets...)
	if err != nil {
		return nil, err
	}
	b.page.Caption = fmt.Sprintf("Box features of %d annotated objects that the detector was not trained on, and of %d unknown ones, in principal components of the "+
		"former; synthetic features of every method, %d at each temperature with each seed. Energies and likelihoods are the detector's; higher energy means more inlier. "+
		"flow-langevin keeps all that it draws. Methods that look at inliers see the held-out ones; the run's own goes on from the state of its training. %s",
		b.count(false), b.count(true), explorerDraws, origin)
	return b.page, nil
}

// fewerAxes is PCA with k components, or as many as there are directions in which the rows vary.
func fewerAxes(rows [][]float64, k int) (*viz.Projection, error) {
	for k = min(k, len(rows)-1, len(rows[0])); k > 2; k-- {
		if p, err := viz.PCA(rows, k); err == nil {
			return p, nil
		}
	}
	return viz.PCA(rows, 2)
}

func (b *explorerBuilder) count(unknown bool) int {
	n := 0
	for _, g := range b.groups {
		if g.unknown == unknown {
			n += len(g.shown)
		}
	}
	return n
}

// samples are features on the page's axes, with the real objects nearest to each.
func (b *explorerBuilder) samples(rows [][]float32, nll, energy []float64) ([]explorer.Sample, error) {
	positions, err := b.axes.Apply(widen(rows))
	if err != nil {
		return nil, err
	}
	near := b.nearest.find(rows, explorerNear)
	samples := make([]explorer.Sample, len(rows))
	for i := range samples {
		samples[i] = explorer.Sample{Position: positions[i], NLL: nll[i], Energy: energy[i], Nearest: near[i]}
	}
	return samples, nil
}

// ShowExplorer saves the page as figures/NAME.html in Out and shows it under the cell. It ends the program if that fails.
func (s *Session) ShowExplorer(name string, page *explorer.Page) {
	Check(page.Save(filepath.Join(s.Out, "figures", name+".html")))
	block, err := page.HTML()
	Check(err)
	if err := notebook.ShowHTML(block); !errors.Is(err, notebook.ErrNone) {
		Check(err)
	}
}
