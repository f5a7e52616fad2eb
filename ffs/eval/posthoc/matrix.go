package posthoc

import "gonum.org/v1/gonum/mat"

// dense makes a matrix of n rows, n being above 0.
func dense(n, columns int, row func(i int) []float64) *mat.Dense {
	m := mat.NewDense(n, columns, nil)
	for i := range n {
		m.SetRow(i, row(i))
	}
	return m
}
