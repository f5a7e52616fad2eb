package escape

import (
	"fmt"
	"io"
	"slices"
)

// Fprintf is fmt.Fprintf for a terminal: strings among the arguments pass through [Line], errors
// through [Lines].
func Fprintf(w io.Writer, format string, args ...any) (n int, err error) {
	args = slices.Clone(args)
	for i, arg := range args {
		switch arg := arg.(type) {
		case string:
			args[i] = Line(arg)
		case error:
			args[i] = Lines(arg.Error())
		}
	}
	return fmt.Fprintf(w, format, args...)
}
