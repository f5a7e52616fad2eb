package data_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ffslab/data"
)

// noise is a photograph of 160x128 pixels that compresses badly.
func noise(t testing.TB) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 160, 128))
	v := uint32(1)
	for i := range img.Pix {
		v = v*1664525 + 1013904223
		img.Pix[i] = uint8(v >> 24)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Pictures that cannot be used are found on opening, before any of them is decoded, all at once;
// SkipBad leaves them out.
func TestBadPicturesAreFoundOnOpening(t *testing.T) {
	good := noise(t)
	for name, c := range map[string]struct {
		content []byte
		want    string
	}{
		"empty":            {[]byte{}, "the file is empty"},
		"web page":         {[]byte("\n<!DOCTYPE html><html>404</html>"), "a web page"},
		"pointer":          {[]byte("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"), "a Git-LFS pointer"},
		"text":             {[]byte("not a picture at all"), "the file is none of"},
		"cut short":        {good[:len(good)/2], "cut short"},
		"cut in the scan":  {good[:len(good)-40], "cut short"},
		"PNG cut short":    {encodePNG(t, image.NewRGBA(image.Rect(0, 0, 160, 128)))[:60], "cut short"},
		"size of another":  {encodePNG(t, image.NewGray(image.Rect(0, 0, 128, 160))), "128x160 (width x height), its annotation says 160x128"},
		"not there at all": {nil, "there is no such picture"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "good.jpg"), good)
			if c.content != nil {
				write(t, filepath.Join(dir, "bad.jpg"), c.content)
			}
			write(t, filepath.Join(dir, "ann.json"), []byte(`{"images": [{"id": 1, "file_name": "bad.jpg", "width": 160, "height": 128}, {"id": 2, "file_name": "good.jpg", "width": 160, "height": 128}],
				"categories": [{"id": 1, "name": "cat"}], "annotations": [{"image_id": 1, "category_id": 1, "bbox": [1, 1, 9, 9]}, {"image_id": 2, "category_id": 1, "bbox": [1, 1, 9, 9]}]}`))
			_, err := data.Open(cocoSpec(dir), data.Options{})
			var bad *data.BadImages
			if !errors.As(err, &bad) || len(bad.Images) != 1 || bad.Total != 2 || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "bad.jpg") {
				t.Fatalf("error %v, want one image of two and %q", err, c.want)
			}
			d, err := data.Open(cocoSpec(dir), data.Options{SkipBad: true})
			if err != nil {
				t.Fatal(err)
			}
			if len(d.Images) != 1 || d.Images[0].ID != 2 || len(d.Images[0].Instances) != 1 || len(d.Skipped) != 1 || d.Skipped[0].ID != 1 || len(d.Notes) != 1 {
				t.Errorf("images %+v, skipped %+v, notes %q", d.Images, d.Skipped, d.Notes)
			}
		})
	}
}

// A set without a single picture that can be used is an error, whatever is skipped.
func TestAllPicturesBad(t *testing.T) {
	dir := tree(t, map[string]string{"ann.json": validCOCO})
	if _, err := data.Open(cocoSpec(dir), data.Options{SkipBad: true}); err == nil || !strings.Contains(err.Error(), "2 of 2") {
		t.Errorf("error %v", err)
	}
}

