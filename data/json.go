package data

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// readJSON decodes the JSON file at path into value. The error is one line that names the file, the place and the field.
func readJSON(path string, value any) error {
	raw, err := readText(path, maxTable)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, value); err != nil {
		return fmt.Errorf("%s: %w", path, explainJSON(raw, err))
	}
	return nil
}

// explainJSON says in one line where the JSON text is wrong and what to do.
func explainJSON(raw []byte, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		// The offset counts the bytes read, the wrong one included; at the end of the text nothing more was there to read.
		at := max(int(syntax.Offset)-1, 0)
		// Inside null, true or false the end is reported as a blank that is not there.
		ended := syntax.Error() == "unexpected end of JSON input" || strings.HasPrefix(syntax.Error(), "invalid character ' ' in literal") && !bytes.HasSuffix(raw, []byte(" "))
		if int(syntax.Offset) >= len(raw) && ended {
			return fmt.Errorf("the file is cut short: it ends at byte %d inside a value; copy or write it again", len(raw))
		}
		for _, word := range []string{"NaN", "Infinity"} {
			if bytes.HasPrefix(raw[at:], []byte(word)) {
				return fmt.Errorf("%s at byte %d (%q) is not a number in JSON, though Python writes it: repair or remove that record",
					word, at, around(raw, at))
			}
		}
		return fmt.Errorf("not JSON at byte %d (%q): %v", at, around(raw, at), syntax)
	case errors.As(err, &kind):
		field := cmp.Or(kind.Field, "the top level")
		return fmt.Errorf("%s, before byte %d (%q): a %s stands where %s belongs", field, kind.Offset, around(raw, int(kind.Offset)), kind.Value, kindName(kind))
	}
	return err
}

// kindName translates the Go type that was expected.
func kindName(err *json.UnmarshalTypeError) string {
	switch err.Type.Kind().String() {
	case "int", "int64":
		return "an integer"
	case "float64":
		return "a finite number"
	case "slice":
		return "a list"
	case "struct":
		return "an object"
	}
	return "a " + err.Type.String()
}

// around returns the text just before and at a position, for a person to search for.
func around(raw []byte, at int) []byte {
	at = min(max(at, 0), len(raw))
	return raw[max(0, at-40):min(len(raw), at+8)]
}
