package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzParse reads the text as a configuration, which must give one that saves and loads back, or an
// error of one line that names the file.
//
//	go test ./ffs/config -fuzz FuzzParse -fuzztime 1m -fuzzminimizetime 10x
func FuzzParse(f *testing.F) {
	for _, name := range PresetNames() {
		c, err := Preset(name)
		if err != nil {
			f.Fatal(err)
		}
		path := filepath.Join(f.TempDir(), "c.yaml")
		if err := c.Save(path); err != nil {
			f.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add("base: voc\nmodel:\n  classes: [person, 'a b', \"c\"] # three\n  outlier: {method: flow, select: 1}\ntrain:\n  steps: &s [1, 2]\n  max_iter: 3\n")
	f.Add("base: digits\n---\nmodel: !!map {classes: *x}\n")
	f.Add(strings.Repeat("[", 200))
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse("fuzzed.yaml", []byte(text))
		if err != nil {
			if message := err.Error(); !strings.HasPrefix(message, "fuzzed.yaml") || strings.Contains(message, "\n") {
				t.Errorf("error %q is not one line that names the file", message)
			}
			return
		}
		path := filepath.Join(t.TempDir(), "c.yaml")
		if c.Validate() != nil {
			return
		}
		if err := c.Save(path); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(path); err != nil {
			t.Errorf("what was saved is refused: %v", err)
		}
	})
}
