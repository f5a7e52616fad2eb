package explore

import (
	"fmt"
	"html"
	"time"

	"ffslab/viz/escape"
	"ffslab/viz/notebook"
)

// statusLine is a line under the cell that says how far it is. Headless runs show it in the
// terminal.
type statusLine struct {
	live *notebook.Live
	said time.Time
}

func newStatus() *statusLine { return &statusLine{live: notebook.NewLive()} }

// show replaces the line. Outside a cell it does nothing.
func (s *statusLine) show(line string) {
	line = escape.Line(line)
	block := `<div style="font-variant-numeric:tabular-nums">` + html.EscapeString(line) + "</div>"
	_ = s.live.Show(block, line) // another one follows
}

// say shows the line if the last one is a second old, or if it is the last one of its kind, which
// is printed outside a cell.
func (s *statusLine) say(line string, last bool) {
	if !last && time.Since(s.said) < time.Second {
		return
	}
	s.said = time.Now()
	s.show(line)
	if last && !notebook.InCell() {
		fmt.Println(escape.Line(line))
	}
}
