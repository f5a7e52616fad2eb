package study

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"ffslab/ffs/internal/parentdeath"
)

// Processes computes cells on this machine, several at a time, each in its own process.
type Processes struct {
	// Parallel is the number of processes at a time. If there are NVIDIA GPUs, each process sees
	// one.
	Parallel int
	// Note, if not nil, is called when a cell starts and ends.
	Note func(message string)
}

// savingTime is how long an interrupted process may take to save its checkpoint.
const savingTime = 2 * time.Minute

// Launch waits until every cell is finished or has failed; a failure does not stop the others. When
// ctx ends, each process saves a checkpoint.
func (p Processes) Launch(ctx context.Context, job Job) (over bool, err error) {
	if err := os.MkdirAll(filepath.Join(job.Dir, cellsDir), 0o755); err != nil {
		return false, err
	}
	devices := visibleGPUs("/proc/driver/nvidia/gpus")
	next := make(chan int, len(job.Cells))
	for i := range job.Cells {
		next <- i
	}
	close(next)
	failures := make([]error, len(job.Cells))
	var workers errgroup.Group
	for worker := range max(1, min(p.Parallel, len(job.Cells))) {
		workers.Go(func() error {
			runtime.LockOSThread() // the system ends the processes of a thread with it (see parentdeath)
			defer runtime.UnlockOSThread()
			for i := range next {
				if ctx.Err() != nil {
					return nil
				}
				failures[i] = p.cell(ctx, job, job.Cells[i], devices, worker)
			}
			return nil
		})
	}
	_ = workers.Wait() // failures has the errors
	return true, errors.Join(append(failures, ctx.Err())...)
}

func (p Processes) cell(ctx context.Context, job Job, name string, devices []string, worker int) error {
	path := LogPath(job.Dir, name)
	log, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	c := exec.CommandContext(ctx, job.Program, append(slices.Clone(job.Args), CellFlag, name)...)
	c.Stdout, c.Stderr = log, log
	c.Env = os.Environ()
	if len(devices) > 0 {
		c.Env = append(c.Env, visibleGPUsEnv+"="+devices[worker%len(devices)])
	}
	c.Cancel, c.WaitDelay = func() error { return c.Process.Signal(syscall.SIGTERM) }, savingTime
	parentdeath.Terminate(c) // it saves its checkpoint first
	p.note(name + ": started, log " + path)
	begin := time.Now()
	if err := c.Run(); err != nil {
		if ctx.Err() != nil {
			return nil // it was interrupted
		}
		return fmt.Errorf("%s: %w: see %s; run the same command to try again", name, err, path)
	}
	p.note(fmt.Sprintf("%s: finished after %v", name, time.Since(begin).Round(time.Second)))
	return nil
}

func (p Processes) note(message string) {
	if p.Note != nil {
		p.Note(message)
	}
}

// visibleGPUsEnv is the environment variable that selects GPUs for CUDA.
const visibleGPUsEnv = "CUDA_VISIBLE_DEVICES"

// visibleGPUs returns the indices of NVIDIA GPUs as that variable names them: those that it allows,
// or all in the folder of the driver.
func visibleGPUs(dir string) []string {
	if allowed, ok := os.LookupEnv(visibleGPUsEnv); ok {
		return strings.FieldsFunc(allowed, func(r rune) bool { return r == ',' || r == ' ' })
	}
	var all []string
	gpus, _ := filepath.Glob(filepath.Join(dir, "*"))
	for i := range gpus {
		all = append(all, fmt.Sprint(i))
	}
	return all
}
