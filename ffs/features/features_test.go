package features

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ffslab/ffs/npz"
)

// table returns two rows of everything.
func table() *Table {
	return &Table{
		NumClasses: 2, Features: &Matrix{2, 3, []float32{1, 2, 3, 4, 5, 6}}, Logits: &Matrix{2, 3, []float32{1, 2, 4, 4, 5, 7}}, Classes: []int{1, 0},
		Boxes: &Matrix{2, 4, []float32{0, 0, 5, 6, 1, 1, 7, 8}}, ImageIDs: []int64{1 << 60, -3}, Detections: []int{4, 0}, Scores: []float64{0.25, 1},
		Named: map[string][]float64{"nll": {-1, -2}}, W: &Matrix{3, 3, []float32{1, 0, 0, 0, 1, 0, 0, 0, 1}}, B: []float32{0, 0, 1},
	}
}

func TestRoundTrip(t *testing.T) {
	for name, want := range map[string]*Table{
		"all":        table(),
		"features":   {NumClasses: 2, Features: &Matrix{1, 2, []float32{1, 2}}},
		"logits":     {NumClasses: 2, Logits: &Matrix{1, 2, []float32{1, 2}}},
		"nothing in": {NumClasses: 2, Features: &Matrix{0, 5, []float32{}}, Logits: &Matrix{0, 3, []float32{}}, Classes: []int{}},
	} {
		path := filepath.Join(t.TempDir(), "f.npz")
		if err := want.Write(path); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := Read(path)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want.From = path
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestSlice(t *testing.T) {
	whole := table()
	want := &Table{
		NumClasses: 2, Features: &Matrix{1, 3, []float32{4, 5, 6}}, Logits: &Matrix{1, 3, []float32{4, 5, 7}}, Classes: []int{0}, Boxes: &Matrix{1, 4, []float32{1, 1, 7, 8}},
		ImageIDs: []int64{-3}, Detections: []int{0}, Scores: []float64{1}, Named: map[string][]float64{"nll": {-2}}, W: whole.W, B: whole.B,
	}
	if diff := cmp.Diff(want, whole.Slice(1, 2)); diff != "" {
		t.Errorf("second row (-want +got):\n%s", diff)
	}
	if part := (&Table{Logits: &Matrix{2, 1, []float32{1, 2}}}).Slice(0, 1); part.Features != nil || part.Classes != nil || part.Len() != 1 {
		t.Errorf("absent parts are there: %+v", part)
	}
}

// A file without num_classes has the background; integers and floats of any size are taken.
func TestForeignFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.npz")
	err := npz.Write(path, npz.Arrays{
		"features": npz.New([]float64{1, 2, 3, 4}, 2, 2), "logits": npz.New([]float64{1, 2, 3, 4, 5, 6}, 2, 3), "classes": npz.New([]int32{0, 1}, 2),
		"image_ids": npz.New([]int32{8, 9}, 2), "else": npz.New([]bool{true}, 1, 1, 1),
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if rows := got.Rows(); got.NumClasses != 2 || rows.Labels[1] != 1 || rows.X.At(1, 0) != 3 || rows.Logits.At(1, 2) != 6 || got.ImageIDs[1] != 9 {
		t.Errorf("read %+v", got)
	}
}

// Whatever a file claims, the error is one line that begins with the file and names the member, and
// the row where there is one.
func TestFaultsAreErrors(t *testing.T) {
	for name, c := range map[string]struct {
		change func(a npz.Arrays)
		want   []string
	}{
		"no features":           {func(a npz.Arrays) { delete(a, "features"); delete(a, "logits") }, []string{"not a feature file"}},
		"not a matrix":          {func(a npz.Arrays) { a["features"] = npz.New([]float32{1, 2}, 2) }, []string{"features", "[2]"}},
		"logits of other rows":  {func(a npz.Arrays) { a["logits"] = npz.New([]float32{1, 2, 3}, 1, 3) }, []string{"logits", "1 rows", "2"}},
		"a class too few":       {func(a npz.Arrays) { a["classes"] = npz.New([]int64{1}, 1) }, []string{"classes", "1 rows", "2"}},
		"a class too high":      {func(a npz.Arrays) { a["classes"] = npz.New([]int64{1, 2}, 2) }, []string{"row 1", "class 2"}},
		"NaN":                   {func(a npz.Arrays) { a["features"].Data.([]float32)[4] = float32(math.NaN()) }, []string{"features", "row 1", "column 1", "NaN"}},
		"NaN in the layer":      {func(a npz.Arrays) { a["W"].Data.([]float32)[4] = float32(math.NaN()) }, []string{"W", "row 1", "column 1", "NaN"}},
		"NaN in the bias":       {func(a npz.Arrays) { a["b"].Data.([]float32)[1] = float32(math.NaN()) }, []string{"b:", "row 1", "NaN"}},
		"NaN in a box":          {func(a npz.Arrays) { a["boxes"].Data.([]float32)[5] = float32(math.NaN()) }, []string{"boxes", "row 1", "column 1", "NaN"}},
		"infinite probability":  {func(a npz.Arrays) { a["scores"].Data.([]float64)[1] = math.Inf(1) }, []string{"scores", "row 1", "Inf"}},
		"infinite score":        {func(a npz.Arrays) { a["score/nll"].Data.([]float64)[1] = math.Inf(1) }, []string{"nll", "row 1", "Inf"}},
		"scores as a matrix":    {func(a npz.Arrays) { a["score/nll"] = npz.New([]float64{1, 2}, 2, 1) }, []string{"score/nll", "[2 1]"}},
		"layer of other size":   {func(a npz.Arrays) { a["W"] = npz.New([]float32{1, 2, 3, 4, 5, 6}, 3, 2) }, []string{"W", "2 columns", "3"}},
		"layer without bias":    {func(a npz.Arrays) { delete(a, "b") }, []string{"W", "b 0"}},
		"classes beside logits": {func(a npz.Arrays) { a["num_classes"] = npz.New([]int64{7}) }, []string{"7 classes"}},
		"numbers of classes":    {func(a npz.Arrays) { a["num_classes"] = npz.New([]int64{2, 2}, 2) }, []string{"num_classes", "[2]"}},
		"boxes of three":        {func(a npz.Arrays) { a["boxes"] = npz.New([]float32{1, 2, 3, 1, 2, 3}, 2, 3) }, []string{"boxes", "3 columns"}},
		"entry below 0":         {func(a npz.Arrays) { a["detections"] = npz.New([]int64{0, -1}, 2) }, []string{"detections", "row 1", "-1"}},
	} {
		path := filepath.Join(t.TempDir(), "f.npz")
		if err := table().Write(path); err != nil {
			t.Fatal(err)
		}
		arrays, err := npz.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		c.change(arrays)
		if err := npz.Write(path, arrays); err != nil {
			t.Fatal(err)
		}
		_, err = Read(path)
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		for _, part := range c.want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: error %q does not name %q", name, err, part)
			}
		}
		if !strings.HasPrefix(err.Error(), path) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %q is not one line that begins with the file", name, err)
		}
	}
}

