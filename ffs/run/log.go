package run

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
)

// A line of metrics.jsonl is a JSON object whose last key, crc32, is the checksum of the text
// before it, so that a number damaged on disk is not taken for one of the run.
const (
	crcKey  = `,"crc32":"`
	crcSize = len(crcKey) + 8 + len(`"}`)
)

// maxLine exceeds every line; a longer one is damaged.
const maxLine = 1 << 20

// sealLine adds the checksum to a JSON object, and the end of the line.
func sealLine(object []byte) []byte {
	body := bytes.TrimSuffix(object, []byte("}"))
	return fmt.Appendf(bytes.Clone(body), "%s%08x\"}\n", crcKey, crc32.ChecksumIEEE(body))
}

// line is a line of metrics.jsonl, without its end.
type line struct {
	number int // from 1
	text   []byte
	fault  error // why it cannot be used; nil if it can
	cut    bool  // it lacks its end, because its writer was killed
}

// readLines returns the lines of the file, none if there is no file. Lines after the first one with
// a checksum must have one; those before were written by older versions of this program.
func readLines(path string) ([]line, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	reader := bufio.NewReaderSize(file, maxLine)
	var all []line
	sealed := false
	for number := 1; ; number++ {
		text, err := reader.ReadSlice('\n')
		l := line{number: number, text: bytes.Clone(bytes.TrimSuffix(text, []byte("\n")))}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			l.fault = fmt.Errorf("longer than %d bytes", maxLine)
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = reader.ReadSlice('\n')
			}
		case errors.Is(err, io.EOF):
			if len(text) == 0 {
				return all, nil
			}
			l.cut, l.fault = true, errors.New("cut off")
		default:
			var has bool
			if has, l.fault = checkLine(l.text); l.fault == nil && sealed && !has {
				l.fault = errors.New("it lacks its checksum")
			}
			sealed = sealed || has
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		all = append(all, l)
	}
}

// checkLine reports whether the line has a checksum, and returns an error if the checksum is wrong.
func checkLine(text []byte) (sealed bool, err error) {
	at := len(text) - crcSize
	if at < 0 || !bytes.HasPrefix(text[at:], []byte(crcKey)) {
		return false, nil
	}
	if want := sealLine(append(bytes.Clone(text[:at]), '}')); !bytes.Equal(want[:len(want)-1], text) {
		return true, errors.New("it does not match its checksum")
	}
	return true, nil
}
