// Package remedy has the error that tells a user what to do.
package remedy

// Error is the lack of something that the user can supply.
type Error struct {
	Fault  string // what is missing or wrong, such as "no C compiler"
	Remedy string // what to do, such as "apt install gcc"
}

// Error is one line with both.
func (e *Error) Error() string { return e.Fault + ": " + e.Remedy }
