//go:build cgo && !linux

package device

// keepPrograms does nothing: only on Linux are compiled programs kept.
func keepPrograms(string) {}
