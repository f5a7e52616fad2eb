package data_test

import (
	"os"
	"path/filepath"
	"testing"

	"ffslab/data"
	"ffslab/ffs/npz"
)

// Pillow's pixels of small JPEG files (testdata/jpeg.py). The inverse cosine transforms differ by a level at
// times, in files of full colour resolution as in the others, hence the tolerance; repeated
// colours would be off by up to a hundred.
func TestJPEGsAreReadAsPillowReadsThem(t *testing.T) {
	golden, err := npz.Read("testdata/jpeg.npz")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"420", "420odd", "422", "444", "narrow", "progressive"} {
		path := filepath.Join(t.TempDir(), name+".jpg")
		var file []byte
		for _, v := range golden[name+".file"].Ints() {
			file = append(file, byte(v))
		}
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := data.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		want := golden[name+".pixels"].Ints()
		if len(want) != len(p.Data) {
			t.Fatalf("%s: %d values, want %d", name, len(p.Data), len(want))
		}
		worst, sum := 0, 0
		for i, v := range p.Data {
			d := int(v) - want[i/3*3+2-i%3] // blue first
			worst, sum = max(worst, d, -d), sum+max(d, -d)
		}
		t.Logf("%s: at most %d levels off, %.3f in the mean", name, worst, float64(sum)/float64(len(want)))
		if worst > 3 || float64(sum) > 0.07*float64(len(want)) {
			t.Errorf("%s: at most %d levels off, %.3f in the mean", name, worst, float64(sum)/float64(len(want)))
		}
	}
}
