package lab

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// progress tells how far a notebook is: on a terminal in one line that counts the seconds, else in one line a cell and a
// sign of life now and then.
type progress struct {
	w           io.Writer
	name        string
	terminal    bool
	cells       int
	number      int
	source      string
	start, tick time.Time // of the notebook; of the cell's last line
	cellStart   time.Time
}

// quietInterval is the time between two signs of life where no terminal counts the seconds.
const quietInterval = 30 * time.Second

func newProgress(w io.Writer, name string) *progress {
	file, ok := w.(*os.File)
	return &progress{w: w, name: name, terminal: ok && term.IsTerminal(int(file.Fd())), start: time.Now()}
}

func (p *progress) begin(cells int) {
	p.cells = cells
	if !p.terminal {
		fmt.Fprintf(p.w, "%s: %d code cells\n", p.name, cells)
	}
}

// cell ends the cell before and begins another one.
func (p *progress) cell(number int, source string) {
	p.endCell()
	p.number, p.source = number, source
	p.cellStart, p.tick = time.Now(), time.Now()
	p.redraw()
}

func (p *progress) endCell() {
	if p.number > 0 && !p.terminal {
		fmt.Fprintf(p.w, "  cell %d/%d  %6s  %s\n", p.number, p.cells, round(time.Since(p.cellStart)), short(p.source))
	}
}

// end tells how the notebook ended.
func (p *progress) end(err error) {
	if err == nil {
		p.endCell()
	}
	clear := ""
	if p.terminal {
		clear = "\r\033[K"
	}
	outcome := "done"
	if err != nil {
		outcome = "FAILED"
	}
	fmt.Fprintf(p.w, "%s%s: %s in %s\n", clear, p.name, outcome, round(time.Since(p.start)))
}

func (p *progress) redraw() {
	switch {
	case p.terminal:
		cell := "starting the kernel"
		if p.number > 0 {
			cell = fmt.Sprintf("cell %d/%d %s", p.number, p.cells, short(p.source))
		}
		fmt.Fprintf(p.w, "\r\033[K%s: %s  %s", p.name, round(time.Since(p.start)), cell)
	case p.number > 0 && time.Since(p.tick) >= quietInterval:
		p.tick = time.Now()
		fmt.Fprintf(p.w, "  cell %d/%d  running for %s  %s\n", p.number, p.cells, round(time.Since(p.cellStart)), short(p.source))
	}
}

// heartbeat passes the events on and redraws every second in between.
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
				p.redraw()
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

// short cuts a line of code to the width that progress has for it.
func short(source string) string {
	const width = 48
	runes := []rune(source)
	if len(runes) <= width {
		return source
	}
	return string(runes[:width-1]) + "…"
}
