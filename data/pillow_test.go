package data_test

import (
	"bytes"
	"compress/zlib"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ffslab/data"
)

// Pictures of every form are read as Pillow reads them (testdata/pictures.py): PNG to the byte;
// JPEG but for the rounding of the inverse cosine transform, which the standard leaves to the
// decoder: one level of luma or of a colour difference, which 1.402 or 1.772 of it reach blue and
// red, so 3 levels in all; 0.15 in the mean were measured. Where Pillow cuts 16-bit grey off at
// level 255, the high byte is wanted.
func TestPicturesAsPillow(t *testing.T) {
	text, err := os.ReadFile("testdata/pictures.json")
	if err != nil {
		t.Fatal(err)
	}
	var pictures map[string]struct {
		File, RGB     []byte
		Height, Width int
	}
	if err := json.Unmarshal(text, &pictures); err != nil {
		t.Fatal(err)
	}
	for name, want := range pictures {
		path := filepath.Join(t.TempDir(), "picture")
		write(t, path, want.File)
		got, err := data.ReadFile(path)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		inflate, err := zlib.NewReader(bytes.NewReader(want.RGB))
		if err != nil {
			t.Fatal(err)
		}
		rgb, err := io.ReadAll(inflate)
		if err != nil {
			t.Fatal(err)
		}
		if got.Height != want.Height || got.Width != want.Width || len(rgb) != len(got.Data) {
			t.Errorf("%s: %dx%d, want %dx%d", name, got.Height, got.Width, want.Height, want.Width)
			continue
		}
		sum, most := 0, 0
		for i, v := range got.Data {
			off := int(v) - int(rgb[i-i%3+2-i%3])
			sum, most = sum+max(off, -off), max(most, off, -off)
		}
		limit, mean := 0, 0.0
		if strings.HasPrefix(name, "JPEG") {
			limit, mean = 3, 0.2
		}
		off := float64(sum) / float64(len(rgb))
		if most > limit || off > mean {
			t.Errorf("%s: off by %d at most, %.3f in the mean; want %d, %.1f", name, most, off, limit, mean)
		}
	}
	if len(pictures) < 30 {
		t.Errorf("only %d pictures were compared", len(pictures))
	}
}
