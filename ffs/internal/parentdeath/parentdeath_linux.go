// Package parentdeath ends processes with the one that started them.
package parentdeath

import (
	"os/exec"
	"syscall"
)

// Terminate makes the system send SIGTERM to the command's process when this one ends, even by a
// kill. The signal is sent when the thread that started the process ends: the caller must lock it
// ([runtime.LockOSThread]) until the process is over.
func Terminate(command *exec.Cmd) {
	if command.SysProcAttr == nil {
		command.SysProcAttr = &syscall.SysProcAttr{}
	}
	command.SysProcAttr.Pdeathsig = syscall.SIGTERM
}
