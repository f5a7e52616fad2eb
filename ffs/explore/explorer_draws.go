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

// addDraws adds the draws of every registered method that this model supports, the run's own first.
// Another method that fails, for example because it requires options or inliers of every class, is
// left out with a message.
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
			escape.Fprintf(os.Stdout, "the explorer leaves a method out: %v\n", err)
		}
	}
	return nil
}

// addMethod adds the draws of a method at every temperature with every seed.
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

// likelihoods returns the NLL of a draw, zeros if the method has no density.
func likelihoods(made *infer.Synthesis) []float64 {
	if made.NLL == nil {
		return make([]float64, len(made.Features))
	}
	return made.NLL
}

// liveDraws are the numbers of draws that live pages compile for; other numbers take the beginning
// of the next larger one. The first number is compiled already, for the stored draws.
var liveDraws = []int{explorerDraws, 1000, explorer.MaxDraws}

// Draw implements [explorer.Source].
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
