package bench

import (
	"runtime"
	"syscall"
)

// peakRSS is the largest resident memory that this process has had, in MiB; 0 where the system does
// not tell.
func peakRSS() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return maxRSS(&usage)
}

// maxRSS is the largest resident memory of an account, in MiB.
func maxRSS(usage *syscall.Rusage) float64 {
	unit := 1024.0 // bytes
	if runtime.GOOS == "darwin" {
		unit = 1
	}
	return float64(usage.Maxrss) * unit / (1 << 20)
}
