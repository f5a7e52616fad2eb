package checkpoint

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"slices"
)

// The objects that a pickle can build here: nil, bool, int64, *big.Int, float64, string, []byte,
// tuple, *list (sets, too), *dict, global (a name that stands for a class or for one of
// constructor's functions), what those functions return, and *object for an instance of any other
// class.
type (
	tuple  []any
	list   struct{ items []any }
	dict   struct{ pairs []pair } // in order of insertion
	pair   struct{ key, value any }
	global string
)

// get returns the value last stored under a string key.
func (d *dict) get(key string) (value any, ok bool) {
	for _, p := range slices.Backward(d.pairs) {
		if k, isString := p.key.(string); isString && k == key {
			return p.value, true
		}
	}
	return nil, false
}

// maxOps bounds the instructions of one pickle and thereby its memory. A tensor takes about 40.
const maxOps = 2 << 20

// machine interprets the instructions of pickle protocols 2 to 5 that files of tensors are made of.
// It runs nothing: what a file wants to have called is one of constructor's functions or is refused
// by name, and an instance of any other class is a placeholder. Every length is checked against the
// bytes that are left, every instruction adds at most one object, and maxOps bounds their number.
type machine struct {
	data  []byte
	pos   int
	stack []any
	marks []int
	memo  map[uint32]any
	ops   int
	err   error // the first fault; once set, the machine only unwinds

	// persistent resolves the reference to a storage; nil where the container has none.
	persistent func(id tuple) (any, error)
	// copied counts bytes of strings and items of lists; see charge.
	copied int
}

// unpickle runs one pickle and returns its object and the bytes after it.
func unpickle(data []byte, persistent func(tuple) (any, error)) (value any, rest []byte, err error) {
	m := &machine{data: data, memo: map[uint32]any{}, persistent: persistent}
	value = m.run()
	if m.err != nil {
		return nil, nil, fmt.Errorf("pickle, byte %d: %w", m.pos, m.err)
	}
	return value, data[m.pos:], nil
}

func (m *machine) fail(format string, args ...any) {
	if m.err == nil {
		m.err = fmt.Errorf(format, args...)
	}
}

func (m *machine) run() any {
	for m.err == nil {
		if m.ops++; m.ops > maxOps {
			m.fail("more than %d instructions: not a file of tensors", maxOps)
			break
		}
		op := m.byte()
		if op == '.' {
			return m.pop()
		}
		m.step(op)
	}
	return nil
}

// step runs one instruction. Their codes are those of Python's pickletools.
func (m *machine) step(op byte) {
	switch op {
	case 0x80: // PROTO
		if v := m.byte(); v < 2 || v > 5 {
			m.fail("pickle protocol %d is not supported: save again with protocol 2, 3 or 4", v)
		}
	case 0x95: // FRAME: a hint for readers of streams
		m.take(8)
	case '(':
		m.marks = append(m.marks, len(m.stack))
	case 'N':
		m.push(nil)
	case 0x88:
		m.push(true)
	case 0x89:
		m.push(false)
	case 'J':
		m.push(int64(int32(m.uint(4))))
	case 'K':
		m.push(int64(m.uint(1)))
	case 'M':
		m.push(int64(m.uint(2)))
	case 0x8a:
		m.push(integer(m.take(m.uint(1))))
	case 0x8b:
		m.push(integer(m.take(m.uint(4))))
	case 'G':
		m.push(math.Float64frombits(binary.BigEndian.Uint64(m.take(8))))
	case 'U', 0x8c: // strings of Python 2 (raw bytes) and of Python 3 (UTF-8)
		m.push(string(m.take(m.uint(1))))
	case 'T', 'X':
		m.push(string(m.take(m.uint(4))))
	case 0x8d:
		m.push(string(m.take(m.uint(8))))
	case 'C':
		m.push(m.take(m.uint(1)))
	case 'B':
		m.push(m.take(m.uint(4)))
	case 0x8e:
		m.push(m.take(m.uint(8)))
	case 0x96: // BYTEARRAY8
		m.push(m.take(m.uint(8)))
	case '}':
		m.push(&dict{})
	case ']', 0x8f: // a list, a set
		m.push(&list{})
	case 0x91: // FROZENSET
		m.push(&list{items: m.popMark()})
	case ')':
		m.push(tuple{})
	case 't':
		m.push(tuple(m.popMark()))
	case 0x85, 0x86, 0x87:
		m.push(tuple(m.popN(int(op - 0x84))))
	case 'a':
		m.extend(m.popN(1))
	case 'e', 0x90: // to a list, to a set
		m.extend(m.popMark())
	case 's':
		m.setItems(m.popN(2))
	case 'u':
		m.setItems(m.popMark())
	case 'q':
		m.memo[uint32(m.uint(1))] = m.top()
	case 'r':
		m.memo[uint32(m.uint(4))] = m.top()
	case 0x94:
		m.memo[uint32(len(m.memo))] = m.top()
	case 'h':
		m.recall(uint32(m.uint(1)))
	case 'j':
		m.recall(uint32(m.uint(4)))
	case 'c':
		module := m.line()
		m.global(module, m.line())
	case 0x93: // STACK_GLOBAL
		names := m.popN(2)
		module, ok1 := names[0].(string)
		name, ok2 := names[1].(string)
		if !ok1 || !ok2 {
			m.fail("a global's name is not a string")
			return
		}
		m.global(module, name)
	case 'R':
		call := m.popN(2)
		m.reduce(call[0], call[1])
	case 0x81: // NEWOBJ
		class := m.popN(2)
		m.instance(class[0], class[1])
	case 0x92: // NEWOBJ_EX: with arguments by name, which no class here takes
		class := m.popN(3)
		m.instance(class[0], class[1])
	case 'b':
		state := m.pop()
		m.build(m.top(), state)
	case 'Q':
		m.persist(m.pop())
	default:
		m.fail("instruction 0x%02x does not occur in files of tensors (protocols 2 to 5)", op)
	}
}

