package data_test

import (
	"fmt"
	"image"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ffslab/data"
)

// shared returns the path of reference material beside the repository, which is not part of it; the
// test is skipped where it is absent.
func shared(t testing.TB, elements ...string) string {
	t.Helper()
	path := filepath.Join(append([]string{"..", "..", "shared"}, elements...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("reference material is absent: %v", err)
	}
	return path
}

// tree writes files under a new folder; a name that ends in .png or .jpg gets an empty picture of
// 40x30 pixels instead of the content.
func tree(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	plant(t, dir, files)
	return dir
}

func plant(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	picture := encodePNG(t, image.NewGray(image.Rect(0, 0, 40, 30))) // readers go by content, not by extension
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		raw := []byte(content)
		if strings.HasSuffix(name, ".png") || strings.HasSuffix(name, ".jpg") {
			raw = picture
		}
		write(t, path, raw)
	}
}

func open(t testing.TB, spec string) *data.Dataset {
	t.Helper()
	d, err := data.Open(spec, data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// sprint is a value's text, to compare it by.
func sprint(v any) string { return fmt.Sprint(v) }

// objects writes the objects of an image in a form to compare: class, box, C for a crowd region.
func objects(d *data.Dataset, image int) []string {
	var out []string
	for _, o := range d.Images[image].Instances {
		s := d.Categories[o.Category].Name + " " + strings.Trim(strings.Join(strings.Fields(sprint(o.Box)), " "), "[]")
		if o.Crowd {
			s += " C"
		}
		out = append(out, s)
	}
	return out
}

// fault replaces a part of one file of a valid set and wants an error with the file and more.
type fault struct{ name, file, old, new, want string }

// altered returns the set's files with the part replaced.
func (f *fault) altered(t *testing.T, valid map[string]string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for name, content := range valid {
		files[name] = content
	}
	files[f.file] = strings.Replace(files[f.file], f.old, f.new, 1)
	if files[f.file] == valid[f.file] {
		t.Fatalf("%q is not in %s", f.old, f.file)
	}
	return files
}

// checkMended wants a set that is read with a note, of which a strict reader makes an error that
// names the file.
func checkMended(t *testing.T, valid map[string]string, spec func(dir string) string, mended []fault) {
	t.Helper()
	for _, f := range mended {
		t.Run(f.name, func(t *testing.T) {
			dir := tree(t, f.altered(t, valid))
			d, err := data.Open(spec(dir), data.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(d.Notes, func(note string) bool { return strings.HasPrefix(note, f.want) && strings.Contains(note, dir) }) {
				t.Errorf("notes %q, want one that begins with %q and names the first record", d.Notes, f.want)
			}
			if _, err := data.Open(spec(dir), data.Options{Strict: true}); err == nil || !strings.Contains(err.Error(), filepath.Join(dir, filepath.FromSlash(f.file))) {
				t.Errorf("a strict reader gave the error %v, want one with the file", err)
			}
		})
	}
}

func checkFaults(t *testing.T, valid map[string]string, spec func(dir string) string, faults []fault) {
	t.Helper()
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			dir := tree(t, f.altered(t, valid))
			_, err := data.Open(spec(dir), data.Options{})
			if err == nil {
				t.Fatal("no error")
			}
			message := err.Error()
			if !strings.Contains(message, filepath.Join(dir, filepath.FromSlash(f.file))) || !strings.Contains(message, f.want) {
				t.Errorf("error %q, want one with the file and %q", message, f.want)
			}
		})
	}
}
