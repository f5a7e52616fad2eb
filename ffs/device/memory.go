package device

import (
	"sync"
	"time"
)

// trimAlways has freed memory given back to the system, from now on, whenever the process holds a sixth more than it was seen to need. The C library
// keeps what was freed for the thread that had allocated it: about 1 GiB after a training step's compilation, and a step's results and temporary
// memory each time that another of XLA's threads allocates them.
var trimAlways = sync.OnceFunc(func() {
	if residentMemory() == 0 {
		return // this system does not tell
	}
	go func() {
		const every = 20 * time.Millisecond
		var needed int64 // bytes: the most that was left when memory had been given back
		for pause := every; ; time.Sleep(pause) {
			pause = every
			if residentMemory() <= needed+needed/6 {
				continue
			}
			begin := time.Now()
			trimMemory()
			needed = max(needed, residentMemory())
			// A training step that fetches its memory anew takes a tenth longer, so that this must stay rare: once in a few seconds where there is much to give.
			pause = max(every, 100*time.Since(begin))
		}
	}()
})
