//go:build !unix

package lab

import (
	"errors"
	"os/exec"
)

// ownGroup does nothing: this system has no process groups.
func ownGroup(*exec.Cmd) {}

// freeBytes returns an error: the free space is unknown on this system.
func freeBytes(string) (uint64, error) { return 0, errors.ErrUnsupported }
