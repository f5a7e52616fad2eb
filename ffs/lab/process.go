package lab

import (
	"bufio"
	"context"
	"encoding/json"
	"os/exec"
	"syscall"
	"time"
)

// stopWait is how long a program has to end its kernels after SIGTERM.
const stopWait = 20 * time.Second

// gentleCommand is a command that the end of ctx asks to stop (SIGTERM). It has a process group of its own, so that an
// interrupt at the terminal reaches it only through us: Jupyter would ask a question, nbclient would leave its kernel.
func gentleCommand(ctx context.Context, name string, arguments ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, name, arguments...)
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = stopWait
	ownGroup(command)
	return command
}

// startEvents starts the driver; the channel carries its events and is closed when its output ends.
func startEvents(command *exec.Cmd) (<-chan event, error) {
	output, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	events := make(chan event)
	go func() {
		defer close(events)
		reader := bufio.NewReader(output)
		for {
			line, err := reader.ReadBytes('\n')
			var e event
			if json.Unmarshal(line, &e) == nil {
				events <- e
			}
			if err != nil {
				return
			}
		}
	}()
	return events, nil
}
