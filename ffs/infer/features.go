package infer

import (
	"context"
	"fmt"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/data"
)

// ObjectFeature is the box feature of one annotated object.
type ObjectFeature struct {
	// Image and Category are indices of the data set's images and categories.
	Image, Category int
	// Box is x0, y0, x1, y1 in pixels of the original image.
	Box      [4]float64
	Features []float32 // [feature dim]
	Scores
}

// ObjectFeatures returns the box features under the annotated boxes of the data set, with their
// scores: of at most limit objects, or of all if limit is 0.
func (m *Model) ObjectFeatures(ctx context.Context, set *data.Dataset, limit int) ([]ObjectFeature, error) {
	if set == nil {
		return nil, errNoSet
	}
	var objects []ObjectFeature
	enough := fmt.Errorf("enough objects")
	dim := m.featureDim()
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

// Score returns the scores of box features [n][feature dim], real or synthetic. No rows, or rows of
// another length, are an error.
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

// Encode maps box features [n][feature dim] to latents [n][feature dim] of the flow and returns
// their negative log-likelihood [n]. A model without a flow is an error, and so are rows as in
// [Model.Score].
func (m *Model) Encode(features [][]float32) (latents [][]float32, nll []float64, err error) {
	return m.throughFlow(true, features)
}

// Decode maps latents [n][feature dim] to box features [n][feature dim], the inverse of
// [Model.Encode], and returns the NLL [n] by which synthesis ranks them. Errors are those of
// Encode.
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
	return matrix(outputs[0], m.featureDim()), nll, nil
}

// Latents draws n latents [n][feature dim] from N(0, temperature^2 I). They are a function of the
// seed.
func (m *Model) Latents(n int, temperature float64, seed uint64) [][]float32 {
	return matrix(normals(n*m.featureDim(), temperature, seed, 0), m.featureDim())
}

// featureDim is the length of a box feature.
func (m *Model) featureDim() int { return m.Config.Model.ROI.FeatureDim() }

func (m *Model) noFlow() error {
	return fmt.Errorf("the model has no flow: it was trained with model.outlier.method=%s", m.Config.Model.Outlier.Method)
}

// callRows runs a graph whose input is a matrix [n, feature dim].
func (m *Model) callRows(exec *model.Exec, what string, rows [][]float32) ([][]float32, error) {
	if len(rows) == 0 {
		return nil, fmt.Errorf("%s: no rows are given", what)
	}
	dim := m.featureDim()
	flat := make([]float32, 0, len(rows)*dim)
	for i, row := range rows {
		if len(row) != dim {
			return nil, fmt.Errorf("%s: row %d has %d numbers, but the model's box features have %d (model.roi.fc_dim, or reduce_dim)", what, i, len(row), dim)
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
