package explorer

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
)

// column is a list of numbers as the page reads it: Min + Step times the 16-bit words, little-endian, in base64.
type column struct {
	Min  float64 `json:"min"`
	Step float64 `json:"step"`
	Data string  `json:"data"`
}

// pack rounds the numbers to one of 65536 evenly spaced ones. It fails for one that is not finite; what says what they are.
func pack(what string, values []float64) (column, error) {
	low, high := math.Inf(1), math.Inf(-1)
	for i, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return column{}, fmt.Errorf("explorer: %s: number %d is %v: leave its feature out", what, i, v)
		}
		low, high = min(low, v), max(high, v)
	}
	if len(values) == 0 {
		low, high = 0, 0
	}
	c := column{Min: low, Step: (high - low) / math.MaxUint16}
	words := make([]byte, 0, 2*len(values))
	for _, v := range values {
		word := 0.0
		if c.Step > 0 {
			word = math.Round((v - low) / c.Step)
		}
		words = binary.LittleEndian.AppendUint16(words, uint16(word))
	}
	c.Data = base64.StdEncoding.EncodeToString(words)
	return c, nil
}

// packIndices keeps whole numbers below 65536 as they are.
func packIndices(indices []int) string {
	words := make([]byte, 0, 2*len(indices))
	for _, i := range indices {
		words = binary.LittleEndian.AppendUint16(words, uint16(i))
	}
	return base64.StdEncoding.EncodeToString(words)
}