// Damage inside a scan, and a missing end, are read as Pillow and OpenCV do, and told.
func TestDamagedPicturesAreRead(t *testing.T) {
	good := noise(t)
	broken := bytes.Clone(good)
	copy(broken[len(good)/2:], bytes.Repeat([]byte{0xff, 0}, 20)) // ones are no code
	png := encodePNG(t, image.NewRGBA(image.Rect(0, 0, 160, 128)))
	for name, content := range map[string][]byte{"damaged scan": broken, "no end": good[:len(good)-2], "half an end": good[:len(good)-1], "PNG without an end": png[:len(png)-12], "PNG with half an end": png[:len(png)-5]} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "a.jpg")
			write(t, path, content)
			p, err := data.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if p.Width != 160 || p.Height != 128 {
				t.Errorf("%dx%d", p.Width, p.Height)
			}
			if strings.Contains(name, "scan") { // what lies before the damage stays
				write(t, filepath.Join(dir, "good.jpg"), good)
				whole, err := data.ReadFile(filepath.Join(dir, "good.jpg"))
				if err != nil {
					t.Fatal(err)
				}
				if rows := 32 * 160 * 3; !bytes.Equal(whole.Data[:rows], p.Data[:rows]) {
					t.Error("the upper quarter differs from that of the undamaged picture")
				}
			}
			d, err := data.Open("images:"+dir, data.Options{Check: true})
			if err != nil {
				t.Fatal(err)
			}
			if len(d.Notes) == 0 || !strings.Contains(d.Notes[0], "1 damaged pictures") {
				t.Errorf("notes %q", d.Notes)
			}
			if _, err := data.Open("images:"+dir, data.Options{Check: true, Strict: true}); err == nil {
				t.Error("a strict check accepts it")
			}
		})
	}
}

// The headers of a large set are remembered by path, size and time: a second opening does not look
// again, and a file that has changed is seen.
func TestHeadersAreRemembered(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("FFSLAB_CACHE", cache)
	dir := t.TempDir()
	picture := encodePNG(t, image.NewGray(image.Rect(0, 0, 8, 6)))
	for i := range 600 {
		write(t, filepath.Join(dir, fmt.Sprintf("%03d.png", i)), picture)
	}
	calls, last := 0, 0
	opt := data.Options{Progress: func(done, total int) { calls, last = calls+1, done }}
	if _, err := data.Open("images:"+dir, opt); err != nil {
		t.Fatal(err)
	}
	if calls == 0 || last != 600 {
		t.Errorf("progress was told %d times, at last of %d pictures", calls, last)
	}
	kept, err := filepath.Glob(filepath.Join(cache, "pictures", "*.gob"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("kept %v (error %v)", kept, err)
	}
	// A file of the same size and time is taken for the same: its damage goes unseen. That of
	// another time is not.
	victim := filepath.Join(dir, "300.png")
	info, err := os.Stat(victim)
	if err != nil {
		t.Fatal(err)
	}
	write(t, victim, bytes.Repeat([]byte("x"), len(picture)))
	if err := os.Chtimes(victim, info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	if _, err := data.Open("images:"+dir, data.Options{}); err != nil {
		t.Errorf("the file was looked at again: %v", err)
	}
	if err := os.Chtimes(victim, info.ModTime(), info.ModTime().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := data.Open("images:"+dir, data.Options{}); err == nil {
		t.Error("the changed file was not looked at")
	}
	// What cannot be read is as if it were not there.
	write(t, kept[0], []byte("nonsense"))
	if _, err := data.Open("images:"+dir, data.Options{SkipBad: true}); err != nil {
		t.Error(err)
	}
}

func TestReadImages(t *testing.T) {
	dir := tree(t, map[string]string{"b.jpg": "", "a/c.png": "", ".hidden/d.png": "", "notes.txt": "x"})
	d := open(t, "images:"+dir)
	if len(d.Images) != 2 || d.Images[0].File != filepath.Join(dir, "a", "c.png") || d.Images[1].ID != 2 || !d.Unlabelled || d.Images[1].Width != 40 || len(d.Notes) != 1 {
		t.Errorf("%+v, notes %q", d.Images, d.Notes)
	}
	if _, err := data.Open("images:"+t.TempDir(), data.Options{}); err == nil || !strings.Contains(err.Error(), "no pictures") {
		t.Errorf("an empty folder gave the error %v", err)
	}
	files, err := data.ImageFiles([]string{filepath.Join(dir, "notes.txt"), dir})
	if err != nil || len(files) != 4 || files[0] != filepath.Join(dir, "notes.txt") {
		t.Errorf("files %v (error %v)", files, err)
	}
}
