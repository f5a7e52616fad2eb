package device

import (
	"sync"
	"time"
)

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
		var needed int64 // bytes: the largest size after a trim
		for pause := every; ; time.Sleep(pause) {
			pause = every
			if residentMemory() <= needed+needed/6 {
				continue
			}
			begin := time.Now()
			trimMemory()
			needed = max(needed, residentMemory())
			// A training step takes a tenth longer after a trim, so trims must be rare.
			pause = max(every, 100*time.Since(begin))
		}
	}()
})
