//go:build cgo && !linux

package device

// keepPrograms does nothing: compiled programs are kept on Linux only.
func keepPrograms(string) {}
