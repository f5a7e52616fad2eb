package cli

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"ffslab/data"
	"ffslab/ffs/run"
	"ffslab/viz/escape"
)

// quietInterval is the time between progress messages if the output is not a terminal.
const quietInterval = 15 * time.Second

// newBar returns a progress bar for a terminal, or nil if w is none.
func newBar(w io.Writer, total int, unit string) *progressbar.ProgressBar {
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return nil
	}
	return progressbar.NewOptions(total, progressbar.OptionSetWriter(w), progressbar.OptionShowCount(), progressbar.OptionShowIts(),
		progressbar.OptionSetItsString(unit), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(),
		progressbar.OptionSetPredictTime(true), progressbar.OptionSetWidth(24), progressbar.OptionFullWidth())
}

// trainBar shows the progress of a training: losses, images per second and the time left.
type trainBar struct {
	w          io.Writer
	bar        *progressbar.ProgressBar
	terminal   bool
	begin      time.Time
	firstStep  int
	lastLine   time.Time
	smoothLoss float64
	smoothRate float64
	compiled   bool    // the time of the next step includes compilation
	seconds    float64 // duration of all other steps
	waited     float64 // part of it spent waiting for data
}

func newTrainBar(w io.Writer) *trainBar {
	return &trainBar{w: w, firstStep: -1, terminal: newBar(w, 1, "") != nil}
}

// Compiling says why the first step takes long.
func (b *trainBar) Compiling(canvas data.Canvas) {
	b.clear()
	escape.Fprintf(b.w, "compiling the training step for a canvas of %dx%d (height x width)\n", canvas.Height, canvas.Width)
}

// Compiled says how long compiling took, and how many canvases have been compiled.
func (b *trainBar) Compiled(n int, took time.Duration) {
	b.clear()
	b.compiled = true
	escape.Fprintf(b.w, "compiled in %.0f s, with the first step; canvases compiled: %d\n", took.Seconds(), n)
}

// Step shows the losses of a finished step.
func (b *trainBar) Step(m run.Metrics, maxIter int) {
	if !b.compiled {
		b.seconds, b.waited = b.seconds+m.Seconds, b.waited+m.DataWait
	}
	b.compiled = false
	if b.firstStep < 0 { // its time includes compilation
		b.firstStep, b.begin, b.smoothLoss = m.Step, time.Now(), m.TotalLoss
		if b.terminal {
			b.bar = newBar(b.w, maxIter, "step")
		}
		return
	}
	b.smoothLoss += 0.05 * (m.TotalLoss - b.smoothLoss)
	if b.smoothRate == 0 {
		b.smoothRate = m.ImagesPerSecond
	}
	b.smoothRate += 0.05 * (m.ImagesPerSecond - b.smoothRate)
	if b.bar != nil {
		b.bar.Describe(fmt.Sprintf("loss %.3f%s  %.1f images/s", b.smoothLoss, extraTerms(m), b.smoothRate))
		if err := b.bar.Set(m.Step); err != nil {
			b.bar = nil
		}
		return
	}
	if time.Since(b.lastLine) >= quietInterval || m.Step == maxIter {
		b.lastLine = time.Now()
		perStep := time.Since(b.begin) / time.Duration(m.Step-b.firstStep)
		left := (perStep * time.Duration(maxIter-m.Step)).Round(time.Second)
		escape.Fprintf(b.w, "step %d/%d  loss %.3f%s  %.1f images/s  %v left\n", m.Step, maxIter, b.smoothLoss, extraTerms(m), b.smoothRate, left)
	}
}

// extraTerms lists the extra loss terms, which the loss contains.
func extraTerms(m run.Metrics) string {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(m.Terms)) {
		fmt.Fprintf(&text, "  %s %.3g", strings.TrimPrefix(name, "loss_"), m.Terms[name])
	}
	return text.String()
}

// waiting says for which share of the time the steps waited for data, without steps that were
// compiled; "" if there were no others.
func (b *trainBar) waiting() string {
	if b.seconds == 0 {
		return ""
	}
	return fmt.Sprintf(", waited %.1f %% of the time for data", 100*b.waited/b.seconds)
}

// Warn prints a warning above the bar.
func (b *trainBar) Warn(message string) {
	b.clear()
	escape.Fprintf(b.w, "warning: %s\n", message)
}

func (b *trainBar) clear() {
	if b.bar != nil {
		b.bar.Clear()
	}
}

func (b *trainBar) close() {
	b.clear()
	b.bar = nil
}

// setProgress shows how many images of a set are done, one bar after the other.
type setProgress struct {
	w        io.Writer
	set      string
	bar      *progressbar.ProgressBar
	lastLine time.Time
}

// update is called for every image.
func (p *setProgress) update(set string, done, total int) {
	if set != p.set {
		p.set, p.bar, p.lastLine = set, newBar(p.w, total, "images"), time.Now()
		if p.bar != nil {
			p.bar.Describe(escape.Line(set))
		}
	}
	if p.bar != nil {
		if err := p.bar.Set(done); err != nil {
			p.bar = nil
		}
		return
	}
	if done == total || time.Since(p.lastLine) >= quietInterval {
		p.lastLine = time.Now()
		escape.Fprintf(p.w, "%s: %d/%d images\n", set, done, total)
	}
}
