package explorer

import (
	"encoding/base64"
	"encoding/binary"
	"math"
)

// packFloats are the numbers as 32-bit floats, little-endian, in base64.
func packFloats(values []float64) string {
	words := make([]byte, 0, 4*len(values))
	for _, v := range values {
		words = binary.LittleEndian.AppendUint32(words, math.Float32bits(float32(v)))
	}
	return base64.StdEncoding.EncodeToString(words)
}

// packIndices are whole numbers below 65536 as 16-bit words, little-endian, in base64.
func packIndices(indices []int) string {
	words := make([]byte, 0, 2*len(indices))
	for _, i := range indices {
		words = binary.LittleEndian.AppendUint16(words, uint16(i))
	}
	return base64.StdEncoding.EncodeToString(words)
}
