//go:build cgo && linux

package device

/*
#include <stddef.h>
// Of the GNU C library; others lack it.
int malloc_trim(size_t) __attribute__((weak));
static void trim(void) { if (malloc_trim) malloc_trim(0); }
*/
import "C"

import (
	"fmt"
	"os"
	"strings"
	"syscall"
)

func trimMemory() { C.trim() }

// residentMemory returns the bytes of the process in memory, 0 if unknown.
func residentMemory() int64 {
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var size, resident int64
	if _, err := fmt.Sscan(string(statm), &size, &resident); err != nil {
		return 0
	}
	return resident * int64(os.Getpagesize())
}

// PeakMemory returns the largest number of bytes of the process in memory since ResetPeakMemory, or
// since it started. It returns 0 if that is unknown.
func PeakMemory() int64 {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		var kib int64
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kib); n == 1 {
			return kib << 10
		}
	}
	return 0
}

// ResetPeakMemory makes PeakMemory count from now on, if the system can.
func ResetPeakMemory() { _ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }

// restartWithLargePages returns if large pages are not available or on already, or on an error.
func restartWithLargePages() {
	enabled, err := os.ReadFile("/sys/kernel/mm/transparent_hugepage/enabled")
	if err != nil || !strings.Contains(string(enabled), "[madvise]") {
		return // off, or on for all memory already
	}
	program, err := os.Executable()
	if err != nil {
		return
	}
	tunables := os.Getenv(tunablesEnv)
	if strings.Contains(tunables, largePages) {
		return // restarted already, or set by the user
	}
	if tunables != "" {
		tunables += ":"
	}
	if os.Setenv(tunablesEnv, tunables+largePages+"=1") == nil {
		_ = syscall.Exec(program, os.Args, os.Environ())
	}
}
