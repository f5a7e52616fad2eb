package viz

import (
	_ "embed"
	"errors"
	"fmt"
	"html"
	"math"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"text/template"
	"time"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/comms"
)

// Slider is a number that a reader of a notebook sets by dragging.
type Slider struct {
	Label    string // shown beside it, and its key in the values
	Min, Max float64
	Step     float64 // distance of neighbouring positions
	Start    float64 // in [Min, Max]; taken to the nearest position
}

// positions is how many positions a slider has.
func (s Slider) positions() int { return int(math.Floor((s.Max-s.Min)/s.Step+1e-9)) + 1 }

// value is the number at a position, counted from 0.
func (s Slider) value(position int) float64 {
	return s.Min + float64(min(max(position, 0), s.positions()-1))*s.Step
}

// start is the position of the start value.
func (s Slider) start() int {
	return min(int(math.Round((s.Start-s.Min)/s.Step)), s.positions()-1)
}

// text is a value with as many decimals as the step has.
func (s Slider) text(v float64) string {
	decimals := 0
	for d := s.Step; decimals < 6 && math.Abs(d-math.Round(d)) > 1e-9*d; d *= 10 {
		decimals++
	}
	return strconv.FormatFloat(v, 'f', decimals, 64)
}

// browserPatience is how long Interactive waits for the page's first sign of life.
const browserPatience = 8 * time.Second

// Interactive shows a figure under sliders and draws it anew, in place, whenever one moves: redraw gets
// the sliders' values by label. The cell keeps running, so that redraw may use what the cell has
// computed; interrupting the cell (the stop button) ends it and leaves the figure as it is, with its values.
// Put %widgets alone into the notebook's first cell: the connection to the page is reliable then.
//
// Where nobody can drag (outside a notebook, with [Headless] set, or when no browser answers within eight seconds) the
// start state is drawn once and Interactive returns.
//
// It fails for sliders that are not proper, and with the error of the first drawing. Errors of later ones are shown under
// the sliders, and the reader can drag on.
func Interactive(sliders []Slider, redraw func(values map[string]float64) (*Figure, error)) error {
	if err := checkSliders(sliders); err != nil {
		return err
	}
	positions := make([]int, len(sliders))
	for i, s := range sliders {
		positions[i] = s.start()
	}
	fig, err := redraw(valuesAt(sliders, positions))
	if err != nil {
		return err
	}
	if !gonbui.IsNotebook {
		return nil
	}
	page := newPage(sliders)
	if !watched() {
		return page.finish(fig, positions)
	}
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt)
	defer signal.Stop(interrupted)

	moves := page.open(positions)
	if err := page.show(fig); err != nil {
		return err
	}
	fig, positions, err = follow(sliders, positions, fig, redraw, page, moves, interrupted, time.After(browserPatience))
	if err != nil {
		return err
	}
	return page.finish(fig, positions)
}

func checkSliders(sliders []Slider) error {
	if len(sliders) == 0 {
		return errors.New("viz: interactive figure: give at least one slider")
	}
	seen := map[string]bool{}
	for _, s := range sliders {
		switch {
		case s.Label == "" || seen[s.Label]:
			return fmt.Errorf("viz: slider %q: labels must be there and differ, they are the keys of the values", s.Label)
		case !(s.Step > 0) || !(s.Min < s.Max) || !isFinite(s.Max-s.Min):
			return fmt.Errorf("viz: slider %q: from %v to %v in steps of %v is no range", s.Label, s.Min, s.Max, s.Step)
		case (s.Max-s.Min)/s.Step > 1e5:
			return fmt.Errorf("viz: slider %q: steps of %v from %v to %v are too many: take larger ones", s.Label, s.Step, s.Min, s.Max)
		case !(s.Start >= s.Min && s.Start <= s.Max):
			return fmt.Errorf("viz: slider %q: start %v is not in [%v, %v]", s.Label, s.Start, s.Min, s.Max)
		}
		seen[s.Label] = true
	}
	return nil
}

func valuesAt(sliders []Slider, positions []int) map[string]float64 {
	values := make(map[string]float64, len(sliders))
	for i, s := range sliders {
		values[s.Label] = s.value(positions[i])
	}
	return values
}

// display is where follow shows figures and errors.
type display interface {
	show(*Figure) error
	complain(error)
}

