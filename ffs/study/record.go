package study

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	gomlx "github.com/gomlx/compute"
	"github.com/google/renameio/v2"

	"ffslab/ffs/device"
	"ffslab/ffs/protocol"
)

// cellsDir holds, for every cell, NAME.json, its record, and NAME.log, what its process said if it had one of its own.
const cellsDir = "cells"

// The states of a Record. A cell without a record waits.
const (
	training  = "training"
	measuring = "measuring"
	stopped   = "stopped" // its checkpoint is saved
	failed    = "failed"
	done      = "done"
)

// Record is what the process that works on a cell says of it.
type Record struct {
	State string `json:"state"`
	// Why is the error of a cell that has failed.
	Why string `json:"why,omitempty"`
	// Beat is when the process last said that it works, at least every beatEvery.
	Beat time.Time `json:"beat"`
	// Stints are the processes that have computed something of the cell, in their order: several if it was interrupted.
	Stints []Stint `json:"stints"`
}

// Stint is the part of a cell's computation that one process did.
type Stint struct {
	device.Machine
	// Begin is when it began to compute, Seconds how long it computed, as far as is known of one that was killed.
	Begin   time.Time `json:"begin"`
	Seconds float64   `json:"seconds"`
	// PeakMemory is the largest resident memory of the process in bytes, 0 where the system does not tell; memory of GPUs is not in it.
	PeakMemory int64 `json:"peak_memory_bytes"`
}

// beatEvery is how often a record is written anew, and silence after how long without that its process is taken for killed.
const (
	beatEvery = 15 * time.Second
	silence   = 2 * time.Minute
)

func recordPath(dir, name string) string { return filepath.Join(dir, cellsDir, name+".json") }

// LogPath is the file in a study's folder to which a process of its own writes what it says of a cell.
func LogPath(dir, name string) string { return filepath.Join(dir, cellsDir, name+".log") }

// readRecord returns the record of a cell, and an empty one if there is none.
func readRecord(dir, name string) (Record, error) {
	var r Record
	text, err := os.ReadFile(recordPath(dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("%s: %w: remove the file; nothing but times is lost", recordPath(dir, name), err)
	}
	return r, nil
}

func (r Record) save(dir, name string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, cellsDir), 0o755); err != nil {
		return err
	}
	return renameio.WriteFile(recordPath(dir, name), append(text, '\n'), 0o644)
}

// recorded calls compute with a study whose record of the cell tells what is done, and where.
func (s *study) recorded(ctx context.Context, c cell, at func(doing string), compute func(s *study, at func(doing string)) (*protocol.Evaluation, error)) (*protocol.Evaluation, error) {
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
	e, err := compute(&told, func(doing string) {
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

// clerk keeps the record of the cell that this process works on. Its methods may be called from several goroutines.
type clerk struct {
	dir, name string
	mu        sync.Mutex
	record    Record
	before    string // the state that the file has told
	mine      *Stint // this process's, the last of the record; nil before anything is computed
	err       error
	stop      chan struct{}
	beating   sync.WaitGroup
}

// newClerk opens the record of a cell and keeps it until close.
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

// enters says what is done next. The file tells it once something is computed for it: looking at a finished cell changes nothing.
func (c *clerk) enters(state string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.record.State, c.record.Why = state, ""
	c.write()
}

// computes says that something is computed from now on, on that machine.
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

// close says how it has ended, and returns the first error of writing.
func (c *clerk) close(state, why string) error {
	close(c.stop)
	c.beating.Wait()
	c.record.State, c.record.Why = state, why
	untold := c.before != state && (c.before != "" || state == failed) // such as done, after a kill behind the last result
	if c.write(); c.mine == nil && untold {
		c.record.Beat = time.Now().Round(0)
		c.err = c.record.save(c.dir, c.name)
	}
	return c.err
}

// write brings this process's stint up to date and writes the record, if there is one.
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
