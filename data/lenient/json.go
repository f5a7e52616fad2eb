package lenient

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

var (
	numberAsText = &Kind{"numbers written as text (\"1\") were read as numbers", "a text stands where a number belongs"}
	boolAsNumber = &Kind{"values true and false were read as 1 and 0", "true or false stands where a number belongs"}
	textAsNumber = &Kind{"numbers that stand for a text were read as text", "a number stands where a text belongs"}
	wholeAsReal  = &Kind{"whole numbers written with a fraction (1.0) were read as such", "a number with a fraction stands where an integer belongs"}
	notANumber   = &Kind{"files hold NaN or Infinity, which JSON does not have; each counts as missing", "it holds NaN or Infinity"}
)

// JSON reads a JSON text value by value, in the order of the file, without holding the text. Its
// methods read the next value. A value of another kind than the method's is mended, or becomes a
// fault and is skipped. After an error in the text itself all methods do nothing.
//
// For example, a list is read by:
//
//	j.List(func(int) {
//		var r record
//		j.Object(func(key []byte) {
//			switch string(key) {
//			case "width":
//				r.width, _ = j.Int()
//			default:
//				j.Skip()
//			}
//		})
//	})
type JSON struct {
	found *Findings
	d     *jsontext.Decoder
	err   error
}

// ReadJSON opens the file at path as [Open] does and lets read read its one value. A fault in the
// text is an error of one line, which names the file, the place and the remedy; faults of values
// are added to found. If the text holds NaN or Infinity, as Python writes, read is called once more
// and gets null instead, so it must start over each time.
func ReadJSON(path string, limit int64, found *Findings, read func(*JSON)) error {
	found.File = path
	before := found.clone()
	err := readJSON(path, limit, found, read, func(r io.Reader) io.Reader { return r })
	var fault *textFault
	if errors.As(err, &fault) && fault.notANumber() && !found.strict {
		*found = before
		found.Mend(notANumber, func() string { return "" })
		err = readJSON(path, limit, found, read, func(r io.Reader) io.Reader { return &nullReader{text: bufio.NewReaderSize(r, 1<<16)} })
	}
	return err
}

func readJSON(path string, limit int64, found *Findings, read func(*JSON), filter func(io.Reader) io.Reader) error {
	text, err := Open(path, limit, found)
	if err != nil {
		return err
	}
	defer text.Close()
	j := &JSON{found: found, d: jsontext.NewDecoder(filter(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))}
	read(j)
	if j.err == nil {
		if _, err := j.d.ReadToken(); err != io.EOF {
			if err == nil {
				err = errors.New("there is more after the end of its value")
			}
			j.err = err
		}
	}
	if j.err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", Printable(path), explain(j.err, path, limit, filter))
}

// Findings returns the findings so far.
func (j *JSON) Findings() *Findings { return j.found }

// Stopped reports whether the text itself was faulty, so that nothing more is read.
func (j *JSON) Stopped() bool { return j.err != nil }

