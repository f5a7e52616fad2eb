package config

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestDeepAndLongTextIsRefused(t *testing.T) {
	const n = 100_000
	dir := t.TempDir()
	for name, test := range map[string]struct{ text, want string }{
		"brackets":      {"model:\n  classes: " + strings.Repeat("[", n) + "\n", ":2: the text is nested deeper than 100"},
		"braces":        {"model: " + strings.Repeat("{a: ", n) + "\n", ":1: the text is nested deeper"},
		"closed":        {"model: " + strings.Repeat("[", n) + strings.Repeat("]", n) + "\n", "nested deeper"},
		"over lines":    {"model: " + strings.Repeat("[\n", n), "nested deeper"},
		"dashes":        {"model:\n" + strings.Repeat("- ", n) + "a\n", ":2: the text is indented"},
		"question mark": {strings.Repeat("? ", n) + "a\n", "indented"},
		"long":          {"# " + strings.Repeat("a", 2*maxBytes) + "\n", "more than 1048576 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, "c.yaml")
			if err := os.WriteFile(path, []byte(test.text), 0o644); err != nil {
				t.Fatal(err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := Load(path)
			runtime.ReadMemStats(&after)
			if err == nil || !strings.HasPrefix(err.Error(), path) || !strings.Contains(err.Error(), test.want) || len(err.Error()) > 300 {
				t.Errorf("error %.300v, want the file and %q", err, test.want)
			}
			if taken := (after.TotalAlloc - before.TotalAlloc) >> 20; taken > 20 {
				t.Errorf("took %d MiB", taken)
			}
		})
	}
	if _, err := Load("digits", "model.classes="+strings.Repeat("[", n)); err == nil || !strings.Contains(err.Error(), "nested deeper") {
		t.Errorf("a setting: error %.300v", err)
	}
}

// What is just within the bounds is read in no time: nothing that a user writes comes near.
func TestTextWithinTheBounds(t *testing.T) {
	var classes []string
	for i := range 20_000 {
		classes = append(classes, fmt.Sprintf("class [%d] {x", i))
	}
	c, err := Preset("digits")
	if err != nil {
		t.Fatal(err)
	}
	c.Model.Classes = classes[:90]
	path := filepath.Join(t.TempDir(), "c.yaml")
	if err := c.Save(path); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err != nil {
		t.Errorf("90 names with an open bracket: %v", err)
	}
	text := "model:\n  classes: [" + strings.TrimSuffix(strings.Repeat("name, ", 100_000), ", ") + "]\n"
	if err := checkBounds([]byte(text)); err != nil {
		t.Errorf("100 000 names: %v", err)
	}
	deep := "model: " + strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth)
	if err := checkBounds([]byte(deep)); err != nil {
		t.Errorf("%d levels: %v", maxDepth, err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _ = Parse("deep", []byte(deep)) // an error of the type; what it costs matters
	runtime.ReadMemStats(&after)
	if taken := (after.TotalAlloc - before.TotalAlloc) >> 20; taken > 50 {
		t.Errorf("%d levels take %d MiB", maxDepth, taken)
	}
}
