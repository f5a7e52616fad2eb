package data

import (
	"encoding/binary"
	"math/rand/v2"
)

// RandomStream returns a generator of its own for each combination of a seed and up to three further words (what is
// drawn, which epoch, which image...). Nothing is shared between streams, so what one step draws does not depend on the steps
// before it, and resuming is the same as never having stopped.
func RandomStream(seed uint64, words ...uint64) *rand.Rand {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	for i, w := range words {
		binary.LittleEndian.PutUint64(key[8*(i+1):], w)
	}
	return rand.New(rand.NewChaCha8(key))
}
