//go:build !cgo || !linux

package device

func trimMemory() {}

func residentMemory() int64 { return 0 }

func restartWithLargePages() {}

// PeakMemory returns 0: it is unknown on this system.
func PeakMemory() int64 { return 0 }

// ResetPeakMemory does nothing on this system.
func ResetPeakMemory() {}
