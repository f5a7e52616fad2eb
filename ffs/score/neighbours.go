package score

import (
	"cmp"
	"math"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"
	"gonum.org/v1/gonum/blas/blas32"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// MaxBank is the largest number of inliers that the nearest-neighbour scores keep, spread evenly
// over those that Fit gets. 100 000 rows of 1024 features take 0.4 GB in addition to the features.
const MaxBank = 100_000

// bank is a set of vectors b_i = scale_i x_i that is searched for the largest q.b_i + offset_i.
//
// The search is exact: products of all pairs are computed in float32, tile by tile, and pairs that
// float32 cannot order are compared in float64.
type bank struct {
	x      *mat.Dense // as given; the vectors of the bank are some of its rows
	rows   []int
	scale  []float64
	offset []float64

	single  blas32.General // the vectors divided by longest, which keeps float32 from overflowing
	longest float64        // length of the longest vector
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

// neighbour is a vector of the bank, by its index there, with the key q.b + offset.
type neighbour struct {
	index int32
	key   float64
}

// Sizes of the tiles whose products are computed together: a tile of queries fits into the L1 cache
// of a core, a tile of vectors into its L2 cache. A BLAS matrix product, which gonum cuts into
// tiles of 64 columns, takes two and a half times as long.
const (
	queryTile  = 4
	bankTile   = 64
	queryBlock = 256 // queries that a core compares in one pass over the bank
)

// nearest calls found for each row of queries with the k vectors of the largest keys, best first,
// or with all vectors if the bank has fewer than k. It calls found from several goroutines.
func (b *bank) nearest(queries *mat.Dense, k int, found func(row int, best []neighbour)) {
	n, d := queries.Dims()
	k = min(k, len(b.rows))
	var workers errgroup.Group
	workers.SetLimit(runtime.GOMAXPROCS(0))
	for from := 0; from < n; from += queryBlock {
		workers.Go(func() error {
			searches := make([]search, min(queryBlock, n-from))
			for i := range searches {
				row := queries.RawRowView(from + i)
				// Each product and sum in float32 errs by half a unit in its last place, and so do
				// both factors. Offsets are added in float64.
				slack := 2 * float64(d+4) * 0x1p-24 * floats.Norm(row, 2) * b.longest
				searches[i] = search{k: k, limit: 4*k + 256, slack: slack, least: math.Inf(-1)}
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
			return nil
		})
	}
	_ = workers.Wait() // no worker fails
}

// compare adds the vectors from start to end to the searches that may want them.
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

// search collects the vectors that may be among the k best for a query, given that each key errs by
// at most half of slack.
type search struct {
	query      []float32
	k          int
	slack      float64
	least      float64 // vectors with keys below it are ruled out
	limit      int     // number of candidates at which ruled out ones are dropped
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
	s.limit = max(s.limit, 2*end) // equal keys cannot be dropped
}
