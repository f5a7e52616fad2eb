package bench

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// torchStep is the same work in PyTorch.
//
//go:embed torch_step.py
var torchStep string

// WithPyTorch returns the commands that compare a part (step, infer or flow) of this program with
// PyTorch in both memory layouts, by torch_step.py, which it writes into dir. The interpreter has
// torch and torchvision; empty stands for the one that package python finds.
func WithPyTorch(ctx context.Context, dir, interpreter, part string, height, width, batch int) ([][]string, error) {
	if !slices.Contains([]string{"step", "infer", "flow"}, part) {
		return nil, fmt.Errorf("compare: part %q: want step, infer or flow", part)
	}
	interpreter, err := interpreterWith(ctx, interpreter, "import torch, torchvision",
		"name an interpreter that has torch==2.15.0 and torchvision==0.29.1 with --python")
	if err != nil {
		return nil, fmt.Errorf("compare: %w", err)
	}
	ours, err := os.Executable()
	if err != nil {
		return nil, err
	}
	script := filepath.Join(dir, "torch_step.py")
	if err := os.WriteFile(script, []byte(torchStep), 0o600); err != nil {
		return nil, err
	}
	var size []string
	if part != "flow" { // whose work does not depend on images
		size = []string{"--height", strconv.Itoa(height), "--width", strconv.Itoa(width), "--batch", strconv.Itoa(batch)}
	}
	theirs := append([]string{interpreter, script, "--part", part}, size...)
	commands := [][]string{append([]string{ours, "bench", part, "--config", "voc"}, size...), theirs}
	if part != "flow" {
		commands = append(commands, append(slices.Clone(theirs), "--channels-last"))
	}
	return commands, nil
}

// CompareOptions say which programs are put side by side.
type CompareOptions struct {
	// Commands are ours and, after it, one or more others: PyTorch in each memory layout, say. Each
	// is a program with its arguments, whose last line of standard output is a JSON object with
	// median_s.
	Commands [][]string
	// Rounds is how often each runs. They run by turns, in one order and in the other.
	Rounds int
	// Log receives what the programs write to standard error, and a line for every run; nil stands
	// for nobody.
	Log io.Writer
}

// Side is one of the programs.
type Side struct {
	Command string `json:"command"`
	// Medians are its median_s of all rounds, PeakRSS the largest memory of all of them in MiB, as
	// the system accounts for the process.
	Medians []float64 `json:"median_s"`
	PeakRSS float64   `json:"peak_rss_mib"`
}

// Comparison is the outcome of Compare.
type Comparison struct {
	Part   string `json:"part"`
	Rounds int    `json:"rounds"`
	Ours   Side   `json:"ours"`
	Theirs []Side `json:"theirs"`
	// Ratios are, for each round, our time by that of the fastest other; Ratio is their median.
	// Under 1 ours is faster.
	Ratios []float64 `json:"ratios"`
	Ratio  float64   `json:"ratio"`
	// MemoryRatio is our memory by that of the other that is fastest over all rounds.
	MemoryRatio float64 `json:"memory_ratio"`
	Machine
}

// Compare runs the programs by turns, each in a process of its own, and compares their medians. The
// error names the program that fails, or that prints no such line.
func Compare(ctx context.Context, o CompareOptions) (*Comparison, error) {
	if len(o.Commands) < 2 || o.Rounds < 1 {
		return nil, fmt.Errorf("compare: %d commands, %d rounds: give ours and at least one other, as in compare -- OURS -- OTHER, and at least 1 round", len(o.Commands), o.Rounds)
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	sides := make([]Side, len(o.Commands))
	for i, command := range o.Commands {
		if len(command) == 0 {
			return nil, errors.New("compare: a command is empty: put one after each --")
		}
		sides[i] = Side{Command: strings.Join(command, " "), Medians: make([]float64, o.Rounds)}
	}
	for round := range o.Rounds {
		for i := range sides {
			if round%2 == 1 {
				i = len(sides) - 1 - i
			}
			s := &sides[i]
			seconds, memory, err := timed(ctx, o.Commands[i], o.Log)
			if err != nil {
				return nil, fmt.Errorf("compare: %s: %w", s.Command, err)
			}
			s.Medians[round], s.PeakRSS = seconds, max(s.PeakRSS, memory)
			fmt.Fprintf(o.Log, "compare: round %d/%d: %.3f s, %.0f MiB: %s\n", round+1, o.Rounds, seconds, memory, s.Command)
		}
	}
	c := &Comparison{Part: "compare", Rounds: o.Rounds, Ours: sides[0], Theirs: sides[1:]}
	c.judge()
	c.Machine = machine(nil)
	return c, nil
}

// judge fills in the ratios.
func (c *Comparison) judge() {
	for round, ours := range c.Ours.Medians {
		best := c.Theirs[0].Medians[round]
		for _, other := range c.Theirs[1:] {
			best = min(best, other.Medians[round])
		}
		c.Ratios = append(c.Ratios, ours/best)
	}
	c.Ratio = median(c.Ratios)
	best := c.Theirs[0]
	for _, other := range c.Theirs[1:] {
		if median(other.Medians) < median(best.Medians) {
			best = other
		}
	}
	c.MemoryRatio = c.Ours.PeakRSS / best.PeakRSS
}

// timed runs a program and returns the median that it reports, and its peak memory in MiB.
func timed(ctx context.Context, arguments []string, log io.Writer) (seconds, memory float64, err error) {
	command := exec.CommandContext(ctx, arguments[0], arguments[1:]...)
	var out bytes.Buffer
	command.Stdout, command.Stderr = &out, log
	if err := command.Run(); err != nil {
		return 0, 0, errors.Join(ctx.Err(), err)
	}
	var report struct {
		Median float64 `json:"median_s"`
	}
	if err := json.Unmarshal(lastLine(out.Bytes()), &report); err != nil || !(report.Median > 0) {
		return 0, 0, errors.New("the last line that it prints is no JSON object with median_s above 0")
	}
	if usage, ok := command.ProcessState.SysUsage().(*syscall.Rusage); ok {
		memory = maxRSS(usage)
	}
	return report.Median, memory, nil
}

func lastLine(output []byte) []byte {
	output = bytes.TrimSpace(output)
	return output[bytes.LastIndexByte(output, '\n')+1:]
}
