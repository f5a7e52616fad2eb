//go:build cgo && linux

package device

import (
	"syscall"
	"testing"
)

func TestResidentMemoryIsThatOfTheProcess(t *testing.T) {
	const size = 256 << 20
	memory, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Munmap(memory) }()
	before := residentMemory()
	for i := range memory {
		memory[i] = 1
	}
	if grown := residentMemory() - before; grown < size*9/10 || grown > size*11/10 {
		t.Errorf("%d bytes were written, memory grew from %d by %d", size, before, grown)
	}
}

// Memory that has been given back counts until the next reset.
func TestPeakMemoryRemembers(t *testing.T) {
	const size = 256 << 20
	ResetPeakMemory()
	before := PeakMemory()
	memory, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < size; i += 4096 {
		memory[i] = 1
	}
	if err := syscall.Munmap(memory); err != nil {
		t.Fatal(err)
	}
	if grown := PeakMemory() - before; grown < size*9/10 {
		t.Errorf("%d bytes were written and given back, the peak grew from %d by %d", size, before, grown)
	}
	ResetPeakMemory()
	if left := PeakMemory() - before; left > size/2 {
		t.Errorf("after a reset the peak is still %d above %d", left, before)
	}
}
