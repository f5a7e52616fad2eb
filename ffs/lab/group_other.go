//go:build !unix

package lab

import (
	"errors"
	"os/exec"
)

// ownGroup does nothing: there are no process groups to leave.
func ownGroup(*exec.Cmd) {}

// freeBytes is not known here.
func freeBytes(string) (uint64, error) { return 0, errors.ErrUnsupported }
