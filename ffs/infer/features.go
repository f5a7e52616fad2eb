package infer

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/data"
)

// ObjectFeature is the box feature of one annotated object.
type ObjectFeature struct {
	// Image and Instance are its places in the data set; Category indexes the data set's categories.
	Image, Category int
	// Box is x0, y0, x1, y1 in pixels of the picture itself.
	Box      [4]float64
	Features []float32
	Scores
}

// ObjectFeatures returns the box features [fc_dim] under the annotated boxes of the data set, with their scores; at most limit objects, 0 for
// all.
func (m *Model) ObjectFeatures(ctx context.Context, set *data.Dataset, limit int) ([]ObjectFeature, error) {
	var objects []ObjectFeature
	enough := fmt.Errorf("enough objects")
	dim := m.Config.Model.ROI.FCDim
	err := m.eachBatch(ctx, set, min(batchSize, len(set.Images)), func(b *data.Batch) error {
		boxes := tensors.FromFlatDataAndDimensions(b.Boxes, b.BatchSize, b.MaxBoxes, 4)
		valid := tensors.FromFlatDataAndDimensions(b.Valid, b.BatchSize, b.MaxBoxes)
		outputs, err := m.call(m.features, "features", imagesTensor(b), sizesTensor(b), boxes, valid)
		if err != nil {
			return err
		}
		rows, err := m.Score(matrix(outputs[0], dim))
		if err != nil {
			return err
		}
		for image, source := range b.Sources {
			for j := range b.MaxBoxes {
				i := image*b.MaxBoxes + j
				if !b.Valid[i] {
					continue
				}
				if limit > 0 && len(objects) == limit {
					return enough
				}
				x, y := 1/source.ScaleX, 1/source.ScaleY
				box := b.Boxes[4*i:]
				objects = append(objects, ObjectFeature{
					Image: source.Index, Category: int(b.Classes[i]),
					Box:      [4]float64{float64(box[0]) * x, float64(box[1]) * y, float64(box[2]) * x, float64(box[3]) * y},
					Features: outputs[0][i*dim : (i+1)*dim], Scores: rows[i],
				})
			}
		}
		return nil
	})
	if err == enough {
		err = nil
	}
	return objects, err
}

// Score returns the scores of features [n][fc_dim], real or synthetic. Rows of another length, or none, are an error.
func (m *Model) Score(features [][]float32) ([]Scores, error) {
	outputs, err := m.callRows(m.score, "scores", features)
	if err != nil {
		return nil, err
	}
	scores := make([]Scores, len(features))
	for i := range scores {
		scores[i] = scoresAt(outputs, i)
	}
	return scores, nil
}

// Encode maps features [n][fc_dim] to latents [n][fc_dim] and returns their NLL [n]. A model without a flow is an error, as are rows of
// another length, or none.
func (m *Model) Encode(features [][]float32) (latents [][]float32, nll []float64, err error) {
	return m.throughFlow(true, features)
}

// Decode maps latents [n][fc_dim] to features [n][fc_dim] and returns the NLL [n] by which synthesis ranks them. A model without a flow
// is an error, as are rows of another length, or none.
func (m *Model) Decode(latents [][]float32) (features [][]float32, nll []float64, err error) {
	return m.throughFlow(false, latents)
}

func (m *Model) throughFlow(forward bool, rows [][]float32) ([][]float32, []float64, error) {
	if !m.HasFlow() {
		return nil, nil, m.noFlow()
	}
	exec, what := m.decode, "flow backward"
	if forward {
		exec, what = m.encode, "flow forward"
	}
	outputs, err := m.callRows(exec, what, rows)
	if err != nil {
		return nil, nil, err
	}
	nll := make([]float64, len(rows))
	for i, v := range outputs[1] {
		nll[i] = float64(v)
	}
	return matrix(outputs[0], m.Config.Model.ROI.FCDim), nll, nil
}

