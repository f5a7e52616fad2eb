//go:build !cgo || !linux

package device

func trimMemory() {}

// UseLargePages does nothing on this system.
func UseLargePages() {}
