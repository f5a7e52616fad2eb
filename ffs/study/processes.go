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
	"sync"
	"syscall"
	"time"
)

// Processes computes cells on this machine, each in a process of its own, a number of them at the same time.
type Processes struct {
	// Parallel is how many there are at the same time. Where NVIDIA's GPUs are found, each process sees one of them.
	Parallel int
	// Note, if not nil, is told when a cell begins and ends.
	Note func(message string)
}

// savingTime is how long an interrupted process may take to save its checkpoint.
const savingTime = 2 * time.Minute

// Launch waits until every cell is finished or has failed: a failure does not stop the others. When ctx ends the processes save a checkpoint each.
func (p Processes) Launch(ctx context.Context, job Job) (over bool, err error) {
	if err := os.MkdirAll(filepath.Join(job.Dir, cellsDir), 0o755); err != nil {
		return false, err
	}
	devices := visibleGPUs("/proc/driver/nvidia/gpus")
	next := make(chan string)
	failures := make([]error, len(job.Cells))
	var workers sync.WaitGroup
	for worker := range max(1, min(p.Parallel, len(job.Cells))) {
		workers.Go(func() {
			runtime.LockOSThread() // the system ends the processes of a thread with it (see endWithParent)
			defer runtime.UnlockOSThread()
			for name := range next {
				if ctx.Err() != nil {
					continue
				}
				failures[slices.Index(job.Cells, name)] = p.cell(ctx, job, name, devices, worker)
			}
		})
	}
	for _, name := range job.Cells {
		next <- name
	}
	close(next)
	workers.Wait()
	return true, errors.Join(append(failures, ctx.Err())...)
}

// cell runs the process of one cell.
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
	endWithParent(c)
	p.note(name + ": begins, log " + path)
	begin := time.Now()
	if err := c.Run(); err != nil {
		if ctx.Err() != nil {
			return nil // it has been told to stop
		}
		return fmt.Errorf("%s: %w: see %s; the same command tries again", name, err, path)
	}
	p.note(fmt.Sprintf("%s: finished after %v", name, time.Since(begin).Round(time.Second)))
	return nil
}

func (p Processes) note(message string) {
	if p.Note != nil {
		p.Note(message)
	}
}

// visibleGPUsEnv names the environment variable by which CUDA is told which GPUs there are.
const visibleGPUsEnv = "CUDA_VISIBLE_DEVICES"

// visibleGPUs lists NVIDIA's GPUs as that variable names them: those that it allows, or all in the driver's folder.
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
