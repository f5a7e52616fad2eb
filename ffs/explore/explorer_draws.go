package explore

import (
	"math/rand/v2"

	"ffslab/ffs/infer"
	"ffslab/ffs/outlier"
	"ffslab/viz/explorer"
)

// gaussianRidge is what VOS adds to the variance in every direction.
const gaussianRidge = 1e-4

// addDraws lets every method draw.
func (b *explorerBuilder) addDraws() error {
	gaussians, err := b.gaussians()
	if err != nil {
		return err
	}
	model, goal := b.v.model, b.foreground()
	for _, method := range []struct {
		explorer.Method
		draw func(temperature float64, seed uint64) (rows [][]float32, nll []float64, scores []infer.Scores, err error)
	}{
		{explorer.Method{Name: outlier.MethodFlow, Density: "the flow"}, func(temperature float64, seed uint64) ([][]float32, []float64, []infer.Scores, error) {
			return parts(model.Synthesize(explorerDraws, 1, temperature, seed))
		}},
		{explorer.Method{Name: outlier.MethodLangevin, Density: "the flow", All: true}, func(temperature float64, seed uint64) ([][]float32, []float64, []infer.Scores, error) {
			return parts(model.SynthesizeLangevin(explorerDraws, goal, temperature, seed))
		}},
		{explorer.Method{Name: outlier.MethodGaussian, Density: "the class's Gaussian", Own: true}, gaussians},
	} {
		for _, temperature := range explorerTemperatures {
			var seeds [][]explorer.Sample
			for _, seed := range b.page.Draws.Seeds {
				rows, nll, scores, err := method.draw(temperature, seed)
				if err != nil {
					return err
				}
				samples, err := b.samples(rows, nll, energies(scores))
				if err != nil {
					return err
				}
				seeds = append(seeds, samples)
			}
			method.Samples = append(method.Samples, seeds)
		}
		b.page.Draws.Methods = append(b.page.Draws.Methods, method.Method)
	}
	return nil
}

func parts(s *infer.Synthesis, err error) ([][]float32, []float64, []infer.Scores, error) {
	if err != nil {
		return nil, nil, nil, err
	}
	return s.Features, s.NLL, s.Scores, nil
}

// foreground is as many inliers as a training step's foreground has at most: langevin's goal is the least likely of them.
func (b *explorerBuilder) foreground() [][]float32 {
	c := b.v.model.Config
	n := int(float64(c.Train.ImagesPerStep*c.Model.ROI.BatchPerImage) * c.Model.ROI.PositiveFraction)
	var rows [][]float32
	for _, i := range evenly(len(b.v.inliers.Rows), max(1, n)) {
		rows = append(rows, b.v.inliers.Rows[i])
	}
	return rows
}

// gaussians fits VOS's Gaussians to the held-out inliers and returns what draws from them.
func (b *explorerBuilder) gaussians() (func(float64, uint64) ([][]float32, []float64, []infer.Scores, error), error) {
	fitted := fitGaussians(byClass(b.v.inliers)).widened(gaussianRidge)
	normals, err := fitted.normals(nil)
	if err != nil {
		return nil, err
	}
	each := (explorerDraws + len(normals) - 1) / len(normals)
	return func(temperature float64, seed uint64) ([][]float32, []float64, []infer.Scores, error) {
		points, _, err := fitted.draw(each, rand.New(rand.NewPCG(seed, 0)))
		if err != nil {
			return nil, nil, nil, err
		}
		// A reader who takes fewer draws is to see all classes: they take turns. The temperature scales the distance from the class's mean.
		rows, nll := make([][]float64, explorerDraws), make([]float64, explorerDraws)
		for i := range rows {
			class := i % len(normals)
			rows[i] = warmed(points[class*each+i/len(normals)], fitted.means[class], temperature)
			nll[i] = -normals[class].LogProb(rows[i])
		}
		features := narrow(rows)
		scores, err := b.v.model.Score(features)
		return features, nll, scores, err
	}, nil
}

// warmed is the point at temperature times its distance from the centre.
func warmed(point, centre []float64, temperature float64) []float64 {
	out := make([]float64, len(point))
	for j, c := range centre {
		out[j] = c + temperature*(point[j]-c)
	}
	return out
}
