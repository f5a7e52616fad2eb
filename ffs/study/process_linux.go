package study

import (
	"os/exec"
	"syscall"
)

// endWithParent has the process save its checkpoint and end when the thread that starts it ends, as by kill -9 of this process: nothing is left computing
// in the study's folder.
func endWithParent(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} }
