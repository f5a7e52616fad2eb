package explore

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ffslab/ffs/outlier"
	"ffslab/viz"
)

// What the explorer holds. Every method draws at each temperature and with each seed as many as the paper's flow does in a step.
const (
	explorerAxes   = 6
	explorerDraws  = 200
	explorerSeeds  = 3
	explorerReal   = 120 // objects of a set
	explorerNear   = 6   // real objects for a synthetic feature
	gaussianRidge  = 1e-4
	pathSteps      = 24
	thumbnailSide  = 48
	thumbnailSpace = 0.15 // around the box, of its longer side
)

var explorerTemperatures = []float64{0.25, 0.5, 0.75, 1, 1.25, 1.5, 2}

// Explorer returns the page on which a reader looks for outliers: real objects, what flow, flow-langevin and Gaussians draw, the real objects nearest
// to each draw, and ways through the latents between objects. The flow is compiled once; the page computes nothing but selections.
func (s *Session) Explorer() (*viz.Explorer, error) {
	v, err := s.Synthesis()
	if err != nil {
		return nil, err
	}
	sets, err := s.measuredSets()
	if err != nil {
		return nil, err
	}
	b := &explorerBuilder{v: v}
	axes := min(explorerAxes, len(v.inliers.Rows)-1, len(v.inliers.Rows[0]))
	if b.axes, err = viz.PCA(widen(v.inliers.Rows), axes); err != nil {
		return nil, err
	}
	o := v.model.Config.Model.Outlier
	b.page = &viz.Explorer{Select: max(1, explorerDraws*o.Select/o.SampleFrom), Inliers: map[string][]float64{
		outlier.MethodFlow: v.inliers.NLL, outlier.MethodLangevin: v.inliers.NLL,
	}}
	for i := range b.axes.Components {
		b.page.Axes = append(b.page.Axes, b.axes.Label(i))
	}
	for i, f := range append([]*Features{v.inliers}, v.unknown...) {
		color := viz.InlierColor
		if i > 0 {
			color = unknownColor(i - 1)
		}
		if err := b.addReal(sets[i].Images, f, color); err != nil {
			return nil, err
		}
	}
	for _, add := range []func() error{b.addFlow, b.addLangevin, b.addGaussians, b.addPaths} {
		if err := add(); err != nil {
			return nil, err
		}
	}
	return b.page, nil
}

// ShowExplorer saves the explorer as figures/NAME.html in Out and shows it under the cell. It ends the program if that fails.
func (s *Session) ShowExplorer(name string, e *viz.Explorer) {
	block, err := e.HTML("explorer_" + strings.ReplaceAll(name, "-", "_"))
	Check(err)
	page := "<!doctype html>\n<meta charset=\"utf-8\">\n<title>" + name + "</title>\n" + block
	dir := filepath.Join(s.Out, "figures")
	Check(os.MkdirAll(dir, 0o755))
	Check(os.WriteFile(filepath.Join(dir, name+".html"), []byte(page), 0o644))
	if err := e.Show(); err != nil && !errors.Is(err, viz.ErrNoNotebook) {
		Check(err)
	}
}

type explorerBuilder struct {
	v    *Synthesis
	axes *viz.Projection
	page *viz.Explorer
	real [][]float32 // in the order of the page's thumbnails
}

// cloud is some features on the page's axes.
func (b *explorerBuilder) cloud(rows [][]float32, nll, energy []float64) (viz.Cloud, error) {
	points, err := b.axes.Apply(widen(rows))
	return viz.Cloud{Points: points, NLL: nll, Energy: energy}, err
}

// addDraw adds what a method has made, with its neighbours among the real objects.
func (b *explorerBuilder) addDraw(d viz.Draw, rows [][]float32, nll, energy []float64) error {
	var err error
	if d.Cloud, err = b.cloud(rows, nll, energy); err != nil {
		return err
	}
	for _, row := range rows {
		d.Near = append(d.Near, nearestRows(b.real, row, explorerNear))
	}
	b.page.Draws = append(b.page.Draws, d)
	return nil
}

