package study

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	gomlx "github.com/gomlx/compute"

	"ffslab/ffs/device"
	"ffslab/ffs/internal/jsonfile"
	"ffslab/ffs/protocol"
)

// cellsDir holds, for every cell, its record NAME.json, and NAME.log, the output of its process if
// it has its own.
const cellsDir = "cells"

// States of a record. A cell without a record is waiting.
const (
	training  = "training"
	measuring = "measuring"
	stopped   = "stopped" // its checkpoint is saved
	failed    = "failed"
	done      = "done"
)

// record is what the process of a cell writes about it.
type record struct {
	State string `json:"state"`
	// Why is the error of a cell that has failed.
	Why string `json:"why,omitempty"`
	// Beat is the last time when the process was known to work. It is updated at least every
	// beatEvery.
	Beat time.Time `json:"beat"`
	// Stints are the processes that have computed something for the cell, in order: several if it
	// was interrupted.
	Stints []Stint `json:"stints"`
}

// Stint is the part of the computation of a cell that one process did.
type Stint struct {
	device.Machine
	// Begin is when it started to compute and Seconds how long it computed, as far as known if it
	// was killed.
	Begin   time.Time `json:"begin"`
	Seconds float64   `json:"seconds"`
	// PeakMemory is the largest resident memory of the process in bytes, 0 if unknown. It does not
	// include memory of GPUs.
	PeakMemory int64 `json:"peak_memory_bytes"`
}

// beatEvery is the time between updates of a record. After silence without an update, its process
// is assumed to be killed.
const (
	beatEvery = 15 * time.Second
	silence   = 2 * time.Minute
)

func recordPath(dir, name string) string { return filepath.Join(dir, cellsDir, name+".json") }

// LogPath returns the file in the folder of a study to which the process of a cell writes its
// output.
func LogPath(dir, name string) string { return filepath.Join(dir, cellsDir, name+".log") }

// readRecord returns the record of a cell, and an empty one if there is none.
func readRecord(dir, name string) (record, error) {
	var r record
	if err := jsonfile.Read(recordPath(dir, name), &r); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return r, fmt.Errorf("%w: remove the file; only times are lost", err)
	}
	return r, nil
}

func (r record) save(dir, name string) error {
	if err := os.MkdirAll(filepath.Join(dir, cellsDir), 0o755); err != nil {
		return err
	}
	return jsonfile.Write(recordPath(dir, name), r)
}

// finish trains and measures a cell unless that is done, and keeps its record.
func (s *study) finish(ctx context.Context, c cell, at func(doing string)) (*protocol.Evaluation, error) {
	clerk, err := newClerk(s.Out, c.name())
	if err != nil {
		return nil, err
	}
	told := *s
	told.Backend = func() (gomlx.Backend, error) {
		backend, err := s.Backend()
		if err == nil && backend != nil {
			clerk.computes(device.MachineOf(device.Describe(backend)))
		}
		return backend, err
	}
	e, err := told.compute(ctx, c, func(doing string) {
		clerk.enters(doing)
		at(doing)
	})
	state, why := done, ""
	switch {
	case err != nil && ctx.Err() != nil:
		state = stopped
	case err != nil:
		state, why = failed, err.Error()
	}
	return e, errors.Join(err, clerk.close(state, why))
}

// clerk keeps the record of the cell on which this process works. It is safe for concurrent use.
type clerk struct {
	dir, name string
	mu        sync.Mutex
	record    record
	before    string // state in the file at the start
	mine      *Stint // of this process, the last of the record; nil before anything is computed
	err       error
	stop      chan struct{}
	beating   sync.WaitGroup
}

// newClerk opens the record of a cell and updates it until close.
func newClerk(dir, name string) (*clerk, error) {
	record, err := readRecord(dir, name)
	if err != nil {
		return nil, err
	}
	c := &clerk{dir: dir, name: name, record: record, before: record.State, stop: make(chan struct{})}
	c.beating.Go(func() {
		beat := time.NewTicker(beatEvery)
		defer beat.Stop()
		for {
			select {
			case <-c.stop:
				return
			case <-beat.C:
				c.mu.Lock()
				c.write()
				c.mu.Unlock()
			}
		}
	})
	return c, nil
}

// enters sets the state. It is written once something is computed: looking at a finished cell
// changes nothing.
func (c *clerk) enters(state string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.record.State, c.record.Why = state, ""
	c.write()
}

// computes says that this process starts to compute on the machine.
func (c *clerk) computes(m device.Machine) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mine == nil {
		device.ResetPeakMemory()
		c.record.Stints = append(c.record.Stints, Stint{Machine: m, Begin: time.Now().Round(0)})
		c.mine = &c.record.Stints[len(c.record.Stints)-1]
	}
	c.write()
}

// close sets the final state and returns the first error of writing.
func (c *clerk) close(state, why string) error {
	close(c.stop)
	c.beating.Wait()
	c.record.State, c.record.Why = state, why
	untold := c.before != state && (c.before != "" || state == failed) // for example done, after a kill that followed the last result
	if c.write(); c.mine == nil && untold {
		c.record.Beat = time.Now().Round(0)
		c.err = c.record.save(c.dir, c.name)
	}
	return c.err
}

// write updates the stint of this process and writes the record. Without a stint it does nothing.
func (c *clerk) write() {
	if c.mine == nil {
		return
	}
	now := time.Now().Round(0)
	c.record.Beat, c.mine.Seconds, c.mine.PeakMemory = now, now.Sub(c.mine.Begin).Seconds(), device.PeakMemory()
	if err := c.record.save(c.dir, c.name); err != nil && c.err == nil {
		c.err = err
	}
}
