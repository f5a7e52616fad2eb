package lenient

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// textFault says in one line where a text is not JSON, and the remedy.
type textFault struct {
	at      int64
	message string
	after   []byte // the text from at on
}

func (f *textFault) Error() string { return f.message }

// notANumber reports whether the fault is a number of Python that JSON does not have.
func (f *textFault) notANumber() bool {
	for _, word := range notNumbers {
		if bytes.HasPrefix(f.after, []byte(word)) {
			return true
		}
	}
	return false
}

var notNumbers = []string{"NaN", "Infinity", "-Infinity"}

// explain turns an error of the decoder into one that shows the surrounding text, which it reads
// again.
func explain(err error, path string, limit int64, filter func(io.Reader) io.Reader) error {
	if errors.Is(err, io.EOF) {
		return errors.New("the file is empty")
	}
	var syntax *jsontext.SyntacticError
	if !errors.As(err, &syntax) {
		if errors.Is(err, io.ErrUnexpectedEOF) { // of what is compressed
			return errors.New("the compressed file is cut short: copy or write it again")
		}
		return err
	}
	at := syntax.ByteOffset
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return &textFault{at: at, message: fmt.Sprintf("the file is cut short: it ends at byte %d inside a value; copy or write it again", at)}
	}
	const before, after = 40, 24
	begin := max(at-before, 0)
	around := readAt(path, limit, filter, begin, before+after)
	middle := min(int(at-begin), len(around))
	fault := &textFault{at: at, after: around[middle:]}
	shown := around[:min(len(around), middle+8)]
	for _, word := range notNumbers {
		if bytes.HasPrefix(fault.after, []byte(word)) {
			fault.message = fmt.Sprintf("%s at byte %d (%q) is not a number in JSON, though Python writes it: repair or remove that record", word, at, shown)
			return fault
		}
	}
	fault.message = fmt.Sprintf("not JSON at byte %d (%q): %v", at, shown, syntax.Err)
	for _, f := range foreign {
		if at <= 1 && bytes.HasPrefix(around, []byte(f.start)) {
			fault.message = fmt.Sprintf("not JSON but %s: %s", f.what, f.remedy)
		}
	}
	return fault
}

// foreign are the beginnings of files that are not JSON.
var foreign = []struct{ start, what, remedy string }{
	{"version https://git-lfs", "a Git LFS pointer, which stands for the file", "fetch it (git lfs pull)"},
	{"<", "a web page or XML", "download the file itself"},
	{"PK\x03\x04", "a zip archive", "unpack it"},
	{"BZh", "a bzip2 file", "unpack it, or compress it by gzip"},
	{"{'", "what Python prints", "write it with json.dump"},
}

// readAt returns up to count bytes of the text from a position, none if they cannot be read.
func readAt(path string, limit int64, filter func(io.Reader) io.Reader, from, count int64) []byte {
	text, err := Open(path, limit, New(false))
	if err != nil {
		return nil
	}
	defer text.Close()
	r := filter(text)
	if _, err := io.CopyN(io.Discard, r, from); err != nil {
		return nil
	}
	content, _ := io.ReadAll(io.LimitReader(r, count))
	return content
}
