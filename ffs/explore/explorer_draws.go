package explore

import (
	"context"
	"os"
	"slices"

	"ffslab/ffs/infer"
	"ffslab/ffs/outlier"
	"ffslab/viz/escape"
	"ffslab/viz/explorer"
)

// addDraws lets every registered method draw that this model can draw with, the run's own first. Another one that
// fails, because it has options that must be given or because a class has no inliers, is left out, which is said.
func (b *explorerBuilder) addDraws() error {
	names := []string{b.v.method}
	for _, name := range outlier.Names() {
		if name != b.v.method {
			names = append(names, name)
		}
	}
	for _, name := range names {
		method, err := outlier.Lookup(name)
		if err != nil {
			return err
		}
		if name == outlier.MethodNone || method.NeedsFlow && !b.v.model.HasFlow() {
			continue
		}
		if err := b.addMethod(name); err != nil {
			if name == b.v.method {
				return err
			}
			escape.Fprintf(os.Stdout, "the explorer leaves the method out: %v\n", err)
		}
	}
	return nil
}

// addMethod lets a method draw at every temperature with every seed.
func (b *explorerBuilder) addMethod(name string) error {
	page := explorer.Method{Name: name, Density: "the flow"}
	for _, temperature := range explorerTemperatures {
		var seeds [][]explorer.Sample
		for _, seed := range b.page.Draws.Seeds {
			made, err := b.v.model.Draw(context.Background(), name, explorerDraws, temperature, seed)
			if err != nil {
				return err
			}
			page.All, page.Own = made.All, made.OwnDensity
			switch {
			case made.OwnDensity:
				page.Density = "the method's own density"
			case made.NLL == nil:
				page.Density = ""
			}
			samples, err := b.samples(made.Features, likelihoods(made), energies(made.Scores))
			if err != nil {
				return err
			}
			seeds = append(seeds, samples)
		}
		page.Samples = append(page.Samples, seeds)
	}
	b.page.Draws.Methods = append(b.page.Draws.Methods, page)
	return nil
}

// likelihoods are the NLL of a draw, zeros where nothing has a density.
func likelihoods(made *infer.Synthesis) []float64 {
	if made.NLL == nil {
		return make([]float64, len(made.Features))
	}
	return made.NLL
}

// liveDraws are the numbers that are compiled for while the page is served live: a draw of fewer is
// the beginning of one of the next of them. The first is that of the stored draws, compiled already.
var liveDraws = []int{explorerDraws, 1000, explorer.MaxDraws}

// Draw draws by a method of the page, see [explorer.Source].
func (b *explorerBuilder) Draw(ctx context.Context, method string, n int, temperature float64, seed uint64) ([]explorer.Sample, error) {
	b.computing.Lock()
	defer b.computing.Unlock()
	at, _ := slices.BinarySearch(liveDraws, n)
	made, err := b.v.model.Draw(ctx, method, liveDraws[min(at, len(liveDraws)-1)], temperature, seed)
	if err != nil {
		return nil, err
	}
	samples, err := b.samples(made.Features, likelihoods(made), energies(made.Scores))
	if err != nil {
		return nil, err
	}
	return samples[:min(n, len(samples))], nil
}
