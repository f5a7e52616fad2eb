package corrupt

import "math"

// edges returns, for each pixel of a layer of levels, whether it is on an edge: Canny's detector
// with Sobel's 3x3 derivatives and the sum of their magnitudes as gradient. An edge pixel is a
// maximum across the edge above the lower threshold, and connected through such pixels to one above
// the higher.
func edges(layer raster, low, high float32) []bool {
	h, w := layer.h, layer.w
	dx, dy := newRaster(h, w, 1), newRaster(h, w, 1)
	size := func(y, x int) float32 {
		if y < 0 || x < 0 || y >= h || x >= w {
			return 0
		}
		return abs(dx.v[y*w+x]) + abs(dy.v[y*w+x])
	}
	for y := range h {
		above, here, below := layer.row(nearest(y-1, h)), layer.row(y), layer.row(nearest(y+1, h))
		for x := range w {
			left, right := nearest(x-1, w), nearest(x+1, w)
			dx.v[y*w+x] = above[right] - above[left] + 2*(here[right]-here[left]) + below[right] - below[left]
			dy.v[y*w+x] = below[left] - above[left] + 2*(below[x]-above[x]) + below[right] - above[right]
		}
	}

	weak, found := make([]bool, h*w), make([]bool, h*w)
	var queue []int
	for y := range h {
		for x := range w {
			i := y*w + x
			here := size(y, x)
			if here <= low || !ridge(dx.v[i], dy.v[i], here, y, x, size) {
				continue
			}
			weak[i] = true
			if here > high {
				found[i] = true
				queue = append(queue, i)
			}
		}
	}
	for len(queue) > 0 {
		i := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		for y := max(i/w-1, 0); y <= min(i/w+1, h-1); y++ {
			for x := max(i%w-1, 0); x <= min(i%w+1, w-1); x++ {
				if j := y*w + x; weak[j] && !found[j] {
					found[j] = true
					queue = append(queue, j)
				}
			}
		}
	}
	return found
}

// ridge reports whether the gradient at y, x is a maximum along its direction, one of four. Of
// equal neighbours only the first is a maximum.
func ridge(dx, dy, here float32, y, x int, size func(y, x int) float32) bool {
	const tan22, tan67 = math.Sqrt2 - 1, math.Sqrt2 + 1
	switch {
	case abs(dy) < tan22*abs(dx):
		return here > size(y, x-1) && here >= size(y, x+1)
	case abs(dy) > tan67*abs(dx):
		return here > size(y-1, x) && here >= size(y+1, x)
	case (dx < 0) == (dy < 0):
		return here > size(y-1, x-1) && here > size(y+1, x+1)
	}
	return here > size(y-1, x+1) && here > size(y+1, x-1)
}

func abs(v float32) float32 { return max(v, -v) }

// distances returns the distance of each pixel from the nearest marked one, at most limit. Paths
// consist of steps to a neighbour (1), to a diagonal one (1.4) and of knight's moves (2.1969):
// OpenCV's approximation of the Euclidean distance.
func distances(marked []bool, h, w int, limit float32) raster {
	steps := [...]struct {
		y, x   int
		length float32
	}{
		{-2, -1, 2.1969}, {-2, 1, 2.1969}, {-1, -2, 2.1969}, {-1, -1, 1.4}, {-1, 0, 1}, {-1, 1, 1.4}, {-1, 2, 2.1969}, {0, -1, 1},
	}
	out := newRaster(h, w, 1)
	for i, is := range marked {
		if !is {
			out.v[i] = limit
		}
	}
	// A shortest path has steps down or right, then others, or vice versa: two passes find it.
	for _, sign := range [2]int{1, -1} {
		for k := range out.v {
			i := k
			if sign < 0 {
				i = len(out.v) - 1 - k
			}
			y, x, best := i/w, i%w, out.v[i]
			if best == 0 {
				continue
			}
			for _, s := range steps {
				fromY, fromX := y+sign*s.y, x+sign*s.x
				if fromY >= 0 && fromX >= 0 && fromY < h && fromX < w {
					best = min(best, out.v[fromY*w+fromX]+s.length)
				}
			}
			out.v[i] = best
		}
	}
	return out
}
