// Package explore holds what the notebooks call: it computes and draws what can be seen of a run.
// Among it are the data, training with live curves, latents, synthetic outliers among real
// features, how scores separate inliers from outliers, and images with detections.
//
// A [Session] names the runs and the data sets. It stores features and evaluations in files,
// because every cell of a Go notebook is a process of its own:
//
//	session := explore.Must(explore.Open())
//	session.Show("04-outliers", explore.Must(explore.Must(session.Synthesis()).Figure(1)))
//
// Methods and functions that compute return plain values; those that draw return a [viz.Figure].
package explore

import (
	"errors"
	"fmt"
	"os"

	"ffslab/viz"
	"ffslab/viz/escape"
)

// nothing returns an error that wraps [viz.ErrNothing].
func nothing(format string, args ...any) error {
	return fmt.Errorf("%w: %s", viz.ErrNothing, fmt.Sprintf(format, args...))
}

// Must returns v. On an error it prints one line and ends the program, which is one cell, with
// status 1. If the error wraps [viz.ErrNothing], the status is 0: a run that has nothing to show
// here has not failed.
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

// exit is a variable for tests.
var exit = os.Exit
