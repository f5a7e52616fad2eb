package data

import (
	"fmt"
	"image"
	"image/png"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestBudgetIsShared(t *testing.T) {
	const side, goroutines = 100, 40
	b := newBudget(3 * readBytes * side * side)
	var reading, worst atomic.Int64
	var all sync.WaitGroup
	for range goroutines {
		all.Go(func() {
			release, err := b.read("file", side, side)
			if err != nil {
				t.Error(err)
				return
			}
			now := reading.Add(1)
			for before := worst.Load(); now > before && !worst.CompareAndSwap(before, now); before = worst.Load() {
			}
			time.Sleep(time.Millisecond)
			reading.Add(-1)
			release()
			release() // a second time changes nothing
		})
	}
	all.Wait()
	if worst.Load() != 3 || b.taken != 0 || b.readers != 0 {
		t.Errorf("%d read at once, want the 3 that there is room for; left %d bytes, %d readers", worst.Load(), b.taken, b.readers)
	}
}

// Whoever holds a picture can read it although nothing is left, and everybody gets on.
func TestHoldersReadWithoutDeadlock(t *testing.T) {
	const side = 100
	b := newBudget(readBytes * side * side)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			held, err := b.hold("file", side, side)
			if err != nil {
				t.Error(err)
				return
			}
			defer held()
			read, err := b.read("file", side, side)
			if err != nil {
				t.Error(err)
				return
			}
			read()
		})
	}
	all.Wait()
	if b.taken != 0 {
		t.Errorf("%d bytes are left", b.taken)
	}
}

// withPictureMemory sets the memory for pictures until the test ends.
func withPictureMemory(t *testing.T, bytes int64) {
	t.Helper()
	SetPictureMemory(bytes)
	t.Cleanup(func() { SetPictureMemory(DefaultPictureMemory) })
}

// writeNoise writes a picture of random pixels.
func writeNoise(t *testing.T, path string, height, width int, seed uint64) {
	t.Helper()
	img, rng := image.NewNRGBA(image.Rect(0, 0, width, height)), rand.New(rand.NewPCG(seed, 0))
	for i := range img.Pix {
		img.Pix[i] = uint8(rng.UintN(256)) | uint8(i%4/3*255)
	}
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := png.Encode(file, img); err != nil {
		t.Fatal(err)
	}
}

func TestPictureBeyondTheMemoryIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "large.png")
	writeNoise(t, path, 100, 200, 1)
	withPictureMemory(t, readBytes*100*200-1)
	im := &Image{File: path, Width: 200, Height: 100}
	for what, read := range map[string]func() error{
		"ReadFile": func() error { _, err := ReadFile(path); return err },
		"View":     func() error { _, err := im.View(10); return err },
	} {
		err := read()
		if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "200x100") || !strings.Contains(err.Error(), "--picture-memory") {
			t.Errorf("%s: error %v, want the file, its size and the remedy", what, err)
		}
	}
	if height, width, err := ReadSize(path); err != nil || height != 100 || width != 200 {
		t.Errorf("the header alone: %d, %d, %v", height, width, err)
	}
}

// Batches are the same however little memory there is, as long as each picture fits.
func TestLittlePictureMemoryChangesNothing(t *testing.T) {
	const height, width = 60, 90
	dir := t.TempDir()
	set := &Dataset{Name: "noise", Categories: []Category{{ID: 1, Name: "a"}}}
	for i := range 12 {
		path := filepath.Join(dir, fmt.Sprint(i, ".png"))
		writeNoise(t, path, height, width, uint64(i))
		set.Images = append(set.Images, Image{ID: ID(i), File: path, Width: width, Height: height})
	}
	read := func() []byte {
		loader, err := Eval(t.Context(), set, Config{BatchSize: 4, ShortEdges: []int{32}, LongEdge: 64, Canvases: []Canvas{{32, 64}}, MaxBoxes: 1, Workers: 8})
		if err != nil {
			t.Fatal(err)
		}
		defer loader.Close()
		var all []byte
		for {
			batch, err := loader.Next()
			if err == io.EOF {
				return all
			}
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, batch.Images...)
		}
	}
	want := read()
	withPictureMemory(t, readBytes*height*width)
	if got := read(); string(got) != string(want) || len(got) == 0 {
		t.Error("the pixels differ")
	}
}

func TestViewShrinks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "noise.png")
	writeNoise(t, path, 100, 200, 1)
	im := &Image{File: path, Width: 200, Height: 100}
	for _, test := range []struct {
		longest, height, width int
		scale                  float64
	}{{1000, 100, 200, 1}, {200, 100, 200, 1}, {50, 25, 50, 0.25}, {1, 1, 1, 0.005}} {
		v, err := im.View(test.longest)
		if err != nil {
			t.Fatal(err)
		}
		if size := v.Bounds().Size(); size != image.Pt(test.width, test.height) || v.Scale != test.scale {
			t.Errorf("within %d: %v at %g, want %dx%d at %g", test.longest, size, v.Scale, test.width, test.height, test.scale)
		}
	}
}
