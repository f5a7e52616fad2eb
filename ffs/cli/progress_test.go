package cli

import (
	"io"
	"testing"
	"time"

	"ffslab/ffs/run"
)

func TestTrainBarTellsTheShareOfWaiting(t *testing.T) {
	b := newTrainBar(io.Discard)
	step := func(n int, seconds, wait float64) { b.Step(run.Metrics{Step: n, Seconds: seconds, DataWait: wait}, 5) }
	b.Compiled(1, time.Second)
	step(1, 20, 10)
	if got := b.waiting(); got != "" {
		t.Errorf("after a compiled step alone %q, want nothing", got)
	}
	step(2, 1, 0.25)
	step(3, 1, 0)
	b.Compiled(2, time.Second)
	step(4, 30, 20)
	step(5, 2, 0.25)
	if got, want := b.waiting(), ", waited 12.5 % of the time for data"; got != want {
		t.Errorf("%q, want %q: 0.5 s of 4 s, without the two compiled steps", got, want)
	}
}
