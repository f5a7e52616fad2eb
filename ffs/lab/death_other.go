//go:build unix && !linux

package lab

import "syscall"

// endWithUs does nothing: only Linux signals the end of a parent.
func endWithUs(*syscall.SysProcAttr) {}
