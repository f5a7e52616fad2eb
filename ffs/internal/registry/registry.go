// Package registry holds named parts of the program, as database/sql holds its drivers: a part
// registers itself in an init function, and a configuration chooses it by name.
package registry

import (
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// Registry maps names to parts of one kind.
type Registry[T any] struct {
	kind string

	mu    sync.RWMutex
	parts map[string]entry[T]
}

type entry[T any] struct {
	part T
	// origin is the package that registered the part, place the file and line where it did.
	origin, place string
}

// New returns an empty registry. kind is the word for a part in errors, for example "synthesiser".
func New[T any](kind string) *Registry[T] {
	return &Registry[T]{kind: kind, parts: map[string]entry[T]{}}
}

// Add registers a part for the caller of the function that calls Add. It panics if the name is
// empty or taken; if taken, it names both places.
func (r *Registry[T]) Add(name string, part T) {
	const registrant = 2 // Add, Register, registrant
	pc, file, line, _ := runtime.Caller(registrant)
	e := entry[T]{part, packageOf(runtime.FuncForPC(pc).Name()), fmt.Sprintf("%s:%d", file, line)}
	r.mu.Lock()
	defer r.mu.Unlock()
	if name == "" {
		panic(fmt.Sprintf("%s: a %s is registered without a name", e.place, r.kind))
	}
	if first, taken := r.parts[name]; taken {
		panic(fmt.Sprintf("%s: the %s %q is registered already, by %s", e.place, r.kind, name, first.place))
	}
	r.parts[name] = e
}

// packageOf returns the package path of a function's full name: example.com/mine for
// "example.com/mine.init.0".
func packageOf(function string) string {
	slash := strings.LastIndexByte(function, '/') + 1
	name, _, _ := strings.Cut(function[slash:], ".")
	return function[:slash] + name
}

// ErrUnknown is wrapped by the error for a name that is not registered.
var ErrUnknown = errors.New("not registered")

// unknown is an ErrUnknown with a message.
type unknown struct{ text string }

func (u unknown) Error() string        { return u.text }
func (u unknown) Is(target error) bool { return target == ErrUnknown }

// Get returns the part with the given name. The error wraps ErrUnknown and lists the registered
// names.
func (r *Registry[T]) Get(name string) (T, error) {
	r.mu.RLock()
	e, ok := r.parts[name]
	r.mu.RUnlock()
	if !ok {
		return e.part, unknown{fmt.Sprintf("no %s is called %q; there are %s", r.kind, name, strings.Join(r.Names(), ", "))}
	}
	return e.part, nil
}

// Names returns the registered names in alphabetical order.
func (r *Registry[T]) Names() []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Sorted(maps.Keys(r.parts))
}

// Origin returns the path of the package that registered the name, or "".
func (r *Registry[T]) Origin(name string) string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.parts[name].origin
}