// The five lines of Python in the package's documentation read what we write, and find W x + b.
func TestPythonOfTheDocumentation(t *testing.T) {
	if exec.Command("python3", "-c", "import numpy").Run() != nil {
		t.Skip("python3 with NumPy is not here")
	}
	source, err := os.ReadFile("features.go")
	if err != nil {
		t.Fatal(err)
	}
	var program []string
	for line := range strings.Lines(string(source)) {
		if code, ok := strings.CutPrefix(line, "//\t"); ok && len(program) < 5 {
			program = append(program, code)
		}
	}
	dir := t.TempDir()
	if err := table().Write(filepath.Join(dir, "features.npz")); err != nil {
		t.Fatal(err)
	}
	command := exec.Command("python3", "-c", strings.Join(program, ""))
	command.Dir = dir
	output, err := command.CombinedOutput()
	if err != nil || string(output) != "0.0 ['score/nll']\n" {
		t.Errorf("python printed %q, error %v", output, err)
	}
}

func TestProjector(t *testing.T) {
	dir := t.TempDir()
	colors := []color.Color{color.RGBA{255, 0, 0, 255}, color.RGBA{0, 0, 255, 255}}
	err := table().WriteProjector(dir, []string{"class", "file"}, [][]string{{"fish", "a\tb"}, {"x.png", "y.png"}}, func(row int) (image.Image, error) {
		img := image.NewRGBA(image.Rect(0, 0, 4, 2))
		for i := range 8 {
			img.Set(i%4, i/4, colors[row])
		}
		return img, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"tensors.tsv":  "1\t2\t3\n4\t5\t6\n",
		"metadata.tsv": "class\tfile\nfish\tx.png\na\\tb\ty.png\n",
		"projector_config.pbtxt": `embeddings {
  tensor_name: "features"
  tensor_path: "tensors.tsv"
  metadata_path: "metadata.tsv"
  sprite {
    image_path: "sprite.png"
    single_image_dim: 32
    single_image_dim: 32
  }
}
`,
	} {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	sprite, err := os.ReadFile(filepath.Join(dir, "sprite.png"))
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(sprite))
	if err != nil {
		t.Fatal(err)
	}
	at := func(x, y int) color.Color { return color.RGBAModel.Convert(img.At(x, y)) }
	if img.Bounds().Dx() != 64 || at(16, 16) != colors[0] || at(48, 16) != colors[1] {
		t.Errorf("sprite of %v with %v and %v", img.Bounds(), at(16, 16), at(48, 16))
	}
	if err := (&Table{From: "f.npz"}).WriteProjector(dir, nil, nil, nil); err == nil || !strings.Contains(err.Error(), "f.npz") {
		t.Errorf("no features: %v", err)
	}
}
