package checkpoint

import (
	"slices"
	"strings"
	"unicode"
)

// object is the placeholder of an instance of a class that is unknown here: what the file says of
// it, and no behaviour.
type object struct {
	class string
	args  tuple
	dict      // of a class that is a dictionary, such as a configuration
	list      // of one that is a list
	state any // what its attributes are made of, a *dict in general
}

// attribute is an attribute's value, nil where there is none.
func (o *object) attribute(name string) any { return field(o.state, name) }

// dangerous are the modules whose classes do not stand for data: a file that names one is not of
// tensors.
var dangerous = []string{
	"os", "posix", "nt", "sys", "subprocess", "commands", "builtins", "__builtin__", "importlib", "runpy", "pty", "socket", "shutil", "ctypes", "code", "webbrowser",
}

// isClass tells by its form whether a Python name is a class's, which may have placeholders: by
// Python's convention a class begins with a capital, a function does not. Nothing depends on it but
// which names are refused when they are only mentioned.
func isClass(module, name string) bool {
	top, _, _ := strings.Cut(module, ".")
	last := name[strings.LastIndexByte(name, '.')+1:]
	last = strings.TrimLeft(last, "_")
	isName := func(r rune) bool { return r == '_' || r == '.' || unicode.IsLetter(r) || unicode.IsDigit(r) }
	return last != "" && unicode.IsUpper([]rune(last)[0]) && !slices.Contains(dangerous, top) &&
		!strings.ContainsFunc(module+name, func(r rune) bool { return !isName(r) })
}

// maxName bounds the names of a module's tensors, which are those of all the modules around them
// together.
const maxName = 1 << 10

// stateDict adds what a pickled torch module's state_dict would be to into: its parameters and
// buffers under the names of the modules that they are in. It reports whether that is all: modules
// that contain themselves unfold without end.
func (o *object) stateDict(into *dict, prefix string, budget *int, depth int) bool {
	each := func(kind string, use func(name string, value any) bool) bool {
		d, _ := o.attribute(kind).(*dict)
		if d == nil {
			return true
		}
		for _, p := range d.pairs {
			name, ok := p.key.(string)
			if *budget--; !ok || *budget < 0 || len(prefix)+len(name) > maxName || !use(prefix+name, p.value) {
				return false
			}
		}
		return true
	}
	tensor := func(name string, value any) bool {
		if value != nil { // a layer without a bias has none
			into.pairs = append(into.pairs, pair{name, value})
		}
		return true
	}
	module := func(name string, value any) bool {
		inner, ok := value.(*object)
		return value == nil || ok && depth > 0 && inner.stateDict(into, name+".", budget, depth-1)
	}
	return each("_parameters", tensor) && each("_buffers", tensor) && each("_modules", module)
}
