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

// Indices of the columns before those of the scores.
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

// addColumns defines the page's columns and fits the scores.
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
	// The class layer is available after the first call of the model, which reads the parameters.
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
		scorer = score.Checked(scorer)
		if err := scorer.Fit(rows, layer); err != nil {
			escape.Fprintf(os.Stdout, "the explorer leaves a score out: %v\n", err)
			continue
		}
		// Whether a score applies to the model shows at the first row.
		first, err := b.rows("the inliers", b.v.inliers.Rows[:1], nil, layer)
		if err == nil {
			_, err = scorer.Score(first)
		}
		if err != nil {
			if !errors.Is(err, score.ErrMissing) {
				escape.Fprintf(os.Stdout, "the explorer leaves a score out: %v\n", err)
			}
			continue
		}
		b.scorers = append(b.scorers, namedScorer{name, scorer})
		b.page.Columns = append(b.page.Columns, explorer.Column{Name: name, Score: true})
	}
	return nil
}

// fitFeatures returns features of the training set to fit scores on. It returns nil if the run
// names no training set, and, with a message, if the set cannot be opened: the rest of the page
// does not need it.
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

// classLayer returns the model's class layer.
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

// rows returns features with their logits and the model's own scores, as package score takes them.
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

// values returns the page's columns of features. self holds the index that each of them has among
// the inliers; nil if they are no inliers.
func (b *explorerBuilder) values(rows [][]float32, self []int) ([][]float64, error) {
	values := make([][]float64, len(rows))
	for i, distance := range b.inliers.distances(rows, self) {
		values[i] = make([]float64, ownColumns, len(b.page.Columns))
		values[i][mapX], values[i][mapY], values[i][inlierDistance] = math.NaN(), math.NaN(), distance
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

// addMap embeds the objects and the draws that the page starts with by t-SNE. Without enough points
// the page has no such plane.
func (b *explorerBuilder) addMap() error {
	const least = 4
	rows := b.real
	var places []*[]float64 // of the points
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

// mapIterations is half of the default: a page needs no last digit.
const mapIterations = 500

// startTemperature returns the index of the temperature nearest to 1, with which the page starts.
func startTemperature() int {
	best := 0
	for i, t := range explorerTemperatures {
		if math.Abs(t-1) < math.Abs(explorerTemperatures[best]-1) {
			best = i
		}
	}
	return best
}
