package lenient

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// MaxTable and MaxSheet are the largest annotation files that are read, in bytes after
// decompression: a table of a whole data set (the largest published one, of nuImages, has less than
// 2 GiB), and the annotation of one image.
const (
	MaxTable = 4 << 30
	MaxSheet = 16 << 20
)

var (
	byteOrderMark = &Kind{"files begin with a byte order mark, which was skipped", "it begins with a byte order mark"}
	utf16         = &Kind{"files in UTF-16 were read as such", "it is in UTF-16, not UTF-8"}
)

// Open opens a text file of at most limit bytes. It decompresses gzip, skips a byte order mark and
// converts UTF-16 to UTF-8. The error names the file; errors of reading do not.
func Open(path string, limit int64, found *Findings) (io.ReadCloser, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	text, err := decoded(f, limit, path, found)
	if err != nil {
		f.Close()
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{text, f}, nil
}

func decoded(f *os.File, limit int64, path string, found *Findings) (io.Reader, error) {
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case info.IsDir() || info.Mode()&os.ModeDevice != 0:
		return nil, fmt.Errorf("%s: is a folder or a device, not an annotation file", path)
	case info.Size() > limit:
		return nil, fmt.Errorf("%s: %w", path, tooLarge(limit))
	}
	text := bufio.NewReaderSize(f, 1<<16)
	if begin, _ := text.Peek(2); bytes.Equal(begin, []byte{0x1f, 0x8b}) {
		unpacked, err := gzip.NewReader(text)
		if err != nil {
			return nil, fmt.Errorf("%s: not a gzip file: %w", path, err)
		}
		text = bufio.NewReaderSize(unpacked, 1<<16)
	}
	text = bufio.NewReaderSize(&limited{text, limit, limit}, 1<<16)
	here := func() string { return "" }
	begin, _ := text.Peek(4)
	switch {
	case bytes.HasPrefix(begin, []byte("\xef\xbb\xbf")):
		found.Mend(byteOrderMark, here)
		_, err = text.Discard(3)
	case bytes.HasPrefix(begin, []byte("\xff\xfe")), bytes.HasPrefix(begin, []byte("\xfe\xff")):
		found.Mend(utf16, here)
		return transform.NewReader(text, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder()), nil
	case len(begin) == 4 && begin[0] != 0 && begin[1] == 0 && begin[3] == 0: // begins with two ASCII characters
		found.Mend(utf16, here)
		return transform.NewReader(text, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewDecoder()), nil
	case len(begin) == 4 && begin[0] == 0 && begin[1] != 0 && begin[2] == 0:
		found.Mend(utf16, here)
		return transform.NewReader(text, unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewDecoder()), nil
	}
	return text, err
}

// limited returns an error instead of more than a number of bytes.
type limited struct {
	r           io.Reader
	left, limit int64
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, tooLarge(l.limit)
	}
	return n, err
}

func tooLarge(limit int64) error {
	return fmt.Errorf("larger than %d bytes: not an annotation file", limit)
}

// ReadText reads a whole text file as [Open] does.
func ReadText(path string, limit int64, found *Findings) ([]byte, error) {
	f, err := Open(path, limit, found)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return content, nil
}
