package checkpoint

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// The machine's stack and input. Each of these checks its bounds; after a fault they return zero
// values, so that an instruction need not look at the fault itself.

func (m *machine) push(value any) { m.stack = append(m.stack, value) }

func (m *machine) pop() any { return m.popN(1)[0] }

// top is the object on top of the stack, which stays there.
func (m *machine) top() any {
	value := m.pop()
	m.push(value)
	return value
}

// popN removes the n topmost objects above the last mark; after a fault they are nil.
func (m *machine) popN(n int) []any {
	base := 0
	if len(m.marks) > 0 {
		base = m.marks[len(m.marks)-1]
	}
	if m.err != nil || len(m.stack)-n < base {
		m.fail("stack underflow")
		return make([]any, n)
	}
	items := slices.Clone(m.stack[len(m.stack)-n:])
	m.stack = m.stack[:len(m.stack)-n]
	return items
}

// popMark removes the last mark and what lies above it.
func (m *machine) popMark() []any {
	if m.err != nil || len(m.marks) == 0 {
		m.fail("no mark on the stack")
		return nil
	}
	items := m.popN(len(m.stack) - m.marks[len(m.marks)-1])
	m.marks = m.marks[:len(m.marks)-1]
	return items
}

func (m *machine) byte() byte { return m.take(1)[0] }

// uint reads a little-endian unsigned number of n bytes.
func (m *machine) uint(n uint64) uint64 {
	var buffer [8]byte
	copy(buffer[:], m.take(n))
	return binary.LittleEndian.Uint64(buffer[:])
}

// take returns the next n bytes, a part of the input; past its end it sets the fault and returns
// zeros for the few bytes of a number, or nothing.
func (m *machine) take(n uint64) []byte {
	if left := uint64(len(m.data) - m.pos); m.err != nil || n > left {
		m.fail("truncated: %d bytes wanted, %d left", n, left)
		return make([]byte, min(n, 8))
	}
	taken := m.data[m.pos : m.pos+int(n) : m.pos+int(n)]
	m.pos += int(n)
	return taken
}

func (m *machine) line() string {
	end := bytes.IndexByte(m.data[m.pos:], '\n')
	if m.err != nil || end < 0 {
		m.fail("truncated: a name without an end")
		return ""
	}
	return strings.TrimSuffix(string(m.take(uint64(end+1))), "\n")
}

// charge accounts for n bytes of a string or items of a list that are copied, of which there can be
// no more than the file has bytes. Without it a short one, kept in the memo and copied over and
// over, would grow without bound.
func (m *machine) charge(n int) error {
	if m.copied += n; m.copied > len(m.data) {
		return fmt.Errorf("its strings and lists hold more bytes than the file")
	}
	return nil
}
