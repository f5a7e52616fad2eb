package corrupt_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"ffslab/data"
	"ffslab/data/corrupt"
)

func TestChoice(t *testing.T) {
	for _, c := range []struct {
		choice     corrupt.Choice
		name, at20 string
		error      string
	}{
		{choice: corrupt.Choice{}},
		{choice: corrupt.Choice{Name: "fog"}},
		{choice: corrupt.Choice{Severity: 3}, name: "mixed-3", at20: "shot_noise-3"}, // 20 mod 19 is 1
		{choice: corrupt.Choice{Name: "fog", Severity: 5}, name: "fog-5", at20: "fog-5"},
		{choice: corrupt.Choice{Name: "fog", Severity: 5, Seed: 7}, name: "fog-5-seed7", at20: "fog-5-seed7"},
		{choice: corrupt.Choice{Severity: 6}, error: "give 1 to 5"},
		{choice: corrupt.Choice{Severity: -1}, error: "give 1 to 5"},
		{choice: corrupt.Choice{Name: "Fog", Severity: 1}, error: "fog, brightness"},
		{choice: corrupt.Choice{Name: "Fog"}, error: "fog, brightness"},
	} {
		set := scenes(t, 2)
		damaged, err := c.choice.Dataset(set)
		if c.error != "" {
			if err == nil || !strings.Contains(err.Error(), c.error) || c.choice.Check() == nil {
				t.Errorf("%+v gave the error %v, want %q", c.choice, err, c.error)
			}
			continue
		}
		if err != nil {
			t.Errorf("%+v: %v", c.choice, err)
			continue
		}
		if got := c.choice.String(); got != c.name {
			t.Errorf("%+v is called %q, want %q", c.choice, got, c.name)
		}
		if got := c.choice.At(20); got != c.at20 {
			t.Errorf("%+v gives picture 20 the corruption %q, want %q", c.choice, got, c.at20)
		}
		wantName := set.Name
		if c.name != "" {
			wantName += "+" + c.name
		}
		if damaged.Name != wantName {
			t.Errorf("%+v calls the set %q, want %q", c.choice, damaged.Name, wantName)
		}
	}
}

// decode returns the pixels of one image.
func decode(t *testing.T, im data.Image) []uint8 {
	t.Helper()
	p, err := im.Decode()
	if err != nil {
		t.Fatal(err)
	}
	return p.Data
}

// Picture i of a mixed set is what corruption i mod 19 alone makes of it.
func TestMixedIsEveryCorruptionInTurn(t *testing.T) {
	set := scenes(t, 21)
	mixed, err := corrupt.Choice{Severity: 2}.Dataset(set)
	if err != nil {
		t.Fatal(err)
	}
	for i := range set.Images {
		one, err := corrupt.Choice{Name: corrupt.Names()[i%19], Severity: 2}.Dataset(set)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(decode(t, mixed.Images[i]), decode(t, one.Images[i])) {
			t.Errorf("picture %d is not that of %s", i, corrupt.Names()[i%19])
		}
		if len(mixed.Images[i].Instances) != len(set.Images[i].Instances) {
			t.Errorf("picture %d has lost objects", i)
		}
	}
}

func TestPicturesDependOnSeedAndPlaceAlone(t *testing.T) {
	set := scenes(t, 2)
	set.Images[1] = set.Images[0] // the same picture at another place
	for _, name := range corrupt.Names() {
		first, err := corrupt.Choice{Name: name, Severity: 3}.Dataset(set)
		if err != nil {
			t.Fatal(err)
		}
		again, err := corrupt.Choice{Name: name, Severity: 3}.Dataset(set)
		if err != nil {
			t.Fatal(err)
		}
		other, err := corrupt.Choice{Name: name, Severity: 3, Seed: 1}.Dataset(set)
		if err != nil {
			t.Fatal(err)
		}
		one := decode(t, again.Images[1]) // in another order
		zero := decode(t, again.Images[0])
		if !bytes.Equal(zero, decode(t, first.Images[0])) || !bytes.Equal(one, decode(t, first.Images[1])) || !bytes.Equal(one, decode(t, first.Images[1])) {
			t.Errorf("%s: the same seed and place gave other pixels", name)
		}
		random := true
		switch name {
		case "defocus_blur", "zoom_blur", "brightness", "contrast", "pixelate", "jpeg_compression", "gaussian_blur", "saturate":
			random = false
		}
		if bytes.Equal(zero, one) == random {
			t.Errorf("%s: pixels differ between places: %v, want %v", name, !random, random)
		}
		if bytes.Equal(zero, decode(t, other.Images[0])) == random {
			t.Errorf("%s: pixels differ between seeds: %v, want %v", name, !random, random)
		}
	}
}

func TestPicturesDoNotDependOnTheLoader(t *testing.T) {
	set, err := corrupt.Choice{Severity: 3}.Dataset(scenes(t, 19))
	if err != nil {
		t.Fatal(err)
	}
	load := func(workers, batch int) map[int][]uint8 {
		loader, err := data.Eval(t.Context(), set, data.Config{
			BatchSize: batch, ShortEdges: []int{64}, LongEdge: 64, Canvases: []data.Canvas{{Height: 64, Width: 64}}, MaxBoxes: 1, Workers: workers,
		})
		if err != nil {
			t.Fatal(err)
		}
		defer loader.Close()
		pictures := map[int][]uint8{}
		for {
			b, err := loader.Next()
			if errors.Is(err, io.EOF) {
				return pictures
			}
			if err != nil {
				t.Fatal(err)
			}
			for row, source := range b.Sources {
				n := len(b.Images) / b.BatchSize
				pictures[source.Index] = b.Images[row*n:][:n]
			}
		}
	}
	one, many := load(1, 1), load(5, 4)
	if len(one) != 19 || len(many) != 19 {
		t.Fatalf("%d and %d pictures, want 19", len(one), len(many))
	}
	for i := range one {
		if !bytes.Equal(one[i], many[i]) {
			t.Errorf("picture %d (%s) depends on the number of workers", i, corrupt.Names()[i])
		}
	}
}

// A file that cannot be read is reported as without a corruption.
func TestUnreadableFile(t *testing.T) {
	set := &data.Dataset{Name: "files", Images: []data.Image{{File: "nowhere.jpg", Width: 2, Height: 2}}}
	damaged, err := corrupt.Choice{Severity: 1}.Dataset(set)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := damaged.Images[0].Decode(); err == nil || !strings.Contains(err.Error(), "nowhere.jpg") {
		t.Errorf("error %v does not name the file", err)
	}
}
