package explore

import (
	"fmt"
	"html"
	"time"

	"ffslab/viz/escape"
	"ffslab/viz/notebook"
)

// statusLine is a line of progress under the cell. Headless runs show it in the terminal.
type statusLine struct {
	live *notebook.Live
	said time.Time
}

func newStatus() *statusLine { return &statusLine{live: notebook.NewLive()} }

// show replaces the line. Outside a cell it does nothing.
func (s *statusLine) show(line string) {
	line = escape.Line(line)
	block := `<div style="font-variant-numeric:tabular-nums">` + html.EscapeString(line) + "</div>"
	_ = s.live.Show(block, line) // the next one replaces it
}

// say shows the line, but not more than once a second unless it is the last. Outside a cell it
// prints the last.
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
