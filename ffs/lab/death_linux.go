package lab

import "syscall"

// endWithUs has the system stop the process (SIGTERM) when this one ends, however it ends: a kill must not leave Jupyter and its kernels
// behind. The signal comes when the thread ends that starts the process, so that the caller must stay on it.
func endWithUs(attributes *syscall.SysProcAttr) { attributes.Pdeathsig = syscall.SIGTERM }
