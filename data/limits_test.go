package data

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestImpossibleValuesAreRefusedOnOpening(t *testing.T) {
	dir := t.TempDir()
	writeNoise(t, filepath.Join(dir, "a.png"), 40, 60, 1)
	path := filepath.Join(dir, "ann.json")
	open := func(width, area, file, name string) (*Dataset, error) {
		text := fmt.Sprintf(`{"images": [{"id": 1, "width": %s, "height": 40, "file_name": %s}], "categories": [{"id": 1, "name": %s}],
			"annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 30, 20], "area": %s, "iscrowd": 0}]}`, width, file, name, area)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return Open("coco:"+path+","+dir, Options{})
	}
	if _, err := open("60", "600", `"a.png"`, `"cat"`); err != nil {
		t.Fatal(err)
	}
	for name, record := range map[string][4]string{
		"a negative area":      {"60", "-1", `"a.png"`, `"cat"`},
		"an enormous area":     {"60", "1e308", `"a.png"`, `"cat"`},
		"a NUL in the file":    {"60", "600", `"a\u0000.png"`, `"cat"`},
		"a NUL in the class":   {"60", "600", `"a.png"`, `"c\u0000at"`},
		"a width of 2^62":      {"4611686018427387904", "600", `"a.png"`, `"cat"`},
		"a width of 2^40":      {"1099511627776", "600", `"a.png"`, `"cat"`},
		"a width of minus one": {"-1", "600", `"a.png"`, `"cat"`},
	} {
		set, err := open(record[0], record[1], record[2], record[3])
		if err == nil && record[0] != "60" && set.Images[0].Width == 60 {
			continue // a reader may take the picture's own size instead
		}
		if err == nil || !strings.Contains(err.Error(), path) || strings.ContainsRune(err.Error(), 0) {
			t.Errorf("%s: error %q, want one that names the file", name, err)
		}
	}
}
