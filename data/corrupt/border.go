package corrupt

// border returns, for an index i that may lie outside a line of n > 0 pixels, the pixel to use
// instead.
type border func(i, n int) int

// nearest repeats the outermost pixel: a a a | a b c.
func nearest(i, n int) int { return min(max(i, 0), n-1) }

// reflect mirrors at the edge of the picture: b a | a b c.
func reflect(i, n int) int {
	i = modulo(i, 2*n)
	return min(i, 2*n-1-i)
}

// mirror mirrors at the centre of the outermost pixel: c b | a b c (OpenCV's reflect-101).
func mirror(i, n int) int {
	if n == 1 {
		return 0
	}
	i = modulo(i, 2*n-2)
	return min(i, 2*n-2-i)
}

// modulo returns i mod n, not negative.
func modulo(i, n int) int {
	if i %= n; i < 0 {
		i += n
	}
	return i
}