func (m *machine) global(module, name string) {
	full := module + "." + name
	if m.err == nil && !known(full) && !isClass(module, name) {
		m.fail("refused: it refers to the Python name %s, which a file of tensors does not need; nothing was run", printable(full))
	}
	m.push(global(full))
}

// reduce calls a function, which must be one of constructor's.
func (m *machine) reduce(callee, args any) {
	name, ok1 := callee.(global)
	values, ok2 := args.(tuple)
	construct := constructor(string(name))
	switch {
	case m.err != nil:
		return
	case ok1 && construct == nil:
		m.fail("refused: it calls the Python name %s, which is not a constructor of tensors; nothing was run", printable(string(name)))
		return
	case !ok1 || !ok2:
		m.fail("a call of something that is not a constructor of tensors")
		return
	}
	value, err := construct(m, values)
	if err != nil {
		m.fail("%s: %w", name, err)
	}
	m.push(value)
}

// instance makes an instance of a class without calling it: one of constructor's, or a placeholder.
func (m *machine) instance(class, args any) {
	name, ok1 := class.(global)
	values, ok2 := args.(tuple)
	switch {
	case !ok1 || !ok2:
		m.fail("an instance of something that is not a class")
	case constructor(string(name)) != nil:
		m.reduce(class, args)
	case known(string(name)):
		m.fail("an instance of %s, which has none", name)
	default:
		m.push(&object{class: string(name), args: values})
	}
}

func (m *machine) build(built, state any) {
	var err error
	switch built := built.(type) {
	case *array:
		err = built.setState(m, state)
	case *arrayType:
		err = built.setState(state)
	case *object:
		built.state = state
	case *dict, *list, *Tensor, *unreadable: // attributes, such as a state_dict's _metadata: of no use here
	default:
		err = fmt.Errorf("state set on an object that takes none")
	}
	if err != nil {
		m.fail("%w", err)
	}
}

func (m *machine) persist(id any) {
	t, ok := id.(tuple)
	if !ok || m.persistent == nil {
		m.fail("a persistent reference outside a torch file")
		return
	}
	value, err := m.persistent(t)
	if err != nil {
		m.fail("%w", err)
	}
	m.push(value)
}

func (m *machine) extend(items []any) {
	switch l := m.top().(type) {
	case *list:
		l.items = append(l.items, items...)
	case *object:
		l.items = append(l.items, items...)
	default:
		m.fail("items appended to something that is not a list")
	}
}

func (m *machine) setItems(items []any) {
	var d *dict
	switch top := m.top().(type) {
	case *dict:
		d = top
	case *object:
		d = &top.dict
	}
	if d == nil || len(items)%2 != 0 {
		m.fail("items set on something that is not a dictionary")
		return
	}
	for i := 0; i < len(items); i += 2 {
		d.pairs = append(d.pairs, pair{items[i], items[i+1]})
	}
}

func (m *machine) recall(key uint32) {
	value, ok := m.memo[key]
	if !ok {
		m.fail("memo entry %d is used before it is set", key)
	}
	m.push(value)
}

// integer decodes little-endian two's complement of any length.
func integer(b []byte) any {
	if len(b) <= 8 {
		var buffer [8]byte
		if len(b) > 0 && b[len(b)-1]&0x80 != 0 {
			binary.LittleEndian.PutUint64(buffer[:], math.MaxUint64)
		}
		copy(buffer[:], b)
		return int64(binary.LittleEndian.Uint64(buffer[:]))
	}
	bigEndian := slices.Clone(b)
	slices.Reverse(bigEndian)
	n := new(big.Int).SetBytes(bigEndian)
	if b[len(b)-1]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return n
}

// printable cuts and quotes a name where needed, so that a hostile file cannot write to the
// terminal.
func printable(name string) string {
	if len(name) > 100 {
		name = name[:100] + "..."
	}
	quoted := fmt.Sprintf("%q", name)
	return quoted[1 : len(quoted)-1]
}
