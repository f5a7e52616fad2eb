// Package glyph holds small pictures of single characters and the file format of the embedded MNIST
// subset.
package glyph

import (
	"bufio"
	"compress/flate"
	"fmt"
	"io"
)

// Digits is the number of classes in a Set.
const Digits = 10

// maxSide bounds the sides of a glyph: MNIST fits its digits into 20 pixels, on pictures of 28.
const maxSide = 28

// Glyph is the ink of one character, cropped to it: [Height, Width], 0 is paper and 255 full ink.
type Glyph struct {
	Height, Width int
	Ink           []uint8
}

// Crop returns the part of a [height, width] picture that holds ink. A picture without ink gives an
// empty glyph.
func Crop(ink []uint8, height, width int) Glyph {
	x0, y0, x1, y1 := width, height, 0, 0
	for y := range height {
		for x := range width {
			if ink[y*width+x] > 0 {
				x0, y0, x1, y1 = min(x0, x), min(y0, y), max(x1, x+1), max(y1, y+1)
			}
		}
	}
	if x1 == 0 {
		return Glyph{}
	}
	g := Glyph{Height: y1 - y0, Width: x1 - x0}
	for y := y0; y < y1; y++ {
		g.Ink = append(g.Ink, ink[y*width+x0:y*width+x1]...)
	}
	return g
}

// Set holds glyphs by digit.
type Set [Digits][]Glyph

// Write stores sets, compressed: for each set and digit a 16-bit big-endian count, then for each
// glyph its height, its width and its ink.
func Write(w io.Writer, sets ...*Set) error {
	z, err := flate.NewWriter(w, flate.BestCompression)
	if err != nil {
		return err
	}
	for _, set := range sets {
		for _, glyphs := range set {
			raw := []byte{byte(len(glyphs) >> 8), byte(len(glyphs))}
			for _, g := range glyphs {
				raw = append(raw, byte(g.Height), byte(g.Width))
				raw = append(raw, g.Ink...)
			}
			if _, err := z.Write(raw); err != nil {
				return err
			}
		}
	}
	return z.Close()
}

// Read fills sets from what Write stored. It is an error if the data end early, go on, or hold an
// impossible size.
func Read(r io.Reader, sets ...*Set) error {
	z := bufio.NewReader(flate.NewReader(r))
	for _, set := range sets {
		for digit := range set {
			var count [2]byte
			if _, err := io.ReadFull(z, count[:]); err != nil {
				return fmt.Errorf("glyphs of digit %d: %w", digit, err)
			}
			set[digit] = make([]Glyph, int(count[0])<<8|int(count[1]))
			for i := range set[digit] {
				if err := set[digit][i].read(z); err != nil {
					return fmt.Errorf("glyph %d of digit %d: %w", i, digit, err)
				}
			}
		}
	}
	if _, err := z.ReadByte(); err != io.EOF {
		return fmt.Errorf("glyphs: the data go on after their end (%v)", err)
	}
	return nil
}

func (g *Glyph) read(r io.Reader) error {
	var size [2]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return err
	}
	g.Height, g.Width = int(size[0]), int(size[1])
	if g.Height < 1 || g.Width < 1 || g.Height > maxSide || g.Width > maxSide {
		return fmt.Errorf("a size of %dx%d", g.Height, g.Width)
	}
	g.Ink = make([]uint8, g.Height*g.Width)
	_, err := io.ReadFull(r, g.Ink)
	return err
}
