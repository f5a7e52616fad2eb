package notebook

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/janpfeifer/gonb/gonbui"

	"ffslab/viz"
)

// Live draws training curves while they grow, in the output of a notebook cell, at most once a second.
// Outside a notebook it only collects, and costs next to nothing. Its methods may be called from several
// goroutines.
//
//	live := notebook.NewLive(viz.Curves{Title: "digits", YLabel: "loss", Smooth: 0.9}, "total_loss", "loss_energy")
//	defer live.Close()
//	... live.Add(step, map[string]float64{"total_loss": total, ...})
type Live struct {
	mu       sync.Mutex
	curves   viz.Curves
	names    []string // nil: every name that comes
	at       map[string]int
	block    string // GoNB's id of the output that is redrawn
	every    time.Duration
	drawn    time.Time
	drawCost time.Duration
}

// NewLive starts live curves. The template gives titles, labels, smoothing and marks; its series, if any, are
// what is there already (of a run that resumes). Only the named series are drawn, or all that come if there
// are no names.
func NewLive(template viz.Curves, names ...string) *Live {
	l := &Live{curves: template, names: names, at: map[string]int{}, block: "viz_live_" + gonbui.UniqueId(), every: time.Second}
	l.curves.Series = nil
	for _, s := range template.Series {
		s.X, s.Y = slices.Clone(s.X), slices.Clone(s.Y)
		l.at[s.Name] = len(l.curves.Series)
		l.curves.Series = append(l.curves.Series, s)
	}
	return l
}

// Add appends the values of one step, which must not be before the last one, and redraws if it is time. A
// value that is not finite leaves a gap. A drawing that fails, because nothing can be drawn yet, is left to
// the next step.
func (l *Live) Add(step float64, values map[string]float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	names := l.names
	if len(names) == 0 {
		names = slices.Sorted(maps.Keys(values))
	}
	for _, name := range names {
		v, ok := values[name]
		if !ok {
			continue
		}
		i, ok := l.at[name]
		if !ok {
			i = len(l.curves.Series)
			l.at[name] = i
			l.curves.Series = append(l.curves.Series, viz.Series{Name: name})
		}
		s := &l.curves.Series[i]
		s.X, s.Y = append(s.X, step), append(s.Y, v)
	}
	// Drawing must not slow the training down: it may take a twentieth of the time.
	if pause := max(l.every, 20*l.drawCost); watched() && time.Since(l.drawn) >= pause {
		start := time.Now()
		_ = l.redraw()
		l.drawn = time.Now()
		l.drawCost = l.drawn.Sub(start)
	}
}

// Figure returns the curves as they are now. It fails as [viz.Curves] does.
func (l *Live) Figure() (*viz.Figure, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.curves.Figure()
}

// Close draws the final state, which stays in the notebook when it is saved. Outside a notebook it does
// nothing.
func (l *Live) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !gonbui.IsNotebook || len(l.curves.Series) == 0 {
		return nil
	}
	return l.redraw()
}

// redraw replaces the output. The first call makes it.
func (l *Live) redraw() error {
	f, err := l.curves.Figure()
	if err != nil {
		return err
	}
	block, err := f.HTML()
	if err != nil {
		return err
	}
	gonbui.UpdateHTML(l.block, block)
	gonbui.Sync()
	return gonbui.Error()
}
