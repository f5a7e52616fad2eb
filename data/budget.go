package data

import (
	"fmt"
	"runtime"
	"sync"
)

// DefaultPictureMemory is the memory, in bytes, that pictures may take while they are read: enough
// for one of the largest pictures that is read at all, and for a dozen photographs.
const DefaultPictureMemory = 2 << 30

// Bytes of a pixel. While its file is read: up to 8 from the decoder and 3 as [Pixels]. While the
// picture is processed: 3, and 3 of a rotated or corrupted copy.
const (
	readBytes = 8 + 3
	heldBytes = 3 + 3
)

// pictures is the budget of all goroutines of the process. The size of a file says nothing about
// that of its picture: 0.5 MB of PNG can hold 179 million pixels.
var pictures = newBudget(DefaultPictureMemory)

// SetPictureMemory sets how many bytes pictures may take while they are read, in all goroutines
// together. Goroutines wait for one another; a picture that exceeds the limit alone is an error.
func SetPictureMemory(bytes int64) { pictures.resize(bytes) }

// budget is a number of bytes that goroutines share.
type budget struct {
	mu      sync.Mutex
	changed sync.Cond
	limit   int64
	taken   int64
	readers int // of files, at present
}

func newBudget(limit int64) *budget {
	b := &budget{limit: limit}
	b.changed.L = &b.mu
	return b
}

func (b *budget) resize(limit int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.limit = limit
	b.changed.Broadcast()
}

// read waits until the file of a picture can be read within the budget, and returns the function
// that releases its memory. A reader waits only for other readers in the end, since the holder of a
// picture may have to read it first; one picture can exceed the budget.
func (b *budget) read(file string, height, width int) (release func(), err error) {
	return b.take(file, height, width, readBytes, func(need int64) bool { return b.readers == 0 || b.taken+need <= b.limit }, 1)
}

// hold is read for processing a picture until release. It waits for all others.
func (b *budget) hold(file string, height, width int) (release func(), err error) {
	return b.take(file, height, width, heldBytes, func(need int64) bool { return b.taken == 0 || b.taken+need <= b.limit }, 0)
}

func (b *budget) take(file string, height, width int, bytes int64, possible func(need int64) bool, readers int) (release func(), err error) {
	pixels := int64(height) * int64(width)
	need := bytes * pixels
	b.mu.Lock()
	defer b.mu.Unlock()
	if whole := readBytes * pixels; whole > b.limit {
		return nil, fmt.Errorf("%s: a picture of %dx%d pixels (width x height) takes up to %d MiB while it is read, and pictures may take %d MiB: make it smaller, or raise the memory for pictures (--picture-memory)",
			file, width, height, whole>>20, b.limit>>20)
	}
	for !possible(need) {
		b.changed.Wait()
	}
	b.taken += need
	b.readers += readers
	large := need > b.limit/8
	return sync.OnceFunc(func() {
		if large {
			runtime.GC() // the collector would wait for more than the budget allows
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		b.taken -= need
		b.readers -= readers
		b.changed.Broadcast()
	}), nil
}
