package device

import (
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// enough is the process's largest size in bytes after a trim.
var enough atomic.Int64

// FreeGarbage returns memory to the system that the beginning of a computation has left behind:
// parameters in Go's memory, of which the device has copies now, and what the compiler used. Go
// would keep them until as much again is allocated. Call it after the first step or detection.
func FreeGarbage() {
	debug.FreeOSMemory()
	enough.Store(0) // trimAlways measures anew
}

// trimAlways starts a goroutine that calls malloc_trim whenever the resident set exceeds its
// largest size after a trim by 1/6. The C library keeps freed memory for the thread that allocated
// it: about 1 GiB after compiling a training step, and a step's results and temporary memory each
// time another of XLA's threads allocates them.
var trimAlways = sync.OnceFunc(func() {
	if residentMemory() == 0 {
		return // unknown on this system
	}
	go func() {
		const every = 20 * time.Millisecond
		for pause := every; ; time.Sleep(pause) {
			pause = every
			if most := enough.Load(); residentMemory() <= most+most/6 {
				continue
			}
			begin, before := time.Now(), enough.Load()
			trimMemory()
			enough.CompareAndSwap(before, max(before, residentMemory()))
			// A training step takes a tenth longer after a trim, so trims must be rare.
			pause = max(every, 100*time.Since(begin))
		}
	}()
})
