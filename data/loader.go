package data

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"time"
)

// Config says how pictures become batches.
type Config struct {
	BatchSize  int
	ShortEdges []int // pixels; training draws one for each picture, evaluation needs exactly one
	LongEdge   int   // pixels; bound of the longer edge
	Flip       bool  // mirror half of the pictures at random; training only
	Canvases   []Canvas
	MaxBoxes   int // maximum number of objects in a picture

	Seed      uint64 // training only: order, scales and flips depend only on seed and step
	FirstStep int    // training only: the step to start at, to resume
	SkipEmpty bool   // training only: skip pictures without objects, as the original does

	Workers  int // goroutines that decode and resize; 0 means the number of cores
	Prefetch int // batches made in advance; 0 means 2
}

func (c *Config) check(d *Dataset) error {
	if len(d.Images) == 0 {
		return fmt.Errorf("%s: the data set has no images", d.Name)
	}
	if c.BatchSize < 1 || c.MaxBoxes < 1 || c.LongEdge < 1 || c.Workers < 0 || c.Prefetch < 0 || c.FirstStep < 0 {
		return fmt.Errorf("loader: batch size %d, room for %d boxes, longest edge %d, workers %d, prefetch %d, first step %d: the first three must be at least 1, none negative",
			c.BatchSize, c.MaxBoxes, c.LongEdge, c.Workers, c.Prefetch, c.FirstStep)
	}
	if len(c.ShortEdges) == 0 || len(c.Canvases) == 0 {
		return errors.New("loader: at least one shortest edge and one canvas are needed")
	}
	for _, short := range c.ShortEdges {
		if short < 1 {
			return fmt.Errorf("loader: a shortest edge of %d pixels is not possible", short)
		}
	}
	return nil
}

// Loader makes batches on several cores, a few in advance, and returns them in order.
type Loader struct {
	ctx    context.Context
	cancel context.CancelFunc
	queue  chan *assembly // in the order of steps; its capacity bounds the memory
	wg     sync.WaitGroup
	waited time.Duration
	err    error
}

// assembly is a batch in the making. Workers fill its rows in any order.
type assembly struct {
	batch   *Batch
	mu      sync.Mutex
	missing int
	err     error
	done    chan struct{} // closed when no row is missing
}

// Train returns an endless stream of shuffled batches. The pictures of the k-th batch, their scales
// and flips depend only on cfg.Seed and k. A batch holds only wide or only high pictures. It is an
// error, returned before anything is read, if a picture fits no canvas. The loader ends when ctx
// does; Close it.
func Train(ctx context.Context, d *Dataset, cfg Config) (*Loader, error) {
	if err := cfg.check(d); err != nil {
		return nil, err
	}
	o, err := newOrder(d, &cfg)
	if err != nil {
		return nil, err
	}
	return start(ctx, d, &cfg, o.next), nil
}

// Eval returns one pass over the data set, every picture once; Next then returns io.EOF. Pictures
// of the same canvas come together, so Batch.Sources, not the position, identifies the picture of a
// row.
func Eval(ctx context.Context, d *Dataset, cfg Config) (*Loader, error) {
	if err := cfg.check(d); err != nil {
		return nil, err
	}
	if len(cfg.ShortEdges) != 1 {
		return nil, fmt.Errorf("loader: an evaluation needs one shortest edge, not %v", cfg.ShortEdges)
	}
	batches, err := passOrder(d, &cfg)
	if err != nil {
		return nil, err
	}
	cfg.FirstStep = 0
	next := func() ([]recipe, bool) {
		if len(batches) == 0 {
			return nil, false
		}
		recipes := batches[0]
		batches = batches[1:]
		return recipes, true
	}
	return start(ctx, d, &cfg, next), nil
}

// start starts the workers that fill rows of batches, and one goroutine that distributes the rows
// of the batches that next describes.
func start(ctx context.Context, d *Dataset, cfg *Config, next func() ([]recipe, bool)) *Loader {
	workers, prefetch := cfg.Workers, cfg.Prefetch
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	if prefetch == 0 {
		prefetch = 2
	}
	ctx, cancel := context.WithCancel(ctx)
	l := &Loader{ctx: ctx, cancel: cancel, queue: make(chan *assembly, prefetch)}
	rows := make(chan func())
	for range workers {
		l.wg.Go(func() {
			for fill := range rows {
				fill()
			}
		})
	}
	l.wg.Go(func() {
		defer close(rows)
		defer close(l.queue)
		for step := cfg.FirstStep; ; step++ {
			recipes, ok := next()
			if !ok || !l.dispatch(step, recipes, d, cfg, rows) {
				return
			}
		}
	})
	return l
}

// dispatch queues the batch and passes its rows to the workers. It returns false when the loader
// has ended.
func (l *Loader) dispatch(step int, recipes []recipe, d *Dataset, cfg *Config, rows chan<- func()) bool {
	a := &assembly{missing: len(recipes), done: make(chan struct{})}
	if a.batch, a.err = newBatch(d, recipes, cfg); a.err != nil {
		close(a.done)
		recipes = nil
	} else {
		a.batch.Step = step
	}
	select {
	case l.queue <- a:
	case <-l.ctx.Done():
		return false
	}
	for i, r := range recipes {
		fill := func() {
			dropped, err := a.batch.fill(i, d, r)
			a.finish(dropped, err)
		}
		select {
		case rows <- fill:
		case <-l.ctx.Done():
			return false
		}
	}
	return true
}

func (a *assembly) finish(dropped int, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err == nil {
		a.err = err
	}
	a.batch.Dropped += dropped
	if a.missing--; a.missing == 0 {
		close(a.done)
	}
}

// Next returns the next batch, which belongs to the caller. It returns io.EOF after the last batch
// of an evaluation, the error of ctx after that has ended, or the error of a picture that could not
// be read; all later calls return the same error. It is not safe for concurrent use.
func (l *Loader) Next() (*Batch, error) {
	if l.err != nil {
		return nil, l.err
	}
	defer func(begin time.Time) { l.waited += time.Since(begin) }(time.Now())
	batch, err := l.receive()
	if err != nil {
		l.err = err
		l.cancel()
	}
	return batch, err
}

func (l *Loader) receive() (*Batch, error) {
	if err := l.ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case a, ok := <-l.queue:
		if !ok {
			if err := l.ctx.Err(); err != nil {
				return nil, err // the queue was closed early
			}
			return nil, io.EOF
		}
		select {
		case <-a.done:
			if a.err != nil {
				return nil, a.err
			}
			return a.batch, nil
		case <-l.ctx.Done():
		}
	case <-l.ctx.Done():
	}
	return nil, l.ctx.Err()
}

// Waited returns the total time that Next has spent waiting for batches.
func (l *Loader) Waited() time.Duration { return l.waited }

// Close ends the loader and returns when its goroutines have ended.
func (l *Loader) Close() {
	l.cancel()
	l.wg.Wait()
}
