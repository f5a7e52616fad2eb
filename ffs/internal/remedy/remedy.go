// Package remedy defines the error that tells the user what to do.
package remedy

// Error says what is missing or wrong, and how the user can supply it.
type Error struct {
	Fault  string // what is missing or wrong, such as "no C compiler"
	Remedy string // what to do, such as "apt install gcc"
}

// Error returns both in one line.
func (e *Error) Error() string { return e.Fault + ": " + e.Remedy }
