package npz

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRoundTrip(t *testing.T) {
	want := Arrays{
		"scalar": New([]float64{3.5}),
		"empty":  New([]float32{}, 0, 4),
		"floats": New([]float32{1, -2, 3, 4, 5, 6}, 2, 3),
		"ints":   New([]int64{-1, 1 << 40}, 2),
		"small":  New([]int32{7}, 1, 1, 1),
		"chunks": New(slices.Repeat([]float32{1, 2, 3, 4, 5}, chunk/2), chunk/2, 5),
		"image":  New([]uint8{0, 255}, 2),
		"mask":   New([]bool{true, false, true}, 3),
	}
	path := filepath.Join(t.TempDir(), "x.npz")
	if err := Write(path, want); err != nil {
		t.Fatal(err)
	}
	got, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
	if got, want := want["mask"].Ints(), []int{1, 0, 1}; !cmp.Equal(got, want) {
		t.Errorf("Ints of a mask = %v, want %v", got, want)
	}
}

func TestFaultsAreErrors(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.npz")
	if err := Write(path, Arrays{"a": New([]float32{1, 2}, 3)}); err == nil {
		t.Error("2 elements of shape [3] were written")
	}
	if err := Write(path, Arrays{"a": {Shape: []int{1}, Data: []string{"x"}}}); err == nil {
		t.Error("a string array was written")
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("failed writes left %v behind", left)
	}
	if err := os.WriteFile(path, []byte("PK not a zip"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(path); err == nil {
		t.Error("a broken archive was read")
	}
}
