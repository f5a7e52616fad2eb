package notebook

import (
	"errors"
	"testing"

	"ffslab/viz"
)

func TestOutsideNotebook(t *testing.T) {
	for name, err := range map[string]error{"figure": Show(&viz.Figure{}), "HTML": ShowHTML(""), "Markdown": ShowMarkdown("")} {
		if !errors.Is(err, ErrNone) {
			t.Errorf("%s: %v, want ErrNone", name, err)
		}
	}
}

func TestLive(t *testing.T) {
	old := viz.Series{Name: "a", X: []float64{0}, Y: []float64{9}}
	live := NewLive(viz.Curves{Title: "run", Series: []viz.Series{old}}, "a", "b")
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
