package explore

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"

	"gonum.org/v1/gonum/mat"

	"ffslab/ffs/score"
	"ffslab/viz"
	"ffslab/viz/escape"
	"ffslab/viz/explorer"
)

// The columns that come before those of scores, as places in the values of a point.
const (
	mapX = iota
	mapY
	inlierDistance
	ownColumns
)

const distanceName = "distance to the nearest inlier"

// namedScorer is a fitted score.
type namedScorer struct {
	name   string
	scorer score.Scorer
}

// addColumns says which numbers points have, and fits the scores.
func (b *explorerBuilder) addColumns(s *Session, names []string) error {
	b.page.Columns = []explorer.Column{{Name: "t-SNE 1"}, {Name: "t-SNE 2"}, {Name: distanceName, Unlike: true}}
	b.page.Planes = []explorer.Plane{{Name: "t-SNE", X: "t-SNE 1", Y: "t-SNE 2"}, {Name: "distance and energy", X: distanceName, Y: "energy"}}
	if len(names) == 0 {
		names = explorerScores
	}
	training, err := s.fitFeatures()
	if err != nil {
		return err
	}
	// The first call of the model reads its parameters, of which the class layer is one.
	if _, err := b.v.model.Score(b.v.inliers.Rows[:1]); err != nil {
		return err
	}
	layer, err := b.classLayer()
	if err != nil {
		return err
	}
	rows := score.Features{From: "the training set (none is named)"}
	if training != nil {
		if rows, err = b.rows(training.Set, training.Rows, training.Class, layer); err != nil {
			return err
		}
	}
	for _, name := range names {
		scorer, err := score.New(name)
		if err != nil {
			return err
		}
		if err := scorer.Fit(rows, layer); err != nil {
			escape.Fprintf(os.Stdout, "the explorer leaves the score out: %v\n", err)
			continue
		}
		// What does not apply to the model's rows is known after the first of them.
		first, err := b.rows("the inliers", b.v.inliers.Rows[:1], nil, layer)
		if err == nil {
			_, err = scorer.Score(first)
		}
		if err != nil {
			if !errors.Is(err, score.ErrMissing) {
				escape.Fprintf(os.Stdout, "the explorer leaves the score out: %v\n", err)
			}
			continue
		}
		b.scorers = append(b.scorers, namedScorer{name, scorer})
		b.page.Columns = append(b.page.Columns, explorer.Column{Name: name, Score: true})
	}
	return nil
}

// fitFeatures are those of the training set, which scores are fitted on; nil if the run names none,
// or if it is not on this machine, which is said: the rest of the page does not need it.
func (s *Session) fitFeatures() (*Features, error) {
	set, err := s.TrainingSet()
	if errors.Is(err, viz.ErrNothing) {
		return nil, nil
	}
	if err != nil {
		escape.Fprintf(os.Stdout, "the explorer has no training set to fit scores on: %v\n", err)
		return nil, nil
	}
	return s.Features(s.few(set))
}

// classLayer is the model's, in the form of package score.
func (b *explorerBuilder) classLayer() (score.Layer, error) {
	weights, biases, err := b.v.model.ClassLayer()
	if err != nil {
		return score.Layer{}, err
	}
	layer := score.Layer{W: dense(weights)}
	for _, v := range biases {
		layer.B = append(layer.B, float64(v))
	}
	return layer, nil
}

// rows are features in the form of package score, with their logits and the model's own scores.
func (b *explorerBuilder) rows(from string, features [][]float32, classes []int, layer score.Layer) (score.Features, error) {
	f := score.Features{From: from, X: dense(features), Classes: len(b.v.model.Config.Model.Classes), Labels: classes, Given: map[string][]float64{}}
	f.Logits = new(mat.Dense)
	f.Logits.Mul(f.X, layer.W.T())
	for i := range features {
		for k, bias := range layer.B {
			f.Logits.Set(i, k, f.Logits.At(i, k)+bias)
		}
	}
	scores, err := b.v.model.Score(features)
	for _, s := range scores {
		for name, value := range b.v.model.ScoresByName(s) {
			f.Given[name] = append(f.Given[name], value)
		}
	}
	return f, err
}

// values are the page's columns of features. self are their places among the inliers, which are not
// their own neighbours, -1 for what is none; nil: none of them is.
func (b *explorerBuilder) values(rows [][]float32, self []int) ([][]float64, error) {
	values := make([][]float64, len(rows))
	near := b.inliers.find(rows, 2)
	for i, row := range rows {
		values[i] = make([]float64, ownColumns, len(b.page.Columns))
		values[i][mapX], values[i][mapY], values[i][inlierDistance] = math.NaN(), math.NaN(), math.NaN()
		for _, other := range near[i] {
			if self == nil || other != self[i] {
				values[i][inlierDistance] = distance(row, b.v.inliers.Rows[other])
				break
			}
		}
	}
	if len(b.scorers) == 0 {
		return values, nil
	}
	layer, err := b.classLayer()
	if err != nil {
		return nil, err
	}
	features, err := b.rows("features", rows, nil, layer)
	if err != nil {
		return nil, err
	}
	for _, s := range b.scorers {
		column, err := s.scorer.Score(features)
		if err != nil {
			return nil, fmt.Errorf("score %s: %w", s.name, err)
		}
		for i, v := range column {
			values[i] = append(values[i], v)
		}
	}
	return values, nil
}

// distance is the Euclidean one.
func distance(a, b []float32) float64 {
	sum := 0.0
	for i := range a {
		d := float64(a[i]) - float64(b[i])
		sum += d * d
	}
	return math.Sqrt(sum)
}

// addMap gives the objects, and the draws that the page starts with, their places by t-SNE, all
// together. Fewer points than it needs have none.
func (b *explorerBuilder) addMap() error {
	const least = 4
	rows := b.real
	var places []*[]float64 // their values
	for g := range b.page.Groups {
		for i := range b.page.Groups[g].Objects {
			places = append(places, &b.page.Groups[g].Objects[i].Values)
		}
	}
	temperature := startTemperature()
	for _, m := range b.page.Draws.Methods {
		made, err := b.v.model.Draw(context.Background(), m.Name, explorerDraws, explorerTemperatures[temperature], b.page.Draws.Seeds[0])
		if err != nil {
			return err
		}
		rows = append(rows[:len(rows):len(rows)], made.Features...)
		for i := range made.Features {
			places = append(places, &m.Samples[temperature][0][i].Values)
		}
	}
	if len(rows) < least {
		b.page.Planes = b.page.Planes[1:]
		return nil
	}
	embedded, err := viz.TSNE(widen(rows), viz.TSNEOptions{Iterations: mapIterations})
	if err != nil {
		return err
	}
	for i, at := range embedded.XY {
		(*places[i])[mapX], (*places[i])[mapY] = at[0], at[1]
	}
	return nil
}

// mapIterations is fewer than t-SNE takes by itself: the page is not to wait for the last digit.
const mapIterations = 500

// startTemperature is the place of the one nearest to 1, with which the page starts.
func startTemperature() int {
	best := 0
	for i, t := range explorerTemperatures {
		if math.Abs(t-1) < math.Abs(explorerTemperatures[best]-1) {
			best = i
		}
	}
	return best
}
