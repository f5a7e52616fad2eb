//go:build !cgo || !linux

package device

func trimMemory() {}

func residentMemory() int64 { return 0 }

func restartWithLargePages() {}