// Place names the value being read: "annotations[3].bbox[0]".
func (j *JSON) Place() string {
	var b strings.Builder
	for token := range j.d.StackPointer().Tokens() {
		if _, err := strconv.Atoi(token); err == nil {
			fmt.Fprintf(&b, "[%s]", token)
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(token)
	}
	if b.Len() == 0 {
		return "the top level"
	}
	return b.String()
}

// Kind returns what the next value begins with: '{', '[', '"', '0', 't', 'f' or 'n'; 0 after an
// error.
func (j *JSON) Kind() jsontext.Kind {
	if j.err != nil {
		return 0
	}
	switch kind := j.d.PeekKind(); kind {
	case '{', '[', '"', '0', 't', 'f', 'n':
		return kind
	}
	// No value begins like this: reading it gives the error.
	if _, j.err = j.d.ReadToken(); j.err == nil {
		j.err = errors.New("a value is missing")
	}
	return 0
}

// Object calls each with every key of an object. each must read or skip the value; key is valid
// until then. Object returns false for another value, which is a fault unless it is null.
func (j *JSON) Object(each func(key []byte)) bool {
	if !j.enter('{', "an object") {
		return false
	}
	for j.err == nil && j.d.PeekKind() != '}' {
		key, err := j.d.ReadValue()
		if err != nil {
			j.err = err
			return false
		}
		name := key[1 : len(key)-1]
		if bytes.IndexByte(name, '\\') >= 0 {
			name = unquote(key)
		}
		each(name)
	}
	j.leave()
	return j.err == nil
}

// List calls each for every element of a list. each must read or skip it. List returns false for
// another value, which is a fault unless it is null.
func (j *JSON) List(each func(i int)) bool {
	if !j.enter('[', "a list") {
		return false
	}
	for i := 0; j.err == nil && j.d.PeekKind() != ']'; i++ {
		each(i)
	}
	j.leave()
	return j.err == nil
}

func (j *JSON) enter(kind jsontext.Kind, want string) bool {
	switch got := j.Kind(); got {
	case kind:
		_, j.err = j.d.ReadToken()
		return j.err == nil
	case 0:
	case 'n':
		j.Skip()
	default:
		j.Skip()
		j.wrong(got, want)
	}
	return false
}

func (j *JSON) leave() {
	if j.err == nil {
		_, j.err = j.d.ReadToken()
	}
}

// wrong adds the fault that a value of one kind, just read, stands where another belongs.
func (j *JSON) wrong(kind jsontext.Kind, want string) {
	if j.err == nil {
		j.found.Fail("%s: %s stands where %s belongs", j.Place(), kindNames[kind], want)
	}
}

var kindNames = map[jsontext.Kind]string{
	'{': "an object", '[': "a list", '"': "a text", '0': "a number", 't': "true", 'f': "false", 'n': "null",
}

// Skip skips the next value.
func (j *JSON) Skip() {
	if j.err == nil {
		j.err = j.d.SkipValue()
	}
}

// Value returns the text of the next value, valid until the next read; nil for null.
func (j *JSON) Value() []byte {
	if j.err != nil {
		return nil
	}
	var value jsontext.Value
	if value, j.err = j.d.ReadValue(); j.err != nil || value.Kind() == 'n' {
		return nil
	}
	return value
}

// Number reads a finite number. It returns false for null, and for another value, which is a fault.
func (j *JSON) Number() (float64, bool) {
	switch kind := j.Kind(); kind {
	case '0', '"':
		value := j.Value()
		if kind == '"' {
			value = bytes.TrimSpace(unquote(value))
		}
		v, err := strconv.ParseFloat(string(value), 64)
		if err != nil || math.IsInf(v, 0) || math.IsNaN(v) {
			j.found.Fail("%s: %.40q stands where a finite number belongs", j.Place(), value)
			return 0, false
		}
		if kind == '"' {
			j.found.Mend(numberAsText, j.Place)
		}
		return v, true
	case 't', 'f':
		j.Skip()
		j.found.Mend(boolAsNumber, j.Place)
		if kind == 't' {
			return 1, true
		}
		return 0, true
	case 'n':
		j.Skip()
	case '{', '[':
		j.Skip()
		j.wrong(kind, "a finite number")
	}
	return 0, false
}

// Int reads an integer. It returns false for null, and for another value, which is a fault.
func (j *JSON) Int() (int, bool) {
	if j.Kind() == '0' {
		value := j.Value()
		if v, err := strconv.Atoi(string(value)); err == nil {
			return v, true
		}
		v, err := strconv.ParseFloat(string(value), 64)
		if err != nil || v != math.Trunc(v) || math.Abs(v) > 1<<53 {
			j.found.Fail("%s: %.40s stands where an integer belongs", j.Place(), value)
			return 0, false
		}
		j.found.Mend(wholeAsReal, j.Place)
		return int(v), true
	}
	v, ok := j.Number()
	if ok && (v != math.Trunc(v) || math.Abs(v) > 1<<53) {
		j.found.Fail("%s: %g stands where an integer belongs", j.Place(), v)
		return 0, false
	}
	return int(v), ok
}

// Flag reads 0 or 1, true or false; null is false.
func (j *JSON) Flag() bool {
	if kind := j.Kind(); kind == '"' {
		value := string(j.Value())
		switch strings.ToLower(value) {
		case `"true"`, `"1"`:
			j.found.Mend(numberAsText, j.Place)
			return true
		case `"false"`, `"0"`, `""`:
			j.found.Mend(numberAsText, j.Place)
		default:
			j.found.Fail("%s: %.40s stands where 0 or 1 belongs", j.Place(), value)
		}
		return false
	}
	v, ok := j.Number()
	return ok && v != 0
}

// Bool reads true or false, or 0 or 1 instead; null is false.
func (j *JSON) Bool() bool {
	if kind := j.Kind(); kind == 't' || kind == 'f' {
		j.Skip()
		return kind == 't'
	}
	return j.Flag()
}

// Text reads a text, empty for null. A number is read as its digits.
func (j *JSON) Text() string {
	switch kind := j.Kind(); kind {
	case '"':
		return string(unquote(j.Value()))
	case '0':
		text := string(j.Value())
		j.found.Mend(textAsNumber, j.Place)
		return text
	case 'n':
		j.Skip()
	case '{', '[', 't', 'f':
		j.Skip()
		j.wrong(kind, "a text")
	}
	return ""
}

// Whole notes that an integer, just read, was written with a fraction (1.0).
func (j *JSON) Whole() { j.found.Mend(wholeAsReal, j.Place) }

// unquote returns the text that a JSON string represents, with invalid UTF-8 replaced by U+FFFD.
func unquote(quoted []byte) []byte {
	text, _ := jsontext.AppendUnquote(nil, quoted)
	return text
}
