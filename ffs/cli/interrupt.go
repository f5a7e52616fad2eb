package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// interrupted is the exit status of a command that a signal has ended.
const interrupted = 130

// interruptible returns a context that ends with the first signal to stop. It reports the signal on
// w at once, since the current step, or XLA's compilation of one, cannot be stopped and may take
// half a minute. A later interrupt calls exit, which leaves the same state as a kill. A later
// termination is ignored: a batch system such as Slurm sends one to the shell of a job and to its
// processes, and the shell forwards its own. The caller calls stop in the end.
func interruptible(w io.Writer, exit func(status int)) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go answer(ctx, signals, w, cancel, exit)
	return ctx, func() {
		signal.Stop(signals)
		cancel()
	}
}

// answer acts on the first signal, and on the first interrupt after it.
func answer(ctx context.Context, signals <-chan os.Signal, w io.Writer, cancel func(), exit func(status int)) {
	select {
	case <-signals:
	case <-ctx.Done():
		return
	}
	fmt.Fprintln(w, "\nstopping after the current step (or image, or compilation by XLA, which can take half a minute); interrupt again to stop at once")
	cancel()
	for s := range signals {
		if s == os.Interrupt {
			exit(interrupted)
			return
		}
	}
}
