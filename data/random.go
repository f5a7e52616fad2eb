package data

import (
	"encoding/binary"
	"math/rand/v2"
)

// RandomStream returns an independent generator for each combination of a seed and up to three
// words (what is drawn, which epoch, which image...). What one step draws does not depend on the
// steps before it, so that a resumed training equals an uninterrupted one.
func RandomStream(seed uint64, words ...uint64) *rand.Rand {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	for i, w := range words {
		binary.LittleEndian.PutUint64(key[8*(i+1):], w)
	}
	return rand.New(rand.NewChaCha8(key))
}
