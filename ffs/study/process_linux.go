package study

import (
	"os/exec"
	"syscall"
)

// endWithParent has the process save its checkpoint and end when the thread that starts it ends,
// for example because this process is killed.
func endWithParent(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} }
