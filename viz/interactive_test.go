package viz

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// recorder is a page that nobody looks at.
type recorder struct {
	shown    []string
	errors   []string
	onChange func()
}

func (r *recorder) show(f *Figure) error {
	r.shown = append(r.shown, f.Caption)
	r.onChange()
	return nil
}

func (r *recorder) complain(err error) {
	r.errors = append(r.errors, err.Error())
	r.onChange()
}

// The loop draws the latest positions, survives a failing drawing, and ends with the last good figure when
// interrupted.
func TestFollow(t *testing.T) {
	sliders := []Slider{{Label: "a", Max: 3, Step: 1, Start: 1}, {Label: "b", Min: -1, Max: 1, Step: 0.5}}
	redraw := func(v map[string]float64) (*Figure, error) {
		if v["a"] == 3 {
			return nil, errors.New("three is too much")
		}
		return &Figure{Caption: fmt.Sprintf("a=%v b=%v", v["a"], v["b"])}, nil
	}
	box := newMailbox()
	interrupt := make(chan os.Signal, 1)
	// Each change is followed by the next messages of the page. Events may arrive out of order: the second of
	// the first batch is older than the first and must not win.
	script := [][]string{{"0 3 0", "0 2 2", "1 1 4"}, {"0 4 3"}, {"nonsense", "7 1 1", "0 5 2"}}
	page := &recorder{}
	page.onChange = func() {
		if len(script) == 0 {
			interrupt <- os.Interrupt
			return
		}
		for _, message := range script[0] {
			box.put(message)
		}
		script = script[1:]
	}
	page.onChange()
	start := []int{sliders[0].start(), sliders[1].start()}
	f, positions, err := follow(sliders, start, &Figure{Caption: "start"}, redraw, page, box, interrupt, time.After(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a=0 b=1", "a=2 b=1"}, page.shown); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"three is too much"}, page.errors); diff != "" {
		t.Error(diff)
	}
	if f.Caption != "a=2 b=1" || !slices.Equal(positions, []int{2, 4}) {
		t.Errorf("ended with %q at %v", f.Caption, positions)
	}
}

// Without a browser the loop ends when its patience does; a sign of life makes it stay.
func TestFollowPatience(t *testing.T) {
	redraw := func(map[string]float64) (*Figure, error) { return nil, errors.New("must not be called") }
	sliders := []Slider{{Label: "a", Max: 1, Step: 1}}
	silent := &recorder{}
	f, _, err := follow(sliders, []int{0}, &Figure{Caption: "start"}, redraw, silent, newMailbox(), nil, time.After(time.Millisecond))
	if !errors.Is(err, errNoAnswer) || f.Caption != "start" {
		t.Errorf("figure %v, error %v", f, err)
	}

	box := newMailbox()
	box.put("hello")
	interrupt := make(chan os.Signal)
	patience := make(chan time.Time)
	ended := make(chan bool)
	go func() {
		follow(sliders, []int{0}, &Figure{}, redraw, silent, box, interrupt, patience)
		close(ended)
	}()
	for len(box.ready) > 0 { // until hello is read
		time.Sleep(time.Millisecond)
	}
	select {
	case patience <- time.Now():
		t.Error("it still waits for a sign of life after one came")
	case <-time.After(50 * time.Millisecond):
	}
	interrupt <- os.Interrupt
	<-ended
}

func TestSlider(t *testing.T) {
	s := Slider{Label: "t", Min: -0.3, Max: 0.75, Step: 0.1, Start: 0.21}
	if s.positions() != 11 || s.start() != 5 {
		t.Errorf("%d positions, start at %d; want 11 and 5", s.positions(), s.start())
	}
	var texts []string
	for _, position := range []int{-4, 0, 3, 5, 10, 99} {
		texts = append(texts, s.text(s.value(position)))
	}
	if diff := cmp.Diff([]string{"-0.3", "-0.3", "0.0", "0.2", "0.7", "0.7"}, texts); diff != "" {
		t.Error(diff)
	}
	if got := (Slider{Step: 0.25}).text(1.5); got != "1.50" {
		t.Errorf("a step of 0.25 gives %q", got)
	}
}

// Outside a notebook nothing is shown, and Interactive draws its start state once.
func TestOutsideNotebook(t *testing.T) {
	if err := (&Figure{}).Show(); !errors.Is(err, ErrNoNotebook) {
		t.Errorf("Show: %v", err)
	}
	calls := 0
	err := Interactive([]Slider{{Label: "t", Min: 1, Max: 2, Step: 0.5, Start: 1.5}}, func(v map[string]float64) (*Figure, error) {
		calls++
		if v["t"] != 1.5 {
			t.Errorf("values %v", v)
		}
		return &Figure{}, nil
	})
	if err != nil || calls != 1 {
		t.Errorf("%d drawings, error %v", calls, err)
	}
}

func TestLive(t *testing.T) {
	old := Series{Name: "a", X: []float64{0}, Y: []float64{9}}
	live := NewLive(Curves{Title: "run", Series: []Series{old}}, "a", "b")
	live.Add(1, map[string]float64{"b": 2, "a": 1, "c": 3})
	live.Add(2, map[string]float64{"b": 4})
	if err := live.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := live.Figure()
	if err != nil {
		t.Fatal(err)
	}
	got, err := f.CSV()
	if err != nil {
		t.Fatal(err)
	}
	if want := "series,x,y\na,0,9\na,1,1\nb,1,2\nb,2,4\n"; string(got) != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if len(old.X) != 1 {
		t.Error("the template was changed")
	}
}

// The block for a notebook scales with the window, escapes its caption and has no XML declaration.
func TestHTML(t *testing.T) {
	for name, f := range gallery(t) {
		got, err := f.html()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(got, "&lt;"+name+"&gt;") || strings.Contains(got, "<"+name+">") || strings.Contains(got, "<?xml") || !strings.Contains(got, "width:100%") {
			t.Errorf("%s: %.200s", name, got)
		}
	}
}
