package lab

import (
	"cmp"
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
	width       int // of the terminal; 0: there is none
	cells       int
	number      int
	title       string    // of the cell
	said        string    // what the cell says of itself; empty: nothing
	start, tick time.Time // of the notebook; of the cell's last line
	cellStart   time.Time
}

// quietInterval is the time between two signs of life where no terminal counts the seconds.
const quietInterval = 30 * time.Second

func newProgress(w io.Writer, name string) *progress {
	p := &progress{w: w, name: name, start: time.Now()}
	if file, ok := w.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		p.width = 80
		if width, _, err := term.GetSize(int(file.Fd())); err == nil {
			p.width = width
		}
	}
	return p
}

func (p *progress) begin(cells int) {
	p.cells = cells
	if p.width == 0 {
		fmt.Fprintf(p.w, "%s: %d code cells\n", p.name, cells)
	}
}

// cell ends the cell before and begins another one.
func (p *progress) cell(number int, title string) {
	p.endCell()
	p.number, p.title, p.said = number, title, ""
	p.cellStart, p.tick = time.Now(), time.Now()
	p.redraw()
}

func (p *progress) endCell() {
	if p.number > 0 && p.width == 0 {
		fmt.Fprintf(p.w, "  cell %d/%d  %6s  %s\n", p.number, p.cells, round(time.Since(p.cellStart)), shorten(p.title, titleWidth))
	}
}

// status notes what the cell says of itself; the next redrawing shows it.
func (p *progress) status(said string) { p.said = said }

// end tells how the notebook ended.
func (p *progress) end(err error) {
	if err == nil {
		p.endCell()
	}
	erase := ""
	if p.width > 0 {
		erase = "\r\033[K"
	}
	outcome := "done"
	if err != nil {
		outcome = "FAILED"
	}
	fmt.Fprintf(p.w, "%s%s: %s in %s\n", erase, p.name, outcome, round(time.Since(p.start)))
}

func (p *progress) redraw() {
	doing := cmp.Or(p.said, p.title)
	switch {
	case p.width > 0:
		cell := "starting the kernel"
		if p.number > 0 {
			cell = fmt.Sprintf("cell %d/%d %s", p.number, p.cells, doing)
		}
		fmt.Fprint(p.w, "\r\033[K"+shorten(fmt.Sprintf("%s: %s  %s", p.name, round(time.Since(p.start)), cell), p.width-1))
	case p.number > 0 && time.Since(p.tick) >= quietInterval:
		p.tick = time.Now()
		fmt.Fprintf(p.w, "  cell %d/%d  running for %s  %s\n", p.number, p.cells, round(time.Since(p.cellStart)), doing)
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

// titleWidth is the width of a cell's title where each cell has a line.
const titleWidth = 72

// shorten cuts a text to a width in characters.
func shorten(text string, width int) string {
	runes := []rune(text)
	if len(runes) <= width {
		return text
	}
	return string(runes[:max(0, width-1)]) + "…"
}
