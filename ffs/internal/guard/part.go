package guard

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
)

// PartError is a fault of a registered part.
type PartError struct {
	// Kind is the word for the part, for example "score", Name its registered name.
	Kind, Name string
	Err        error
}

func (e *PartError) Error() string { return fmt.Sprintf("%s %q: %v", e.Kind, e.Name, e.Err) }
func (e *PartError) Unwrap() error { return e.Err }

// Part calls f, code of a registered part, and turns a panic into a *PartError. With FFSLAB_TRACE
// set, it writes the trace of the panic to standard error.
func Part(kind, name string, f func()) (err error) {
	defer func() {
		fault := recover()
		if fault == nil {
			return
		}
		if os.Getenv("FFSLAB_TRACE") != "" {
			fmt.Fprintf(os.Stderr, "%s\n", debug.Stack())
		}
		cause, ok := fault.(error)
		var inner *PartError
		var bug runtime.Error
		switch {
		case !ok:
			cause = fmt.Errorf("%v", fault)
		case errors.As(cause, &inner): // a part that calls another
			err = inner
			return
		case errors.As(cause, &bug):
			cause = fmt.Errorf("%w (set FFSLAB_TRACE=1 for the trace)", cause)
		}
		err = &PartError{kind, name, cause}
	}()
	f()
	return nil
}

// Graph calls f, code of a registered part that builds a graph, and returns its result. It turns a
// panic into a panic with a *PartError.
func Graph[T any](kind, name string, f func() T) (result T) {
	if err := Part(kind, name, func() { result = f() }); err != nil {
		panic(err)
	}
	return result
}

// Cause returns the *PartError in err, without what the compilation of its graph adds, or else err.
func Cause(err error) error {
	if part := (*PartError)(nil); errors.As(err, &part) {
		return part
	}
	return err
}
