package viz

import (
	"errors"
	"fmt"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// Projection is an affine map onto principal components. It is fitted once, on inlier features say,
// and then shows any others in the same plane.
type Projection struct {
	Mean       []float64   // [D] mean of the rows that it was fitted on
	Components [][]float64 // [k][D] orthonormal, by descending variance; the entry of largest magnitude is positive
	Explained  []float64   // [k] fraction of the total variance along each component
}

// PCA fits the first k principal components of rows ([n][D], n at least 2). The sign of a
// component, which PCA leaves open, is fixed as [Projection] says, so that a figure does not flip
// from run to run. It fails for rows of different lengths, non-finite entries, rows that are all
// equal, and k outside 1 ... min(n-1, D).
func PCA(rows [][]float64, k int) (*Projection, error) {
	n := len(rows)
	if n < 2 {
		return nil, errors.New("viz: PCA: needs at least two rows of at least one column")
	}
	if err := checkRows("PCA", rows); err != nil {
		return nil, err
	}
	dim := len(rows[0])
	if k < 1 || k > min(n-1, dim) {
		return nil, fmt.Errorf("viz: PCA: %d components of %d rows of %d columns: choose 1 to %d", k, n, dim, min(n-1, dim))
	}
	p := &Projection{Mean: make([]float64, dim)}
	for _, row := range rows {
		for j, v := range row {
			p.Mean[j] += v / float64(n)
		}
	}
	centred := mat.NewDense(n, dim, nil)
	for i, row := range rows {
		for j, v := range row {
			centred.Set(i, j, v-p.Mean[j])
		}
	}

	total := mat.Norm(centred, 2)
	total *= total
	if !(total > 0) {
		return nil, errors.New("viz: PCA: all rows are equal: there is no direction of variance")
	}
	values, vectors := leadingDirections(centred, k)
	for c := range k {
		if c >= len(values) || !(values[c] > 1e-12*values[0]) {
			return nil, fmt.Errorf("viz: PCA: the rows vary along %d directions only, not %d", c, k)
		}
		p.Components = append(p.Components, positive(vectors[c]))
		p.Explained = append(p.Explained, values[c]/total)
	}
	return p, nil
}

// positive returns v, or -v if its entry of largest magnitude is negative.
func positive(v []float64) []float64 {
	if floats.Max(v) < -floats.Min(v) {
		floats.Scale(-1, v)
	}
	return v
}

// Apply projects rows ([n][D]) onto the components: [n][k]. It fails for a row of another length
// than D.
func (p *Projection) Apply(rows [][]float64) ([][]float64, error) {
	out := make([][]float64, len(rows))
	for i, row := range rows {
		if len(row) != len(p.Mean) {
			return nil, fmt.Errorf("viz: projection: row %d has %d columns, it was fitted on %d", i, len(row), len(p.Mean))
		}
		out[i] = make([]float64, len(p.Components))
		for c, component := range p.Components {
			for j, v := range row {
				out[i][c] += component[j] * (v - p.Mean[j])
			}
		}
	}
	return out, nil
}

// Points projects rows ([n][D]) onto the first two components, as a group of a [Scatter]. It fails
// as Apply does, and for a projection of fewer than two components.
func (p *Projection) Points(name string, rows [][]float64) (Points, error) {
	if len(p.Components) < 2 {
		return Points{}, errors.New("viz: projection: a scatter needs two components: fit with k = 2")
	}
	projected, err := p.Apply(rows)
	if err != nil {
		return Points{}, fmt.Errorf("%w (group %q)", err, name)
	}
	g := Points{Name: name}
	for _, row := range projected {
		g.X, g.Y = append(g.X, row[0]), append(g.Y, row[1])
	}
	return g, nil
}

// Label is the axis label of component c, counted from 0: "PC 1 (41 % of variance)".
func (p *Projection) Label(c int) string {
	if c < 0 || c >= len(p.Explained) {
		return fmt.Sprintf("PC %d", c+1)
	}
	return fmt.Sprintf("PC %d (%.0f %% of variance)", c+1, 100*p.Explained[c])
}
