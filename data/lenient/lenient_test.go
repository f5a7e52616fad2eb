package lenient

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func file(t testing.TB, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.json")
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// numbers reads a list of numbers, with null as -1.
func numbers(path string, found *Findings) (list []float64, err error) {
	err = ReadJSON(path, MaxSheet, found, func(j *JSON) {
		list = nil
		j.List(func(int) {
			v, ok := j.Number()
			if !ok {
				v = -1
			}
			list = append(list, v)
		})
	})
	return list, err
}

// Python writes NaN and Infinity where JSON has no number; between quotation marks they are text.
func TestNotANumber(t *testing.T) {
	for text, want := range map[string]string{
		`[1, NaN, 2]`:                                "[1 -1 2]",
		`[-Infinity, Infinity,NaN]`:                  "[-1 -1 -1]",
		`["1", -5, NaN]`:                             "[1 -5 -1]",
		`[` + strings.Repeat("NaN, ", 70_000) + `7]`: "",
	} {
		found := New(false)
		list, err := numbers(file(t, text), found)
		if err != nil || found.Failed() {
			t.Errorf("%.40s: error %v, faults %v", text, err, found.Err())
			continue
		}
		if got := fmt.Sprint(list); want != "" && got != want {
			t.Errorf("%s gave %s, want %s", text, got, want)
		}
		if want == "" && (len(list) != 70_001 || list[70_000] != 7) {
			t.Errorf("a long list has %d numbers", len(list))
		}
		if found.Count(notANumber) != 1 {
			t.Errorf("%.40s: notes %q", text, found.Notes())
		}
		if _, err := numbers(file(t, text), New(true)); err == nil || !strings.Contains(err.Error(), "is not a number in JSON") {
			t.Errorf("%.40s: a strict reader gave the error %v", text, err)
		}
	}
	found := New(false)
	var word string
	if err := ReadJSON(file(t, `{"a": "\"NaN\\", "b": NaN}`), MaxSheet, found, func(j *JSON) {
		j.Object(func(key []byte) {
			if string(key) == "a" {
				word = j.Text()
			} else {
				j.Skip()
			}
		})
	}); err != nil || word != `"NaN\` {
		t.Errorf("a text became %q (error %v)", word, err)
	}
}

// Whatever stands there, a reader must come to an end and say why in a line.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{`[1, "2", true, null, {}, [3]]`, `[NaN]`, `[-Infinity`, `{"a": 1}`, `[1,]`, `[1 2]`, "[N", "[-I", "\xff\xfe[\x00", "\x1f\x8b", "", "]", "[}", `["\ud800"]`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		found := New(false)
		path := file(t, text)
		list, err := numbers(path, found)
		if err != nil && (!strings.HasPrefix(err.Error(), path) || strings.Contains(err.Error(), "\n")) {
			t.Errorf("error %q is not one line with the file", err)
		}
		if err == nil && len(list) > len(text) {
			t.Errorf("%d numbers of %d bytes", len(list), len(text))
		}
		ReadJSON(path, MaxSheet, found, func(j *JSON) {
			j.Object(func([]byte) {
				switch j.Kind() {
				case '"':
					j.Text()
				case '{':
					j.Object(func([]byte) { j.Int() })
				case '[':
					j.List(func(int) { j.Flag() })
				default:
					j.Value()
				}
			})
		})
	})
}

// A compressed file counts by its content.
func TestLimit(t *testing.T) {
	if _, err := ReadText(file(t, strings.Repeat("x", 100)), 99, New(false)); err == nil || !strings.Contains(err.Error(), "larger than 99 bytes") {
		t.Errorf("error %v", err)
	}
	if content, err := ReadText(file(t, strings.Repeat("x", 99)), 99, New(false)); err != nil || len(content) != 99 {
		t.Errorf("%d bytes, error %v", len(content), err)
	}
}
