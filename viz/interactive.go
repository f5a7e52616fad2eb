package viz

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"time"

	"github.com/janpfeifer/gonb/gonbui"
)

// browserPatience is how long Interactive waits for the page's first sign of life.
const browserPatience = 8 * time.Second

// Interactive shows a figure under sliders and draws it anew, in place, whenever one moves: redraw gets the
// sliders' values by label. The cell keeps running, so that redraw may use what the cell has computed;
// interrupting the cell (the stop button) ends it and leaves the figure as it is, with its values. Put
// %widgets alone into the notebook's first cell, so that the connection to the page is reliable, and tag that
// cell skip-execution, because it fails where there is no browser.
//
// Where nobody can drag (outside a notebook, with [Headless] set, or when no browser answers within eight
// seconds) the start state is drawn once and Interactive returns.
//
// It fails for sliders that are not proper, and with the error of the first drawing. Errors of later ones are
// shown under the sliders, and the reader can drag on.
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
	if errors.Is(err, errNoAnswer) {
		page.note = " (The page did not answer: run the cell with %widgets, then this one again.)"
		err = nil
	}
	if err != nil {
		return err
	}
	return page.finish(fig, positions)
}

var errNoAnswer = errors.New("viz: the page did not answer")

// display is where follow shows figures and errors.
type display interface {
	show(*Figure) error
	complain(error)
}

// follow redraws after moves until it is interrupted, or until patience ends before the first message of the
// page, which is errNoAnswer. It returns the last figure with its positions. Positions that pile up during a
// drawing are skipped.
func follow(
	sliders []Slider, positions []int, fig *Figure, redraw func(map[string]float64) (*Figure, error),
	on display, moves *mailbox, interrupted <-chan os.Signal, patience <-chan time.Time,
) (*Figure, []int, error) {
	for {
		select {
		case <-interrupted:
			return fig, positions, nil
		case <-patience:
			return fig, positions, errNoAnswer
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

// mailbox keeps the latest position of each slider until it is read. GoNB delivers every message in a
// goroutine of its own, so that they may overtake one another: each carries the number of its event, and
// older ones are dropped.
type mailbox struct {
	mu     sync.Mutex
	latest map[int]int // slider -> position
	event  map[int]int // slider -> number of its latest event
	ready  chan struct{}
}

func newMailbox() *mailbox {
	return &mailbox{latest: map[int]int{}, event: map[int]int{}, ready: make(chan struct{}, 1)}
}

// put notes a message of the page, "SLIDER EVENT POSITION", and wakes the reader. Any other message is a mere
// sign of life.
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
