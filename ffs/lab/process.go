package lab

import (
	"bufio"
	"context"
	"encoding/json"
	"os/exec"
	"syscall"
	"time"
)

// stopWait is the time that a program has to end its kernels after SIGTERM.
const stopWait = 20 * time.Second

// gentleCommand returns a command that gets SIGTERM when ctx ends. It runs in a process group of
// its own, so that an interrupt at the terminal does not reach it: Jupyter would ask for
// confirmation, and nbclient would leave its kernel behind.
func gentleCommand(ctx context.Context, name string, arguments ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, name, arguments...)
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = stopWait
	ownGroup(command)
	return command
}

// startEvents starts the driver. The channel carries its events and is closed after the last.
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
