package device

import (
	"sync"
	"time"
)

// trimEvery is how often memory is given back while XLA compiles.
const trimEvery = 250 * time.Millisecond

// Compiling gives what XLA's compiler has freed back to the system, so that the program which it has compiled finds it: the C library keeps
// freed memory, about 1 GiB after a training step's compiler, and the step's own would come on top. The zero value is ready for use.
type Compiling struct {
	mutex sync.Mutex
	stop  chan struct{}
	done  chan struct{}
}

// Begin says that a graph is being built, which is then compiled and run: GoMLX calls the function that builds a graph when it is to be compiled.
func (c *Compiling) Begin() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.stop != nil {
		return
	}
	stop, done := make(chan struct{}), make(chan struct{})
	c.stop, c.done = stop, done
	go func() {
		defer close(done)
		ticker := time.NewTicker(trimEvery)
		defer ticker.Stop()
		for {
			select {
			case <-stop:
				return
			case <-ticker.C:
				trimMemory()
			}
		}
	}()
}

// End says that the call is over in which Begin may have been called.
func (c *Compiling) End() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.stop == nil {
		return
	}
	close(c.stop)
	<-c.done
	c.stop = nil
	trimMemory()
}
