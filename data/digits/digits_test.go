package digits

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/gob"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"ffslab/data"
	"ffslab/data/cachedir"
)

func mustOpen(t *testing.T, arg string) *data.Dataset {
	t.Helper()
	d, err := data.Open(arg, data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// hash digests the pixels and the objects of a data set.
func hash(t *testing.T, d *data.Dataset) string {
	t.Helper()
	h := fnv.New64a()
	for _, im := range d.Images {
		p, err := im.Decode()
		if err != nil {
			t.Fatal(err)
		}
		h.Write(p.Data)
		for _, o := range im.Instances {
			if err := binary.Write(h, binary.LittleEndian, append(o.Box[:], float64(o.Category))); err != nil {
				t.Fatal(err)
			}
		}
	}
	return fmt.Sprintf("%016x", h.Sum64())
}

// Measured results hold for these bytes: a change of the scenes has to be meant.
func TestSameSeedSameBytes(t *testing.T) {
	cases := []struct{ arg, want string }{
		{"digits:train?n=4", "b6f5ff8ada932a8c"},
		{"digits:val?n=4", "1562e8ca390eebee"},
		{"digits:ood-near?n=4", "b6ca805b66926706"},
		{"digits:ood-far?n=4", "89a8e2fb37b24bc9"},
		{"digits:val?n=4&seed=7&size=256", "a970b23e0959f84e"},
		{"digits2:train?n=4", "8514a1c547d73d61"},
		{"digits2:val?n=4", "7dafbaf2a2183334"},
		{"digits2:ood-near?n=4", "ff5eeb186784fb9a"},
		{"digits2:ood-far?n=4", "3102c7687c3d78e1"},
	}
	seen := map[string]bool{}
	for _, c := range cases {
		got := hash(t, mustOpen(t, c.arg))
		if again := hash(t, mustOpen(t, c.arg)); again != got {
			t.Errorf("%s: %s, then %s", c.arg, got, again)
		}
		if seen[got] {
			t.Errorf("%s equals another set", c.arg)
		}
		seen[got] = true
		// Other processors (and GOAMD64=v3) fuse multiplications with additions and may round a
		// pixel differently.
		if runtime.GOARCH == "amd64" && got != c.want {
			t.Errorf("%s: hash %s, want %s", c.arg, got, c.want)
		}
	}
	short, long := mustOpen(t, "digits:val?n=3"), mustOpen(t, "digits:val?n=9")
	for i := range short.Images {
		if !reflect.DeepEqual(short.Images[i].Instances, long.Images[i].Instances) {
			t.Errorf("scene %d of a larger set differs", i)
		}
	}
}

func TestSplitsArePure(t *testing.T) {
	sets, err := handwriting()
	if err != nil {
		t.Fatal(err)
	}
	written := map[string]bool{} // by a training writer
	for digit := range sets[trainWriters] {
		if n, m := len(sets[trainWriters][digit]), len(sets[testWriters][digit]); n != 1000 || m != 200 {
			t.Errorf("digit %d: %d training and %d test glyphs", digit, n, m)
		}
		for _, g := range sets[trainWriters][digit] {
			written[string(g.Ink)] = true
		}
	}
	ids := map[data.ID]string{}
	for _, c := range []struct {
		split, names string
		training     bool
	}{
		{"train", "012345", true}, {"val", "012345", false}, {"ood-near", "6789", false}, {"ood-far", letters, false},
	} {
		d := mustOpen(t, "digits:"+c.split+"?n=60")
		names := ""
		for _, category := range d.Categories {
			names += category.Name
			if other, taken := ids[category.ID]; taken && other != category.Name {
				t.Errorf("category id %d is both %s and %s", category.ID, other, category.Name)
			}
			ids[category.ID] = category.Name
		}
		if names != c.names {
			t.Errorf("%s has the categories %q, want %q", c.split, names, c.names)
		}
		for _, s := range splits {
			if s.name != c.split {
				continue
			}
			classes, err := s.classes()
			if err != nil {
				t.Fatal(err)
			}
			for _, class := range classes {
				for i, g := range class.glyphs {
					if written[string(g.Ink)] != c.training {
						t.Errorf("%s: glyph %d of %q is in the training set: %v", c.split, i, class.name, !c.training)
					}
				}
			}
		}
	}
}

func TestSpecFaults(t *testing.T) {
	for arg, want := range map[string]string{
		"":               `no split ""`,
		"test":           "train, val, ood-near, ood-far and mixed",
		"val?count=3":    `no option "count"`,
		"val?n=0":        "n=0 is not possible",
		"val?n=many":     "n=many is not possible",
		"val?size=100":   "size=100 is not possible",
		"val?seed=-1":    "seed=-1 is not possible",
		"val?objects=7":  "objects=7 is not possible",
		"val?n=3;size=9": "write options as ?n=1500",
	} {
		if _, err := data.Open("digits:"+arg, data.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("digits:%s gave the error %v, want one with %q", arg, err, want)
		}
	}
}

// Scenes whose boxes were stored are those that are laid out anew, and boxes of another program are
// not used.
func TestBoxesAreRemembered(t *testing.T) {
	t.Setenv(cachedir.Env, t.TempDir())
	open := func() *data.Dataset {
		t.Helper()
		set, err := data.Open(fmt.Sprintf("digits:train?n=%d&size=128", remembered), data.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return set
	}
	boxes := func(set *data.Dataset) (all [][]data.Instance) {
		for _, image := range set.Images {
			all = append(all, image.Instances)
		}
		return all
	}
	fresh := boxes(open())
	files, err := filepath.Glob(filepath.Join(os.Getenv(cachedir.Env), "scenes", "*.gob"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	written, err := os.Stat(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(boxes(open()), fresh) {
		t.Error("other boxes the second time")
	}
	if again, err := os.Stat(files[0]); err != nil || !os.SameFile(written, again) {
		t.Error("stored a second time:", err)
	}
	other := make([][]place, remembered)
	var content bytes.Buffer
	if err := gob.NewEncoder(&content).Encode(other); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content.Bytes())
	stored, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	stored[len(stored)/2] ^= 1 // the box of a scene that is not laid out to compare
	for name, text := range map[string][]byte{"other boxes": append(sum[:], content.Bytes()...), "a changed box": stored, "a damaged file": []byte("x")} {
		if err := os.WriteFile(files[0], text, 0o600); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(boxes(open()), fresh) {
			t.Errorf("%s are used", name)
		}
	}
}