// Latents draws n latents [n][fc_dim] from N(0, temperature^2 I), a function of the seed alone.
func (m *Model) Latents(n int, temperature float64, seed uint64) [][]float32 {
	rng := rand.New(rand.NewPCG(seed, 0))
	latents := make([][]float32, n)
	for i := range latents {
		latents[i] = make([]float32, m.Config.Model.ROI.FCDim)
		for j := range latents[i] {
			latents[i][j] = float32(rng.NormFloat64() * temperature)
		}
	}
	return latents
}

// Synthesis is a draw of synthetic features, in the order of the draws.
type Synthesis struct {
	// Latents and Features are [n][fc_dim].
	Latents, Features [][]float32
	// NLL ranks the features; Outlier marks those of the highest NLL; Scores are the detector's view of them.
	NLL     []float64
	Outlier []bool
	Scores  []Scores
}

// Synthesize draws n latents at the temperature (see Latents), decodes them and marks the keep least likely features (the earlier
// first among equals), which is the paper's synthesis of outliers.
func (m *Model) Synthesize(n, keep int, temperature float64, seed uint64) (*Synthesis, error) {
	s := &Synthesis{Latents: m.Latents(n, temperature, seed), Outlier: make([]bool, n)}
	var err error
	if s.Features, s.NLL, err = m.Decode(s.Latents); err != nil {
		return nil, err
	}
	if s.Scores, err = m.Score(s.Features); err != nil {
		return nil, err
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(s.NLL[j], s.NLL[i]) })
	for _, i := range order[:min(keep, n)] {
		s.Outlier[i] = true
	}
	return s, nil
}

// SynthesizeLangevin draws n latents at the temperature, decodes them and moves the features down the gradient of their likelihood until their mean is
// less likely than the least likely of the inliers [any][fc_dim], as training does by the method flow-langevin. All are outliers. It fails as
// Synthesize does.
func (m *Model) SynthesizeLangevin(n int, inliers [][]float32, temperature float64, seed uint64) (*Synthesis, error) {
	if !m.HasFlow() {
		return nil, m.noFlow()
	}
	dim := m.Config.Model.ROI.FCDim
	for _, row := range inliers {
		if len(row) != dim {
			return nil, fmt.Errorf("langevin: an inlier has %d numbers, but the model's box features have %d (model.roi.fc_dim)", len(row), dim)
		}
	}
	if n < 1 || len(inliers) == 0 {
		return nil, fmt.Errorf("langevin: %d draws, %d inliers: at least one of each is needed", n, len(inliers))
	}
	s := &Synthesis{Latents: m.Latents(n, temperature, seed)}
	outputs, err := m.call(m.descend, "langevin", tensors.FromFlatDataAndDimensions(slices.Concat(s.Latents...), n, dim),
		tensors.FromFlatDataAndDimensions(slices.Concat(inliers...), len(inliers), dim))
	if err != nil {
		return nil, err
	}
	s.Features = matrix(outputs[0], dim)
	for _, v := range outputs[1] {
		s.NLL, s.Outlier = append(s.NLL, float64(v)), append(s.Outlier, true)
	}
	s.Scores, err = m.Score(s.Features)
	return s, err
}

func (m *Model) noFlow() error {
	return fmt.Errorf("the model was trained with model.outlier.method=%s and has no flow", m.Config.Model.Outlier.Method)
}

// callRows runs a graph of one matrix [n, fc_dim] on the rows.
func (m *Model) callRows(exec *model.Exec, what string, rows [][]float32) ([][]float32, error) {
	if len(rows) == 0 {
		return nil, fmt.Errorf("%s: no rows are given", what)
	}
	dim := m.Config.Model.ROI.FCDim
	flat := make([]float32, 0, len(rows)*dim)
	for i, row := range rows {
		if len(row) != dim {
			return nil, fmt.Errorf("%s: row %d has %d numbers, but the model's box features have %d (model.roi.fc_dim)", what, i, len(row), dim)
		}
		flat = append(flat, row...)
	}
	return m.call(exec, what, tensors.FromFlatDataAndDimensions(flat, len(rows), dim))
}

func matrix(flat []float32, dim int) [][]float32 {
	rows := make([][]float32, len(flat)/dim)
	for i := range rows {
		rows[i] = flat[i*dim : (i+1)*dim]
	}
	return rows
}
