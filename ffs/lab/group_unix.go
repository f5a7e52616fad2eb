//go:build unix

package lab

import (
	"os/exec"
	"syscall"

	"ffslab/ffs/internal/parentdeath"
)

// ownGroup puts the command into a process group of its own, which ends with this process: Jupyter
// and its kernels do not outlive a kill. The caller must lock its thread.
func ownGroup(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	parentdeath.Terminate(command)
}

// freeBytes returns the space available to users on the file system of path.
func freeBytes(path string) (uint64, error) {
	var stat syscall.Statfs_t
	err := syscall.Statfs(path, &stat)
	return uint64(stat.Bavail) * uint64(stat.Bsize), err
}
