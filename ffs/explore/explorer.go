package explore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"ffslab/data"
	"ffslab/ffs/internal/plotly"
	"ffslab/viz"
	"ffslab/viz/escape"
	"ffslab/viz/explorer"
	"ffslab/viz/notebook"
)

// What the explorer holds. Every method draws at each temperature and with each seed as many as the
// paper's flow does in a step.
const (
	explorerAxes    = 6
	explorerDraws   = 200
	explorerSeeds   = 4
	explorerKnown   = 360 // inliers
	explorerUnknown = 160 // objects of each outlier set
	explorerNear    = 6   // real objects for a feature
	explorerClasses = 6   // whose typical objects and means have a place in paths and surfaces: the most frequent ones
)

var explorerTemperatures = []float64{0.25, 0.5, 0.75, 1, 1.25, 1.5, 2}

// explorerBuilder makes a page of real objects, evenly spaced ones of each set, and of what is made
// from them. Afterwards it computes what the page asks for while it is served live.
type explorerBuilder struct {
	v        *Synthesis
	axes     *viz.Projection
	page     *explorer.Page
	scorers  []namedScorer
	inliers  *nearestFinder // among all inliers, shown or not
	pictures map[imagePlace]int

	computing sync.Mutex // for a live page

	real    [][]float32    // features of the objects, in the page's order
	groups  []realGroup    // of them
	nearest *nearestFinder // among them
}

// imagePlace is an image of a set.
type imagePlace struct {
	set   *data.Dataset
	image int
}

// realGroup is a class of inliers, or an outlier set.
type realGroup struct {
	name    string
	unknown bool
	first   int         // place of its first object on the page
	shown   [][]float32 // its objects there
	all     [][]float32
}

// explorerScores are the outlier scores that a page holds if none are asked for.
var explorerScores = []string{"weighted_energy", "msp", "knn", "mahalanobis", "vim"}

// Explorer returns the page on which a reader looks for outliers: real objects by class, what every
// registered method of synthesis draws, the real objects nearest to each, ways through the latents
// between objects, and the energy over planes through mean features. Objects and draws have the
// registered scores of these names, or some usual ones, fitted on the training set; one that cannot
// be fitted is left out, which is said. The flow is compiled once.
func (s *Session) Explorer(scores ...string) (*explorer.Page, error) {
	v, err := s.Synthesis()
	if err != nil {
		return nil, err
	}
	b := &explorerBuilder{v: v, inliers: newNearestFinder(v.inliers.Rows), pictures: map[imagePlace]int{}}
	if b.axes, err = fewerAxes(widen(v.inliers.Rows), explorerAxes); err != nil {
		return nil, err
	}
	o := v.model.Config.Model.Outlier
	b.page = &explorer.Page{
		WithoutNLL: !v.model.HasFlow(), Source: b,
		Draws: explorer.Draws{Temperatures: explorerTemperatures, Drawn: explorerDraws, Selected: max(1, explorerDraws*o.Select/o.SampleFrom)},
	}
	for seed := range uint64(explorerSeeds) {
		b.page.Draws.Seeds = append(b.page.Draws.Seeds, seed+1)
	}
	for i := range b.axes.Components {
		b.page.Axes = append(b.page.Axes, b.axes.Label(i))
	}
	if err := b.addColumns(s, scores); err != nil {
		return nil, err
	}
	for _, add := range []func() error{b.addObjects, b.addDraws, b.addMap, b.addPaths, b.addSurfaces} {
		if err := add(); err != nil {
			return nil, err
		}
	}
	origin, err := origin(v.run, v.sets...)
	if err != nil {
		return nil, err
	}
	b.page.Caption = fmt.Sprintf("Box features of %d annotated objects that the detector was not trained on, and of %d unknown ones, in principal components of the "+
		"former; synthetic features of every method, %d at each temperature with each seed. Energies, likelihoods and scores are the detector's; higher energy means more inlier. "+
		"AUROC and FPR95 are those of the objects shown. flow-langevin keeps all that it draws. Methods that look at inliers see the held-out ones; the run's own goes on from the "+
		"state of its training. t-SNE holds the objects and the draws at temperature 1 with the first seed. %s",
		b.count(false), b.count(true), explorerDraws, origin)
	b.page.Remedy = plotly.Remedy
	ctx, stop := interruptible()
	defer stop()
	if b.page.Plotly, err = plotly.Script(ctx, os.Stdout); err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		escape.Fprintf(os.Stderr, "warning: %v: the explorer's page says how to get what it lacks\n", err)
	}
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

// samples are features on the page's axes and columns, with the real objects nearest to each.
func (b *explorerBuilder) samples(rows [][]float32, nll, energy []float64) ([]explorer.Sample, error) {
	positions, err := b.axes.Apply(widen(rows))
	if err != nil {
		return nil, err
	}
	values, err := b.values(rows, nil)
	if err != nil {
		return nil, err
	}
	near := b.nearest.find(rows, explorerNear)
	samples := make([]explorer.Sample, len(rows))
	for i := range samples {
		samples[i] = explorer.Sample{Position: positions[i], NLL: nll[i], Energy: energy[i], Values: values[i], Nearest: near[i]}
	}
	return samples, nil
}

// ShowExplorer saves the page as figures/NAME.html in Out and shows it under the cell. It ends the
// program if that fails.
func (s *Session) ShowExplorer(name string, page *explorer.Page) {
	Check(page.Save(s.explorerFile(name)))
	block, err := page.HTML()
	Check(err)
	if err := notebook.ShowHTML(block); !errors.Is(err, notebook.ErrNone) {
		Check(err)
	}
}

// ShowLive is [Session.ShowExplorer] with the cell's process behind the page: fresh draws at any
// temperature, number and seed, and ways between any two objects. The cell goes on when the reader
// presses the page's button that ends it; what is selected then is [explorer.Page.Selection].
// Interrupting the cell ends the program. Without a browser ([notebook.Headless]) nobody could end
// it: it then does what ShowExplorer does. Outside a notebook it prints the page's address.
func (s *Session) ShowLive(name string, page *explorer.Page) {
	if os.Getenv(notebook.Headless) != "" {
		s.ShowExplorer(name, page)
		return
	}
	Check(page.Save(s.explorerFile(name)))
	ctx, stop := interruptible()
	defer stop()
	err := page.Serve(ctx, func(block, address string) error {
		err := notebook.ShowHTML(block)
		if errors.Is(err, notebook.ErrNone) {
			fmt.Printf("open %s\n", address)
			return nil
		}
		return err
	})
	if errors.Is(err, context.Canceled) {
		err = errors.New("the live explorer was interrupted: its page stays; run the cell again for fresh draws")
	}
	Check(err)
}

func (s *Session) explorerFile(name string) string {
	return filepath.Join(s.Out, "figures", name+".html")
}
