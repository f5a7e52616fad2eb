package bench

import (
	"runtime"
	"strings"
	"testing"

	"ffslab/data"
	"ffslab/ffs/internal/tiny"
)

func TestLoader(t *testing.T) {
	c, err := tiny.Config()
	if err != nil {
		t.Fatal(err)
	}
	set := tiny.Squares("squares", 4, "red", "blue")
	cores := runtime.GOMAXPROCS(0)
	r, err := Loader(t.Context(), LoaderOptions{Config: c, Name: "tiny", Data: set, Images: 5})
	if err != nil {
		t.Fatal(err)
	}
	if r.Images != 6 || r.Batch != 2 || r.Data != "squares" || r.Cores != cores || runtime.GOMAXPROCS(0) != cores {
		t.Errorf("report %+v: want 5 images rounded up to batches of 2, on %d cores", r, cores)
	}
	if !(r.PerSecond > 0 && r.PerSecondOneCore > 0) || r.Ratio != r.PerSecond/r.PerSecondOneCore {
		t.Errorf("images a second %g and %g, ratio %g", r.PerSecond, r.PerSecondOneCore, r.Ratio)
	}

	if _, err := Loader(t.Context(), LoaderOptions{Config: c, Data: set}); err == nil || !strings.HasPrefix(err.Error(), "loader: 0 images") {
		t.Errorf("error %v for no images", err)
	}
	set.Images[2] = data.Image{File: "missing.jpg", Width: tiny.Side, Height: tiny.Side}
	if _, err := Loader(t.Context(), LoaderOptions{Config: c, Data: set, Images: 5}); err == nil || !strings.Contains(err.Error(), "missing.jpg") {
		t.Errorf("error %v for a picture that is missing", err)
	}
}
