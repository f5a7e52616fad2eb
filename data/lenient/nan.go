package lenient

import "bufio"

// nullReader passes a JSON text on with null instead of NaN, Infinity and -Infinity.
type nullReader struct {
	text     *bufio.Reader
	inText   bool   // between quotation marks
	escaped  bool   // after a backslash there
	waiting  []byte // to be passed on next
	buffered [4]byte
}

func (r *nullReader) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if len(r.waiting) > 0 {
			copied := copy(p[n:], r.waiting)
			r.waiting = r.waiting[copied:]
			n += copied
			continue
		}
		c, err := r.text.ReadByte()
		if err != nil {
			if n > 0 {
				return n, nil
			}
			return 0, err
		}
		switch {
		case r.escaped:
			r.escaped = false
		case r.inText && c == '\\':
			r.escaped = true
		case c == '"':
			r.inText = !r.inText
		case !r.inText && (c == 'N' || c == 'I' || c == '-') && r.skipWord(c):
			r.waiting = append(r.buffered[:0], "null"...)
			continue
		}
		p[n] = c
		n++
	}
	return n, nil
}

// skipWord skips the rest of a word of notNumbers that begins with c, if there is one.
func (r *nullReader) skipWord(c byte) bool {
	for _, word := range notNumbers {
		if word[0] != c {
			continue
		}
		if rest, _ := r.text.Peek(len(word) - 1); string(rest) == word[1:] {
			_, err := r.text.Discard(len(rest))
			return err == nil
		}
	}
	return false
}
