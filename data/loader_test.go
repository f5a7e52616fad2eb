package data_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ffslab/data"
)

// painted returns a set of generated pictures of varied shapes, each filled with a colour that
// tells its index. Picture i holds i%5 objects.
func painted(n int) *data.Dataset {
	d := &data.Dataset{Name: "painted", Categories: []data.Category{{ID: 1, Name: "a"}, {ID: 2, Name: "b"}}}
	for i := range n {
		h, w := 20+i%3, 30+i%4
		if i%4 == 3 {
			h, w = w, h
		}
		im := data.Image{ID: data.ID(i), File: fmt.Sprint("painted ", i), Height: h, Width: w, Render: func() (*data.Pixels, error) {
			p := data.NewPixels(h, w)
			for j := range p.Data {
				p.Data[j] = uint8(10 + i)
			}
			return p, nil
		}}
		for j := range i % 5 {
			side := float64(3 + (j+i)%5)
			im.Instances = append(im.Instances, data.Instance{Box: [4]float64{1, 1, 1 + side, 1 + side}, Category: j % 2})
		}
		d.Images = append(d.Images, im)
	}
	return d
}

func smallConfig() data.Config {
	return data.Config{BatchSize: 3, ShortEdges: []int{16, 20, 24}, LongEdge: 40, Flip: true, MaxBoxes: 3, Seed: 5, Workers: 4,
		Canvases: []data.Canvas{{Height: 48, Width: 48}, {Height: 24, Width: 40}, {Height: 40, Width: 24}}}
}

