package cli

import (
	"context"
	"io"
	"os"
	"syscall"
	"testing"
)

// Slurm terminates a job's shell and its processes, and the shell passes its signal on: that is no
// wish to stop at once.
func TestTerminatedTwiceSavesItsWork(t *testing.T) {
	for _, c := range []struct {
		name   string
		second os.Signal
		exits  bool
	}{
		{"terminated twice", syscall.SIGTERM, false},
		{"interrupted after that", os.Interrupt, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			signals := make(chan os.Signal, 2)
			signals <- syscall.SIGTERM
			signals <- c.second
			close(signals)
			status := 0
			answer(ctx, signals, io.Discard, cancel, func(s int) { status = s })
			if ctx.Err() == nil {
				t.Error("the first signal does not stop the command")
			}
			if exits := status == interrupted; exits != c.exits {
				t.Errorf("exits at once: %v, want %v", exits, c.exits)
			}
		})
	}
}
