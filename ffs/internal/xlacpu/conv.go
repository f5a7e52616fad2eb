package nn

import "github.com/gomlx/gomlx/core/graph"

// overRows returns the transposed x [rows, n] times y [rows, m]: [n, m], the kernel's gradient of a layer that maps rows to rows, for CPUs. XLA shares such a product among
// their cores by the result's rows and columns, which are too few beside so many rows: as a few products over parts of the rows it takes half to four fifths of the time.
func overRows(x, y *Node) *Node {
	rows, n, m := x.Shape().Dim(0), x.Shape().Dim(1), y.Shape().Dim(1)
	parts := 4
	for parts > 1 && (rows%parts != 0 || rows < 4*parts*max(n, m)) {
		parts--
	}
	if parts == 1 {
		return graph.DotGeneral(x, []int{0}, nil, y, []int{0}, nil)
	}
	x, y = graph.Reshape(x, parts, rows/parts, n), graph.Reshape(y, parts, rows/parts, m)
	products := graph.Split(graph.DotGeneral(x, []int{1}, []int{0}, y, []int{1}, []int{0}), 0, parts)
	sum := products[0]
	for _, product := range products[1:] {
		sum = graph.Add(sum, product) // not a reduction: see ForEach
	}
	return graph.Reshape(sum, n, m)
}
