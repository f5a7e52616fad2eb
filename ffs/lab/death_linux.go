package lab

import "syscall"

// endWithUs makes the system send SIGTERM to the process when this one ends, even by a kill, which
// would otherwise leave Jupyter and its kernels behind. The signal is sent when the thread that
// started the process ends: the caller must lock it.
func endWithUs(attributes *syscall.SysProcAttr) { attributes.Pdeathsig = syscall.SIGTERM }