// eachDraw calls do for every temperature and seed.
func eachDraw(do func(temperature float64, seed int) error) error {
	for _, temperature := range explorerTemperatures {
		for seed := 1; seed <= explorerSeeds; seed++ {
			if err := do(temperature, seed); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *explorerBuilder) addFlow() error {
	return eachDraw(func(temperature float64, seed int) error {
		made, err := b.v.model.Synthesize(explorerDraws, 1, temperature, uint64(seed))
		if err != nil {
			return err
		}
		return b.addDraw(viz.Draw{Method: outlier.MethodFlow, Temperature: temperature, Seed: seed}, made.Features, made.NLL, energies(made.Scores))
	})
}

func (b *explorerBuilder) addLangevin() error {
	return eachDraw(func(temperature float64, seed int) error {
		made, err := b.v.model.SynthesizeLangevin(explorerDraws, b.v.inliers.Rows, temperature, uint64(seed))
		if err != nil {
			return err
		}
		return b.addDraw(viz.Draw{Method: outlier.MethodLangevin, Temperature: temperature, Seed: seed, All: true}, made.Features, made.NLL, energies(made.Scores))
	})
}

// addGaussians fits VOS's Gaussians to the held-out inliers.
func (b *explorerBuilder) addGaussians() error {
	inliers := b.v.inliers
	classes := make([][][]float64, len(inliers.Classes))
	for i, row := range widen(inliers.Rows) {
		classes[inliers.Class[i]] = append(classes[inliers.Class[i]], row)
	}
	fitted := fitGaussians(classes).widened(gaussianRidge)
	var err error
	if b.page.Inliers[outlier.MethodGaussian], err = fitted.nll(classes); err != nil {
		return err
	}
	for seed := 1; seed <= explorerSeeds; seed++ {
		points, nll, err := fitted.draw(max(1, explorerDraws/len(fitted.means)), rand.New(rand.NewPCG(uint64(seed), 0)))
		if err != nil {
			return err
		}
		rows := narrow(points)
		scores, err := b.v.model.Score(rows)
		if err != nil {
			return err
		}
		if err := b.addDraw(viz.Draw{Method: outlier.MethodGaussian, Seed: seed}, rows, nll, energies(scores)); err != nil {
			return err
		}
	}
	return nil
}

// addPaths adds straight ways through the latents: between the objects that are the most typical of their class or set, the nearest to its mean.
func (b *explorerBuilder) addPaths() error {
	type end struct {
		name  string
		place int
	}
	var ends []end
	first := 0
	for i, f := range append([]*Features{b.v.inliers}, b.v.unknown...) {
		shown := min(explorerReal, len(f.Rows))
		members := map[string][]int{}
		for j := range shown {
			name := f.Set
			if i == 0 {
				name = f.Classes[f.Class[j]]
			}
			members[name] = append(members[name], first+j)
		}
		names := make([]string, 0, len(members))
		for name := range members {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			ends = append(ends, end{name, b.typical(members[name])})
		}
		first += shown
	}
	for i, from := range ends {
		for _, to := range ends[i+1:] {
			path, err := b.path(from.place, to.place)
			if err != nil {
				return err
			}
			path.Name = fmt.Sprintf("%s to %s", from.name, to.name)
			b.page.Paths = append(b.page.Paths, path)
		}
	}
	return nil
}

// typical is which of some real objects is the nearest to their mean.
func (b *explorerBuilder) typical(places []int) int {
	mean := make([]float32, len(b.real[0]))
	rows := make([][]float32, len(places))
	for i, place := range places {
		rows[i] = b.real[place]
		for j, v := range b.real[place] {
			mean[j] += v / float32(len(places))
		}
	}
	return places[nearestRows(rows, mean, 1)[0]]
}

// path goes from one real object to another on the straight line between their latents.
func (b *explorerBuilder) path(from, to int) (viz.Path, error) {
	latents, _, err := b.v.model.Encode([][]float32{b.real[from], b.real[to]})
	if err != nil {
		return viz.Path{}, err
	}
	way := make([][]float32, pathSteps+1)
	for i := range way {
		t := float32(i) / pathSteps
		way[i] = make([]float32, len(latents[0]))
		for j := range way[i] {
			way[i][j] = (1-t)*latents[0][j] + t*latents[1][j]
		}
	}
	features, nll, err := b.v.model.Decode(way)
	if err != nil {
		return viz.Path{}, err
	}
	scores, err := b.v.model.Score(features)
	if err != nil {
		return viz.Path{}, err
	}
	path := viz.Path{From: from, To: to}
	path.Cloud, err = b.cloud(features, nll, energies(scores))
	return path, err
}
