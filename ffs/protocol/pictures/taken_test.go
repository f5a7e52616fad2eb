package pictures

import (
	"errors"
	"strings"
	"testing"

	"ffslab/data"
	"ffslab/ffs/eval"
	"ffslab/ffs/internal/tiny"
	"ffslab/ffs/protocol"
	"ffslab/ffs/run"
	"ffslab/viz"
)

func TestTakenForKnown(t *testing.T) {
	threshold := 0.6
	e := &protocol.Evaluation{
		Run:    run.Named{Name: "x"},
		Sets:   []*data.Dataset{tiny.Squares("squares:val", 3, "red"), tiny.Squares("squares:mixed", 4, "green", "red")},
		Report: &eval.Report{ScoreThreshold: &threshold},
	}
	on := func(set, i int, energy float64) eval.Detection {
		d := foundOn(e.Sets[set].Images[i].ID, 1, energy, -2)
		d.Box = e.Sets[set].Images[i].Instances[0].Box.COCO()
		return d
	}
	beside := on(1, 2, 8)
	beside.Box[0] += beside.Box[2]
	e.Detections = [][]eval.Detection{
		{on(0, 0, 3), on(0, 1, 4), on(0, 2, 5)}, // unknown is what has an energy under 3
		{on(1, 0, 4), on(1, 1, 9), on(1, 2, 2), beside},
	}
	// The red square is known, that of energy 2 is called unknown, and the last box lies beside the
	// object.
	figure, err := TakenForKnown(e, 1, 5)
	if err != nil {
		t.Fatal(err)
	}
	text, err := figure.CSV()
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), "energy"); n != 1 || !strings.Contains(string(text), "green as red, energy 4.00") || !strings.Contains(figure.Caption, "of 1 unknown objects") {
		t.Errorf("%s\n%s", figure.Caption, text)
	}
	e.Detections[1] = e.Detections[1][1:]
	if _, err := TakenForKnown(e, 1, 5); !errors.Is(err, viz.ErrNothing) {
		t.Errorf("error %v, want ErrNothing", err)
	}
	e.Sets[1].Unlabelled = true // then it may be anything that lies there
	if figure, err = TakenForKnown(e, 1, 1); err != nil || !strings.Contains(figure.Caption, "of 2 unknown objects") {
		t.Errorf("without annotations: error %v, %v", err, figure)
	}
}
