package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

// board shows the progress of the running notebooks: on a terminal in one line that counts seconds,
// elsewhere in a line for each cell that has ended, and for each half minute of a long one.
type board struct {
	mu      sync.Mutex // also of the fields of running
	w       io.Writer
	width   int // of the terminal; 0: there is none
	running []*progress
}

// progress is the progress of a running notebook.
type progress struct {
	board       *board
	name        string
	cells       int
	number      int       // of the cell; 0: none has begun
	title       string    // of the cell
	said        string    // progress that the cell reports; may be empty
	start, tick time.Time // of the notebook, and of the last line about the cell
	cellStart   time.Time
}

// quietInterval is the time between two lines about a cell, not on a terminal.
const quietInterval = 30 * time.Second

func newBoard(w io.Writer) *board {
	b := &board{w: w}
	if file, ok := w.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		b.width = 80
		if width, _, err := term.GetSize(int(file.Fd())); err == nil {
			b.width = width
		}
	}
	return b
}

// begin adds a notebook.
func (b *board) begin(name string, cells int) *progress {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := &progress{board: b, name: name, cells: cells, start: time.Now()}
	b.running = append(b.running, p)
	b.redraw()
	return p
}

// redraw rewrites the line of the terminal.
func (b *board) redraw() {
	if b.width == 0 || len(b.running) == 0 {
		return
	}
	const separator = " | "
	each := b.width/len(b.running) - len(separator)
	parts := make([]string, len(b.running))
	for i, p := range b.running {
		parts[i] = shorten(p.line(), each)
	}
	fmt.Fprint(b.w, eraseLine+strings.Join(parts, separator))
}

const eraseLine = "\r\033[K"

// line describes the state of the notebook.
func (p *progress) line() string {
	cell := "starting the kernel"
	if p.number > 0 {
		cell = fmt.Sprintf("cell %d/%d %s", p.number, p.cells, cmp.Or(p.said, p.title))
	}
	return fmt.Sprintf("%s: %s  %s", p.name, round(time.Since(p.start)), cell)
}

// cell ends the current cell and begins another one.
func (p *progress) cell(number int, title string) {
	p.board.mu.Lock()
	defer p.board.mu.Unlock()
	p.endCell()
	p.number, p.title, p.said = number, title, ""
	p.cellStart, p.tick = time.Now(), time.Now()
	p.board.redraw()
}

func (p *progress) endCell() {
	if p.number > 0 && p.board.width == 0 {
		fmt.Fprintf(p.board.w, "%s: cell %d/%d  %6s  %s\n", p.name, p.number, p.cells, round(time.Since(p.cellStart)), shorten(p.title, titleWidth))
	}
}

// status sets the progress that the cell reports. It is shown within a second.
func (p *progress) status(said string) {
	p.board.mu.Lock()
	defer p.board.mu.Unlock()
	p.said = said
}

// end reports how the notebook ended and removes it.
func (p *progress) end(err error) {
	b := p.board
	b.mu.Lock()
	defer b.mu.Unlock()
	if err == nil {
		p.endCell()
	}
	if b.width > 0 {
		fmt.Fprint(b.w, eraseLine)
	}
	outcome := "done"
	switch {
	case errors.Is(err, context.Canceled):
		outcome = "stopped"
	case err != nil:
		outcome = "FAILED"
	}
	fmt.Fprintf(b.w, "%s: %s in %s\n", p.name, outcome, round(time.Since(p.start)))
	b.running = slices.DeleteFunc(b.running, func(other *progress) bool { return other == p })
	b.redraw()
}

// alive updates the display of a running notebook.
func (p *progress) alive() {
	b := p.board
	b.mu.Lock()
	defer b.mu.Unlock()
	b.redraw()
	if b.width == 0 && p.number > 0 && time.Since(p.tick) >= quietInterval {
		p.tick = time.Now()
		fmt.Fprintf(b.w, "%s: cell %d/%d  running for %s  %s\n", p.name, p.number, p.cells, round(time.Since(p.cellStart)), cmp.Or(p.said, p.title))
	}
}

// heartbeat yields the events and updates the display every second.
func (p *progress) heartbeat(events <-chan event) func(yield func(event) bool) {
	return func(yield func(event) bool) {
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		for {
			select {
			case e, ok := <-events:
				if !ok || !yield(e) {
					return
				}
			case <-ticker.C:
				p.alive()
			}
		}
	}
}

func round(d time.Duration) time.Duration {
	if d < 10*time.Second {
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Second)
}

// titleWidth is the width of titles in the lines of cells.
const titleWidth = 72

// shorten cuts text to a width in characters.
func shorten(text string, width int) string {
	runes := []rune(text)
	if len(runes) <= width {
		return text
	}
	return string(runes[:max(0, width-1)]) + "…"
}
