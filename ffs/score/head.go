package score

import (
	"fmt"

	"gonum.org/v1/gonum/mat"
)

// head holds the rows of the class layer that compute the logits of the K inlier classes. Scores
// embed it for its Fit.
type head struct {
	w *mat.Dense // [K, d]; nil if unknown
	b []float64
}

// Fit keeps the class layer, which computes the logits of rows that come without.
func (h *head) Fit(inliers Features, layer Layer) error {
	if layer.W == nil {
		return nil
	}
	k, raw := inliers.Classes, layer.W.RawMatrix()
	if k < 1 || raw.Rows < k || raw.Rows-k > 1 || len(layer.B) != raw.Rows {
		return fmt.Errorf("the class layer has %d rows and %d biases, but there are %d classes: want one of each for every class, and perhaps for the background", raw.Rows, len(layer.B), k)
	}
	if inliers.X != nil && inliers.X.RawMatrix().Cols != raw.Cols {
		return fmt.Errorf("%s: features have %d columns, but the class layer has %d", inliers.From, inliers.X.RawMatrix().Cols, raw.Cols)
	}
	if err := (Features{From: "class layer", X: layer.W}).Check(); err != nil {
		return err
	}
	h.w, h.b = layer.W.Slice(0, k, 0, raw.Cols).(*mat.Dense), layer.B[:k]
	return nil
}

// apply returns the inlier logits [n, K] of features.
func (h *head) apply(x mat.Matrix) *mat.Dense {
	var logits mat.Dense
	logits.Mul(x, h.w.T())
	for i := range logits.RawMatrix().Rows {
		row := logits.RawRowView(i)
		for k := range row {
			row[k] += h.b[k]
		}
	}
	return &logits
}

// logits returns the inlier logits [n, K] of rows: their own if they have any, else those that the
// class layer computes from their features.
func (h *head) logits(name string, rows Features) (*mat.Dense, error) {
	if rows.Logits != nil {
		if err := rows.Check(); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		n, _ := rows.Logits.Dims()
		return rows.Logits.Slice(0, n, 0, rows.Classes).(*mat.Dense), nil
	}
	if h.w == nil || rows.X == nil {
		return nil, missing(name, "logits, nor features and a class layer", rows.From)
	}
	x, err := rows.features(name, h.w.RawMatrix().Cols)
	if err != nil {
		return nil, err
	}
	return h.apply(x), nil
}

// features returns the features of rows for a score that applies the class layer itself.
func (h *head) features(name string, rows Features) (*mat.Dense, error) {
	if h.w == nil {
		return nil, missing(name, "class layer", rows.From)
	}
	return rows.features(name, h.w.RawMatrix().Cols)
}

// fitFeatures fits the head and returns the features of the inliers. It needs features and the
// class layer.
func (h *head) fitFeatures(name string, inliers Features, layer Layer) (*mat.Dense, error) {
	if err := h.Fit(inliers, layer); err != nil {
		return nil, err
	}
	return h.features(name, inliers)
}

// both returns the features [n, d] and the inlier logits [n, K] of rows. d must equal dim unless
// dim is 0.
func (h *head) both(name string, rows Features, dim int) (x, logits *mat.Dense, err error) {
	if x, err = rows.features(name, dim); err != nil {
		return nil, nil, err
	}
	logits, err = h.logits(name, rows)
	return x, logits, err
}

// eachLogits returns f of the inlier logits of every row.
func (h *head) eachLogits(
	name string, rows Features, f func(logits []float64) float64,
) ([]float64, error) {
	logits, err := h.logits(name, rows)
	if err != nil {
		return nil, err
	}
	return each(logits, f), nil
}

// each returns f of every row.
func each(m *mat.Dense, f func(row []float64) float64) []float64 {
	values := make([]float64, m.RawMatrix().Rows)
	for i := range values {
		values[i] = f(m.RawRowView(i))
	}
	return values
}
