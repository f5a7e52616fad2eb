package score

import (
	"cmp"
	"math"
	"runtime"
	"slices"
	"sync"

	"gonum.org/v1/gonum/blas/blas32"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// MaxBank is how many inliers the scores of neighbours keep at most, spread evenly over those that Fit gets. 100 000 rows of 1024 features take 0.4 GB
// beside the features themselves.
const MaxBank = 100_000

// bank is a set of vectors b_i = scale_i x_i that is searched for the largest q.b_i + offset_i, exactly.
//
// Products of all pairs are computed in float32, tile by tile. What they leave undecided, within the error that float32 can have, is decided in float64.
type bank struct {
	x      *mat.Dense // as given; the bank's vectors are some of its rows
	rows   []int
	scale  []float64
	offset []float64

	single  blas32.General // the vectors over the length of the longest, in float32, which so cannot overflow
	longest float64        // length of the longest
}

// newBank keeps at most MaxBank rows of x.
func newBank(x *mat.Dense, scale, offset func(row int) float64) *bank {
	n, d := x.Dims()
	size := min(n, MaxBank)
	b := &bank{x: x, rows: make([]int, size), scale: make([]float64, size), offset: make([]float64, size)}
	b.single = blas32.General{Rows: size, Cols: d, Stride: d, Data: make([]float32, size*d)}
	for i := range b.rows {
		row := i * n / size
		b.rows[i], b.scale[i], b.offset[i] = row, scale(row), offset(row)
		b.longest = max(b.longest, math.Abs(b.scale[i])*floats.Norm(x.RawRowView(row), 2))
	}
	for i, row := range b.rows {
		for j, v := range x.RawRowView(row) {
			if b.longest > 0 {
				b.single.Data[i*d+j] = float32(b.scale[i] * v / b.longest)
			}
		}
	}
	return b
}

// neighbour is a vector of the bank, by its index there, and q.b + offset.
type neighbour struct {
	index int32
	key   float64
}

// Tiles whose products are computed together: the queries of one stay in the first cache of a core, the vectors of the other in the second. A BLAS product of matrices, which
// gonum cuts into tiles of 64 columns, takes two and a half times as long.
const (
	queryTile  = 4
	bankTile   = 64
	queryBlock = 256 // queries for which a core goes through the bank once
)

// nearest calls found for each row of queries, on all cores at once, with the k vectors of the largest key, best first; fewer if the bank has fewer.
func (b *bank) nearest(queries *mat.Dense, k int, found func(row int, best []neighbour)) {
	n, d := queries.Dims()
	k = min(k, len(b.rows))
	inParallel((n+queryBlock-1)/queryBlock, func(block int) {
		from := block * queryBlock
		searches := make([]search, min(queryBlock, n-from))
		for i := range searches {
			row := queries.RawRowView(from + i)
			// Every product and sum of float32 errs by half a unit in its last place, and so do both factors. Offsets are added in float64.
			searches[i] = search{k: k, limit: 4*k + 256, slack: 2 * float64(d+4) * 0x1p-24 * floats.Norm(row, 2) * b.longest, least: math.Inf(-1)}
			searches[i].query = make([]float32, d)
			for j, v := range row {
				searches[i].query[j] = float32(v)
			}
		}
		for start := 0; start < len(b.rows); start += bankTile {
			end := min(start+bankTile, len(b.rows))
			for first := 0; first < len(searches); first += queryTile {
				b.compare(start, end, searches[first:min(first+queryTile, len(searches))])
			}
		}
		for i := range searches {
			found(from+i, b.decide(queries.RawRowView(from+i), searches[i].candidates, k))
		}
	})
}

// compare adds the vectors of a tile to the searches that they may be wanted by.
func (b *bank) compare(start, end int, searches []search) {
	for j := start; j < end; j++ {
		vector := blas32.Vector{N: b.single.Cols, Inc: 1, Data: b.single.Data[j*b.single.Stride : (j+1)*b.single.Stride]}
		for i := range searches {
			s := &searches[i]
			key := b.longest*float64(blas32.Dot(vector, blas32.Vector{N: len(s.query), Inc: 1, Data: s.query})) + b.offset[j]
			if key >= s.least {
				s.add(neighbour{int32(j), key})
			}
		}
	}
}

// decide computes the keys of the candidates in float64 and returns the k best.
func (b *bank) decide(query []float64, candidates []neighbour, k int) []neighbour {
	for i := range candidates {
		c := &candidates[i]
		c.key = b.scale[c.index]*floats.Dot(query, b.x.RawRowView(b.rows[c.index])) + b.offset[c.index]
	}
	sortNeighbours(candidates)
	return candidates[:k]
}

func sortNeighbours(list []neighbour) {
	slices.SortFunc(list, func(a, b neighbour) int { return cmp.Or(cmp.Compare(b.key, a.key), cmp.Compare(a.index, b.index)) })
}

// search collects all vectors that may be among the k best of a query, given that each key errs by half of slack at most.
type search struct {
	query      []float32
	k          int
	slack      float64
	least      float64 // keys below it are out of question
	limit      int     // candidates at which those are thrown out
	candidates []neighbour
}

func (s *search) add(n neighbour) {
	s.candidates = append(s.candidates, n)
	if len(s.candidates) < s.limit {
		return
	}
	sortNeighbours(s.candidates)
	s.least = s.candidates[s.k-1].key - s.slack
	end := s.k
	for end < len(s.candidates) && s.candidates[end].key >= s.least {
		end++
	}
	s.candidates = s.candidates[:end]
	s.limit = max(s.limit, 2*end) // equal ones cannot be thrown out
}

// inParallel calls do for 0 to n-1, on all cores.
func inParallel(n int, do func(i int)) {
	var wg sync.WaitGroup
	workers := min(n, runtime.GOMAXPROCS(0))
	for w := range workers {
		wg.Go(func() {
			for i := n * w / workers; i < n*(w+1)/workers; i++ {
				do(i)
			}
		})
	}
	wg.Wait()
}