func take(t *testing.T, l *data.Loader, n int) []*data.Batch {
	t.Helper()
	defer l.Close()
	out := make([]*data.Batch, n)
	for i := range out {
		var err error
		if out[i], err = l.Next(); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func train(t *testing.T, d *data.Dataset, cfg data.Config) *data.Loader {
	t.Helper()
	l, err := data.Train(t.Context(), d, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestTrainIsAFunctionOfSeedAndStep(t *testing.T) {
	d, cfg := painted(23), smallConfig()
	want := take(t, train(t, d, cfg), 40)

	cfg.Workers, cfg.Prefetch, cfg.FirstStep = 1, 5, 17
	if got := take(t, train(t, d, cfg), 23); !reflect.DeepEqual(got, want[17:]) {
		t.Error("a stream that resumes at step 17 differs from one that never stopped")
	}
	cfg.Seed, cfg.FirstStep = 6, 0
	if got := take(t, train(t, d, cfg), 40); reflect.DeepEqual(got, want) {
		t.Error("another seed gives the same stream")
	}

	scales, flips, seen := map[int32]bool{}, map[bool]int{}, map[int]int{}
	for i, b := range want {
		if b.Step != i {
			t.Errorf("batch %d calls itself %d", i, b.Step)
		}
		for j, s := range b.Sources {
			scales[min(b.Sizes[2*j], b.Sizes[2*j+1])] = true
			flips[s.Flip]++
			seen[s.Index]++
		}
	}
	if len(scales) != 3 || flips[true] < 40 || flips[false] < 40 {
		t.Errorf("scales %v and flips %v are not drawn evenly", scales, flips)
	}
	for i := range 23 { // 120 pictures are five epochs of 23 and some; up to two high and two wide ones wait
		if seen[i] < 4 || seen[i] > 6 {
			t.Errorf("picture %d was dealt %d times in five epochs", i, seen[i])
		}
	}
}

func TestBatchContents(t *testing.T) {
	d, cfg := painted(23), smallConfig()
	for _, b := range take(t, train(t, d, cfg), 30) {
		dropped := 0
		for row, s := range b.Sources {
			im := d.Images[s.Index]
			h, w := int(b.Sizes[2*row]), int(b.Sizes[2*row+1])
			if b.Canvas.Height == b.Canvas.Width || h > b.Canvas.Height || w > b.Canvas.Width {
				t.Fatalf("picture of %dx%d on canvas %v, though a smaller one holds it", h, w, b.Canvas)
			}
			for y := range b.Canvas.Height {
				for x := range b.Canvas.Width {
					want := uint8(0)
					if y < h && x < w {
						want = uint8(10 + s.Index)
					}
					if got := b.Images[3*((row*b.Canvas.Height+y)*b.Canvas.Width+x)]; got != want {
						t.Fatalf("picture %d: pixel %d,%d is %d, want %d", s.Index, y, x, got, want)
					}
				}
			}
			dropped += max(len(im.Instances)-b.MaxBoxes, 0)
			checkBoxes(t, b, row, im)
		}
		if b.Dropped != dropped {
			t.Errorf("%d objects counted as dropped, want %d", b.Dropped, dropped)
		}
	}
}

// checkBoxes checks that the largest objects are there in their order, scaled and mirrored, and
// nothing else.
func checkBoxes(t *testing.T, b *data.Batch, row int, im data.Image) {
	t.Helper()
	s := b.Sources[row]
	at := row * b.MaxBoxes
	width := float64(b.Sizes[2*row+1])
	sides := 0.0
	for j := range b.MaxBoxes {
		valid := j < min(len(im.Instances), b.MaxBoxes)
		if b.Valid[at+j] != valid {
			t.Fatalf("picture %d: place %d valid: %v, want %v", s.Index, j, !valid, valid)
		}
		box := b.Boxes[4*(at+j):][:4]
		if !valid {
			if box[2] != 0 || b.Classes[at+j] != 0 {
				t.Fatalf("picture %d: place %d is empty but holds %v", s.Index, j, box)
			}
			continue
		}
		left := s.ScaleX
		if s.Flip {
			left = width - float64(box[2])
		}
		if d := left - s.ScaleX; d > 1e-4 || d < -1e-4 || !s.Flip && float32(s.ScaleX) != box[0] {
			t.Fatalf("picture %d: object %d begins at %v (flip %v), want %v", s.Index, j, box, s.Flip, s.ScaleX)
		}
		sides += float64(box[2]-box[0]) / s.ScaleX
	}
	total, smallest := 0.0, 100.0
	for _, o := range im.Instances {
		total += o.Box[2] - o.Box[0]
		smallest = min(smallest, o.Box[2]-o.Box[0])
	}
	if len(im.Instances) > b.MaxBoxes {
		total -= smallest
	}
	if d := sides - total; d > 1e-3 || d < -1e-3 {
		t.Errorf("picture %d: the sides of its objects add up to %v, want %v", s.Index, sides, total)
	}
}

func TestEvalPassesOnce(t *testing.T) {
	d, cfg := painted(23), smallConfig()
	cfg.ShortEdges = []int{20}
	l, err := data.Eval(t.Context(), d, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	seen := map[int]bool{}
	for {
		b, err := l.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if n := len(b.Images); n != 3*b.BatchSize*b.Canvas.Height*b.Canvas.Width {
			t.Errorf("%d bytes of pixels on canvas %v", n, b.Canvas)
		}
		for _, s := range b.Sources {
			if seen[s.Index] || s.Flip {
				t.Errorf("picture %d came twice or mirrored", s.Index)
			}
			seen[s.Index] = true
		}
		last := len(b.Sources) - 1
		for row := last + 1; row < b.BatchSize; row++ {
			if b.Valid[row*b.MaxBoxes] || b.Sizes[2*row] != b.Sizes[2*last] || b.Images[3*row*b.Canvas.Height*b.Canvas.Width] != uint8(10+b.Sources[last].Index) {
				t.Errorf("row %d of a short batch does not repeat the last picture without objects", row)
			}
		}
	}
	if len(seen) != 23 {
		t.Errorf("%d pictures of 23", len(seen))
	}
	if _, err := l.Next(); err != io.EOF {
		t.Errorf("after the end: %v", err)
	}
}

func TestLoaderDeliversErrors(t *testing.T) {
	d, cfg := painted(23), smallConfig()
	broken := errors.New("picture 4 is broken")
	d.Images[4].Render = func() (*data.Pixels, error) { return nil, broken }
	l := train(t, d, cfg)
	defer l.Close()
	for {
		b, err := l.Next()
		if err != nil {
			if _, again := l.Next(); !errors.Is(err, broken) || again != err || b != nil {
				t.Errorf("batch %v, error %v, then %v", b, err, again)
			}
			break
		}
		for _, s := range b.Sources {
			if s.Index == 4 {
				t.Fatal("a batch with the broken picture was delivered")
			}
		}
	}
}

// In a bubble, a goroutine that outlives the loader fails the test, and waiting ends when every
// goroutine is blocked.
func TestLoaderEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, cfg := painted(23), smallConfig()
		var rendered atomic.Int32
		for i := range d.Images {
			render := d.Images[i].Render
			d.Images[i].Render = func() (*data.Pixels, error) {
				rendered.Add(1)
				time.Sleep(time.Millisecond)
				return render()
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		l, err := data.Train(ctx, d, cfg)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Next(); err != nil {
			t.Fatal(err)
		}
		if l.Waited() <= 0 {
			t.Error("no time was waited for the first batch")
		}
		time.Sleep(time.Second) // it runs ahead as far as it can
		// One batch was taken; two wait in the queue and the next is being made.
		if n := rendered.Load(); n > int32(cfg.BatchSize*4) {
			t.Errorf("%d pictures were made ahead: memory is not bounded", n)
		}
		cancel()
		if _, err := l.Next(); !errors.Is(err, context.Canceled) {
			t.Errorf("after cancellation: %v", err)
		}
		l.Close()
	})
}

func TestLoaderRefuses(t *testing.T) {
	cases := []struct {
		name   string
		change func(d *data.Dataset, c *data.Config)
		want   string
	}{
		{"no images", func(d *data.Dataset, c *data.Config) { d.Images = nil }, "no images"},
		{"only empty images", func(d *data.Dataset, c *data.Config) { d.Images, c.SkipEmpty = d.Images[:1], true }, "no image to train on"},
		{"small canvases", func(d *data.Dataset, c *data.Config) { c.Canvases = c.Canvases[1:2] }, "no canvas of [{24 40}]"},
		{"no scale", func(d *data.Dataset, c *data.Config) { c.ShortEdges = nil }, "shortest edge"},
		{"batch of 0", func(d *data.Dataset, c *data.Config) { c.BatchSize = 0 }, "batch size 0"},
	}
	for _, c := range cases {
		d, cfg := painted(23), smallConfig()
		c.change(d, &cfg)
		if _, err := data.Train(t.Context(), d, cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
}