// follow redraws after moves until it is interrupted, or until patience ends before the first message of
// the page. It returns the last figure with its positions. Positions that pile up during a drawing are skipped.
func follow(sliders []Slider, positions []int, fig *Figure, redraw func(map[string]float64) (*Figure, error), on display,
	moves *mailbox, interrupted <-chan os.Signal, patience <-chan time.Time) (*Figure, []int, error) {
	for {
		select {
		case <-interrupted:
			return fig, positions, nil
		case <-patience:
			return fig, positions, nil
		case <-moves.ready:
			patience = nil
			next, moved := moves.take(positions)
			if !moved {
				continue
			}
			drawn, err := redraw(valuesAt(sliders, next))
			if err != nil {
				on.complain(err)
				continue
			}
			fig, positions = drawn, next
			if err := on.show(fig); err != nil {
				return fig, positions, err
			}
		}
	}
}

// mailbox keeps the latest position of each slider until it is read. GoNB delivers every message in a goroutine of its own, so
// that they may overtake one another: each carries the number of its event, and older ones are dropped.
type mailbox struct {
	mu     sync.Mutex
	latest map[int]int // slider -> position
	event  map[int]int // slider -> number of its latest event
	ready  chan struct{}
}

func newMailbox() *mailbox {
	return &mailbox{latest: map[int]int{}, event: map[int]int{}, ready: make(chan struct{}, 1)}
}

// put notes a message of the page, "SLIDER EVENT POSITION", and wakes the reader. Any other message is a mere sign of life.
func (m *mailbox) put(message string) {
	var slider, event, position int
	m.mu.Lock()
	if n, _ := fmt.Sscan(message, &slider, &event, &position); n == 3 && event > m.event[slider] {
		m.event[slider], m.latest[slider] = event, position
	}
	m.mu.Unlock()
	select {
	case m.ready <- struct{}{}:
	default: // it is awake already
	}
}

// take returns the positions with the news in them, and whether there were any.
func (m *mailbox) take(positions []int) (next []int, moved bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	next = append([]int(nil), positions...)
	for slider, position := range m.latest {
		if slider >= 0 && slider < len(next) && next[slider] != position {
			next[slider], moved = position, true
		}
	}
	clear(m.latest)
	return next, moved
}

// page is the output of the running cell: a block with the sliders and one with the figure.
type page struct {
	sliders         []Slider
	id              string
	controls, block string // GoNB's ids of the two blocks
}

func newPage(sliders []Slider) *page {
	id := "viz_" + gonbui.UniqueID()
	return &page{sliders: sliders, id: id, controls: id + "_controls", block: id + "_figure"}
}

//go:embed interactive.js
var script string

var scriptTemplate = template.Must(template.New("interactive.js").Parse(script))

// open puts the sliders on the page and listens to them, to the end of the cell: in GoNB v0.11.4 a message to an
// address that somebody has unsubscribed from blocks all later ones.
func (p *page) open(positions []int) *mailbox {
	box := newMailbox()
	comms.Subscribe("/"+p.id, func(_ string, message string) { box.put(message) })
	var b strings.Builder
	b.WriteString(`<div style="display:grid;grid-template-columns:max-content minmax(8em,20em) max-content;gap:0.2em 0.8em;align-items:center">`)
	for i, s := range p.sliders {
		fmt.Fprintf(&b, `<label for="%[1]s_%[2]d">%[3]s</label><input type="range" id="%[1]s_%[2]d" min="0" max="%[4]d" value="%[5]d"><output id="%[1]s_%[2]d_value">%[6]s</output>`,
			p.id, i, html.EscapeString(s.Label), s.positions()-1, positions[i], s.text(s.value(positions[i])))
	}
	b.WriteString("</div><script>")
	// The id comes from GoNB and the numbers are checked: nothing in the script needs escaping.
	if err := scriptTemplate.Execute(&b, struct {
		ID      string
		Sliders []Slider
	}{p.id, p.sliders}); err != nil {
		panic(err) // the template and its data are fixed in this file
	}
	b.WriteString("</script>")
	gonbui.UpdateHTML(p.controls, b.String())
	return box
}

// show implements display.
func (p *page) show(f *Figure) error {
	block, err := f.html()
	if err != nil {
		return err
	}
	gonbui.UpdateHTML(p.block, block)
	return gonbui.Error()
}

// complain implements display.
func (p *page) complain(err error) {
	gonbui.UpdateHTML(p.block, `<pre style="color:#D55E00;white-space:pre-wrap">`+html.EscapeString(err.Error())+"</pre>")
}

// finish replaces the sliders by the values they had, for the saved notebook, and shows the last figure.
func (p *page) finish(f *Figure, positions []int) error {
	var values []string
	for i, s := range p.sliders {
		values = append(values, fmt.Sprintf("%s = %s", s.Label, s.text(s.value(positions[i]))))
	}
	gonbui.UpdateHTML(p.controls, "<p>"+html.EscapeString(strings.Join(values, ", "))+"</p>")
	err := p.show(f)
	gonbui.Sync()
	return err
}
