// Package explore makes the figures of a run, from plain calls that a notebook cell or a command can hold: the data, training curves,
// latents, synthetic outliers among real features, separation of inliers and outliers, pictures with detections.
//
// A [Session] knows which run and which data sets are looked at, and keeps what is expensive (features, evaluations) in files, because every
// cell of a Go notebook is a process of its own. Computations return plain values; functions that draw take those and return a figure.
package explore

import (
	"errors"
	"fmt"
	"os"

	"ffslab/viz"
	"ffslab/viz/escape"
)

// nothing is the error of what has no subject.
func nothing(format string, args ...any) error {
	return fmt.Errorf("%w: %s", viz.ErrNothing, fmt.Sprintf(format, args...))
}

// Must returns v. If there is an error it says so in one line and ends the program, which is one
// cell: with status 1, or, because a run that has nothing to show at this place is no failure, with
// status 0 for [viz.ErrNothing].
func Must[T any](v T, err error) T {
	Check(err)
	return v
}

// Check is [Must] for calls that return only an error.
func Check(err error) {
	switch {
	case err == nil:
	case errors.Is(err, viz.ErrNothing):
		escape.Fprintf(os.Stdout, "%v\n", err)
		exit(0)
	default:
		escape.Fprintf(os.Stderr, "error: %v\n", err)
		exit(1)
	}
}

// exit is replaced in tests.
var exit = os.Exit
