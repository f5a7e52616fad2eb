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

// Sizes of the page. Every method draws explorerDraws features at each temperature with each seed,
// as many as the paper's flow draws in a step.
const (
	explorerAxes    = 6
	explorerDraws   = 200
	explorerSeeds   = 4
	quickSeeds      = 2   // in a quick session
	explorerKnown   = 360 // known objects
	explorerUnknown = 160 // objects of each outlier set
	explorerNear    = 6   // nearest real objects of each feature
	explorerClasses = 6   // most frequent known classes, whose typical objects and means paths and surfaces connect
)

var explorerTemperatures = []float64{0.25, 0.5, 0.75, 1, 1.25, 1.5, 2}

// explorerBuilder makes the page of the explorer. While the page is served live, it is its
// [explorer.Source].
type explorerBuilder struct {
	v        *Synthesis
	axes     *viz.Projection
	page     *explorer.Page
	scorers  []namedScorer
	inliers  *nearestFinder // among all inliers, also those that are not on the page
	pictures map[imagePlace]int

	computing sync.Mutex // serialises the requests of a live page

	real    [][]float32    // features of the objects, in the page's order
	groups  []realGroup    // of the objects
	nearest *nearestFinder // among the objects
}

// imagePlace is an image of a set.
type imagePlace struct {
	set   *data.Dataset
	image int
}

// realGroup is a class of inliers or an outlier set.
type realGroup struct {
	name    string
	unknown bool
	first   int         // index of its first object on the page
	shown   [][]float32 // features of its objects on the page
	all     [][]float32
}

// explorerScores are the scores of a page by default.
var explorerScores = []string{"weighted_energy", "msp", "knn", "mahalanobis", "vim"}

// Explorer returns an interactive page about the first run: real objects by class, the draws of
// every registered method of synthesis, the real objects nearest to each draw, paths through the
// latents between objects, and the energy over planes through mean features. scores names post-hoc
// scores, fitted on the training set; the default are five usual ones. A score that cannot be
// fitted is left out with a message.
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
	seeds := uint64(explorerSeeds)
	if s.Quick {
		seeds = quickSeeds
	}
	for seed := range seeds {
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
	b.page.Caption = fmt.Sprintf("Box features of %d annotated objects that the detector was not trained on, and of %d unknown ones, in the principal components of the "+
		"former. Every method draws %d synthetic features at each temperature with each seed. Energies, likelihoods and scores are the detector's; higher energy means more inlier. "+
		"AUROC and FPR95 are those of the objects on this page. flow-langevin keeps all its draws. Methods that need inliers get the held-out ones; the run's own continues from the "+
		"state of its training. t-SNE was computed for the objects and the draws at temperature 1 with the first seed. %s",
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

// fewerAxes returns the first k principal components, or fewer if the rows vary in fewer
// directions.
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

// samples places features on the page's axes and columns and finds the real objects nearest to
// each.
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

// ShowLive shows the page like [Session.ShowExplorer] and serves it from the cell's process, which
// computes draws at any temperature, number and seed, and paths between any two objects. It returns
// when the reader presses the page's button "end live"; [explorer.Page.Selection] is what was
// selected then. Interrupting the cell ends the program. In a headless run ([notebook.Headless])
// nobody could press the button: the page is shown, but not served. Outside a notebook ShowLive
// prints the page's address.
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
