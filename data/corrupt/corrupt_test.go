package corrupt_test

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"

	"ffslab/data"
	"ffslab/data/corrupt"
	_ "ffslab/data/digits"
)

// apply corrupts with a random stream of its own.
func apply(t *testing.T, p *data.Pixels, name string, severity int) *data.Pixels {
	t.Helper()
	before := bytes.Clone(p.Data)
	out, err := corrupt.Apply(p, name, severity, data.RandomStream(1))
	if err != nil {
		t.Fatal(err)
	}
	if out.Height != p.Height || out.Width != p.Width || len(out.Data) != len(p.Data) {
		t.Fatalf("%s %d of %dx%d gave %dx%d with %d values", name, severity, p.Height, p.Width, out.Height, out.Width, len(out.Data))
	}
	if !bytes.Equal(before, p.Data) {
		t.Errorf("%s %d has changed the picture that it was given", name, severity)
	}
	return out
}

// filled returns a picture of one colour.
func filled(h, w int, blue, green, red uint8) *data.Pixels {
	p := data.NewPixels(h, w)
	for i := 0; i < len(p.Data); i += 3 {
		p.Data[i], p.Data[i+1], p.Data[i+2] = blue, green, red
	}
	return p
}

// scenes returns some of the embedded pictures.
func scenes(t *testing.T, n int) *data.Dataset {
	t.Helper()
	set, err := data.Open(fmt.Sprintf("digits:val?n=%d&size=128", n), data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestNamesAreInTheBenchmarksOrder(t *testing.T) {
	want := "gaussian_noise shot_noise impulse_noise defocus_blur glass_blur motion_blur zoom_blur snow frost fog brightness contrast " +
		"elastic_transform pixelate jpeg_compression speckle_noise gaussian_blur spatter saturate"
	if got := strings.Join(corrupt.Names(), " "); got != want {
		t.Errorf("names %s, want %s", got, want)
	}
}

func TestApplyRefuses(t *testing.T) {
	p := filled(2, 2, 1, 2, 3)
	if _, err := corrupt.Apply(p, "rain", 3, data.RandomStream(1)); err == nil || !strings.Contains(err.Error(), `"rain"`) ||
		!strings.Contains(err.Error(), strings.Join(corrupt.Names(), ", ")) {
		t.Errorf("error %v does not list the valid names", err)
	}
	for _, severity := range []int{-1, 0, 6} {
		if _, err := corrupt.Apply(p, "fog", severity, data.RandomStream(1)); err == nil || !strings.Contains(err.Error(), "give 1 to 5") {
			t.Errorf("severity %d gave the error %v", severity, err)
		}
	}
}

func TestTinyPictures(t *testing.T) {
	for _, size := range [][2]int{{0, 0}, {0, 3}, {1, 1}, {1, 2}, {2, 1}, {2, 3}, {3, 2}, {1, 40}, {40, 1}, {5, 7}, {9, 9}} {
		p := data.NewPixels(size[0], size[1])
		for i := range p.Data {
			p.Data[i] = uint8(37 * i)
		}
		for _, name := range corrupt.Names() {
			for severity := 1; severity <= 5; severity++ {
				apply(t, p, name, severity)
			}
		}
	}
}

// What averages, moves or repeats pixels cannot change a picture of one colour, whatever it does at
// its edges; but for the benchmark's larger lenses.
func TestOneColourStays(t *testing.T) {
	p := filled(23, 31, 40, 120, 201)
	for _, name := range []string{"defocus_blur", "glass_blur", "motion_blur", "zoom_blur", "contrast", "elastic_transform", "pixelate", "gaussian_blur"} {
		for severity := 1; severity <= 5; severity++ {
			want := p
			if name == "defocus_blur" && severity >= 4 { // 1.013 and 1.011 times as bright
				want = [...]*data.Pixels{4: filled(23, 31, 41, 122, 204), 5: filled(23, 31, 40, 121, 203)}[severity]
			}
			if !bytes.Equal(apply(t, p, name, severity).Data, want.Data) {
				t.Errorf("%s %d has changed a picture of one colour", name, severity)
			}
		}
	}
}

// Hand-computed colours: blue, green, red in and out.
func TestColours(t *testing.T) {
	for _, c := range []struct {
		name     string
		severity int
		in, want [3]uint8
	}{
		{"brightness", 2, [3]uint8{51, 102, 153}, [3]uint8{68, 136, 204}},         // the value goes from 0.6 to 0.8
		{"brightness", 5, [3]uint8{51, 102, 153}, [3]uint8{85, 170, 255}},         // to 1 and no further
		{"brightness", 4, [3]uint8{0, 0, 0}, [3]uint8{102, 102, 102}},             // black becomes grey
		{"brightness", 5, [3]uint8{0, 128, 255}, [3]uint8{0, 128, 255}},           // nothing is brighter
		{"saturate", 1, [3]uint8{51, 102, 204}, [3]uint8{158, 173, 204}},          // 204 - 0.3*153, 204 - 0.3*102
		{"saturate", 2, [3]uint8{51, 102, 204}, [3]uint8{189, 194, 204}},          // 204 - 0.1*153, 204 - 0.1*102
		{"saturate", 3, [3]uint8{51, 102, 204}, [3]uint8{0, 68, 204}},             // from 0.75 to 1: times 4/3
		{"saturate", 3, [3]uint8{160, 180, 200}, [3]uint8{120, 160, 200}},         // from 0.2 to 0.4
		{"saturate", 4, [3]uint8{190, 195, 200}, [3]uint8{130, 165, 200}},         // from 0.05 to 0.35
		{"saturate", 5, [3]uint8{100, 100, 100}, [3]uint8{80, 80, 100}},           // grey reddens
		{"saturate", 3, [3]uint8{100, 100, 100}, [3]uint8{100, 100, 100}},         // where nothing is added it does not
		{"snow", 5, [3]uint8{255, 255, 255}, [3]uint8{255, 255, 255}},             // cut off
		{"frost", 1, [3]uint8{255, 255, 255}, [3]uint8{255, 255, 255}},            // cut off
		{"fog", 3, [3]uint8{0, 0, 0}, [3]uint8{0, 0, 0}},                          // scaled to the brightest value, 0
		{"shot_noise", 5, [3]uint8{0, 0, 0}, [3]uint8{0, 0, 0}},                   // no light
		{"speckle_noise", 5, [3]uint8{0, 0, 0}, [3]uint8{0, 0, 0}},                // times 0
		{"jpeg_compression", 3, [3]uint8{128, 128, 128}, [3]uint8{128, 128, 128}}, // JPEG's zero
	} {
		got := apply(t, filled(3, 4, c.in[0], c.in[1], c.in[2]), c.name, c.severity)
		if want := filled(3, 4, c.want[0], c.want[1], c.want[2]); !bytes.Equal(got.Data, want.Data) {
			t.Errorf("%s %d made %v of %v, want %v everywhere", c.name, c.severity, got.Data[:3], c.in, c.want)
		}
	}
}

func TestContrast(t *testing.T) {
	p := data.NewPixels(1, 2)
	copy(p.Data, []uint8{0, 10, 255, 200, 30, 155}) // means 100, 20, 205
	for severity, want := range [][]uint8{1: {60, 16, 225, 140, 24, 185}, 3: {80, 18, 215, 120, 22, 195}, 5: {95, 20, 208, 105, 21, 203}} {
		if want == nil {
			continue
		}
		if got := apply(t, p, "contrast", severity).Data; !bytes.Equal(got, want) {
			t.Errorf("contrast %d gave %v, want %v", severity, got, want)
		}
	}
}

func TestPixelate(t *testing.T) {
	grey := func(values ...uint8) *data.Pixels {
		p := data.NewPixels(1, len(values))
		for i := range p.Data {
			p.Data[i] = values[i/3]
		}
		return p
	}
	for _, c := range []struct {
		severity int
		in, want []uint8
	}{
		{2, []uint8{0, 30, 60, 100, 200}, []uint8{30, 30, 150, 150, 150}}, // 2 pixels of 3 and 2
		{5, []uint8{0, 30, 60, 100, 200}, []uint8{78, 78, 78, 78, 78}},    // 1 pixel
		{1, []uint8{0, 30, 60, 100, 200}, []uint8{15, 15, 60, 150, 150}},  // 3 pixels of 2, 1, 2
		{5, []uint8{7}, []uint8{7}},
	} {
		if got := apply(t, grey(c.in...), "pixelate", c.severity); !bytes.Equal(got.Data, grey(c.want...).Data) {
			t.Errorf("pixelate %d made %v of %v, want %v three times each", c.severity, got.Data, c.in, c.want)
		}
	}
	square := data.NewPixels(4, 4)
	square.Data[0] = 200 // blue, in a corner
	got := apply(t, square, "pixelate", 2)
	for i, v := range got.Data {
		want := uint8(0)
		if y, x := i/12, i/3%4; i%3 == 0 && y < 2 && x < 2 {
			want = 50
		}
		if v != want {
			t.Errorf("value %d is %d, want %d", i, v, want)
		}
	}
}

// A single bright pixel shows the filter.
func TestDefocusIsADisc(t *testing.T) {
	p := data.NewPixels(21, 21)
	p.Data[3*(10*21+10)] = 255
	got := apply(t, p, "defocus_blur", 1)
	for i := range 21 * 21 {
		want := uint8(0)
		if y, x := i/21-10, i%21-10; y*y+x*x <= 9 {
			want = 9 // 255/29: so many pixels lie in the disc
		}
		if got.Data[3*i] != want || got.Data[3*i+1] != 0 {
			t.Errorf("pixel %d, %d is %d, want %d", i/21, i%21, got.Data[3*i], want)
		}
	}
}

func TestGaussianBlur(t *testing.T) {
	p := data.NewPixels(9, 9)
	p.Data[3*(4*9+4)+2] = 255
	got := apply(t, p, "gaussian_blur", 1)
	// 255/(2 pi) exp(-d^2/2)
	for distance, want := range map[[2]int]uint8{{0, 0}: 41, {0, 1}: 25, {1, 1}: 15, {0, 2}: 5, {2, 2}: 1, {0, 4}: 0} {
		if v := got.Data[3*((4+distance[0])*9+4-distance[1])+2]; v != want {
			t.Errorf("at a distance of %v it is %d, want %d", distance, v, want)
		}
	}
}

// moments are the mean and the deviation of all values.
func moments(p *data.Pixels) (mean, deviation float64) {
	var sum, squares float64
	for _, v := range p.Data {
		sum += float64(v)
		squares += float64(v) * float64(v)
	}
	n := float64(len(p.Data))
	return sum / n, math.Sqrt(squares/n - sum*sum/n/n)
}

func TestNoiseHasTheStatedStrength(t *testing.T) {
	const n = 3 * 200 * 200
	for _, c := range []struct {
		name            string
		severity, level int
		deviation       float64 // in levels, where hardly anything is cut off
	}{
		{"gaussian_noise", 1, 128, 0.08 * 255},
		{"gaussian_noise", 2, 128, 0.12 * 255},
		{"speckle_noise", 1, 100, 0.15 * 100},
		{"speckle_noise", 2, 100, 0.2 * 100},
		{"shot_noise", 1, 102, math.Sqrt(0.4*60) / 60 * 255},
		{"shot_noise", 2, 102, math.Sqrt(0.4*25) / 25 * 255},
	} {
		mean, deviation := moments(apply(t, filled(200, 200, uint8(c.level), uint8(c.level), uint8(c.level)), c.name, c.severity))
		// Five standard errors; rounding adds a variance of 1/12.
		if wrong := math.Abs(mean - float64(c.level)); wrong > 5*c.deviation/math.Sqrt(n)+0.05 {
			t.Errorf("%s %d: mean %.3f of %d", c.name, c.severity, mean, c.level)
		}
		if want := math.Sqrt(c.deviation*c.deviation + 1./12); math.Abs(deviation/want-1) > 0.012 {
			t.Errorf("%s %d: deviation %.3f, want %.3f", c.name, c.severity, deviation, want)
		}
	}
}

func TestImpulseNoiseHitsTheStatedShare(t *testing.T) {
	const n = 3 * 200 * 200
	for severity, share := range []float64{1: 0.03, 0.06, 0.09, 0.17, 0.27} {
		if severity == 0 {
			continue
		}
		var black, white, kept int
		for _, v := range apply(t, filled(200, 200, 77, 77, 77), "impulse_noise", severity).Data {
			switch v {
			case 0:
				black++
			case 255:
				white++
			case 77:
				kept++
			}
		}
		if black+white+kept != n {
			t.Errorf("severity %d: %d values are neither black, white nor as before", severity, n-black-white-kept)
		}
		error5 := 5 * math.Sqrt(n*share/2*(1-share/2))
		for what, count := range map[string]int{"black": black, "white": white} {
			if math.Abs(float64(count)-n*share/2) > error5 {
				t.Errorf("severity %d: %d values are %s, want %.0f within %.0f", severity, count, what, n*share/2, error5)
			}
		}
	}
}

// The benchmark's numbers do not get worse from each severity to the next: saturate pales first,
// then strengthens, spatter is water first, then mud, elastic_transform moves the whole picture
// first, then pixels, glass_blur trades the reach of the scattering for its repetition; and from 3
// to 4 frost only takes light from the picture, fog only has a coarser grain.
func TestDamageGrowsWithSeverity(t *testing.T) {
	growing := map[string][][]int{
		"saturate":          {{1, 2}, {3, 4, 5}},
		"spatter":           {{1, 2, 3}, {4, 5}},
		"elastic_transform": {{1, 2}, {3, 4, 5}},
		"glass_blur":        {{1, 5}},
		"frost":             {{1, 2, 3, 5}},
		"fog":               {{1, 2, 3, 5}},
	}
	set := scenes(t, 4)
	for _, name := range corrupt.Names() {
		var errors [6]float64 // mean squared
		for severity := 1; severity <= 5; severity++ {
			damaged, err := corrupt.Choice{Name: name, Severity: severity}.Dataset(set)
			if err != nil {
				t.Fatal(err)
			}
			for i := range set.Images {
				errors[severity] += squaredError(t, &set.Images[i], &damaged.Images[i]) / float64(len(set.Images))
			}
			if errors[severity] < 1 {
				t.Errorf("%s %d hardly changes anything: mean squared error %.3f", name, severity, errors[severity])
			}
		}
		groups, ok := growing[name]
		if !ok {
			groups = [][]int{{1, 2, 3, 4, 5}}
		}
		for _, group := range groups {
			for i, worse := range group[1:] {
				if errors[worse] <= errors[group[i]] {
					t.Errorf("%s: PSNR %.2f at severity %d, %.2f at %d", name, psnr(errors[group[i]]), group[i], psnr(errors[worse]), worse)
				}
			}
		}
	}
}

func psnr(squared float64) float64 { return 10 * math.Log10(255*255/squared) }

func squaredError(t *testing.T, a, b *data.Image) float64 {
	t.Helper()
	p, err := a.Decode()
	if err != nil {
		t.Fatal(err)
	}
	q, err := b.Decode()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for i, v := range p.Data {
		d := float64(v) - float64(q.Data[i])
		sum += d * d
	}
	return sum / float64(len(p.Data))
}

// A picture with a side that JPEG cannot store is stored in parts.
func TestJPEGOfALongPicture(t *testing.T) {
	long := data.NewPixels(1, 65_600)
	for i := range long.Data {
		long.Data[i] = uint8(i / 3 / 300)
	}
	got := apply(t, long, "jpeg_compression", 1)
	end := data.NewPixels(1, 65_600-65_520)
	copy(end.Data, long.Data[3*65_520:])
	if want := apply(t, end, "jpeg_compression", 1); !bytes.Equal(got.Data[3*65_520:], want.Data) {
		t.Error("the last part is not what it is alone")
	}
}

func BenchmarkApply(b *testing.B) {
	p := data.NewPixels(480, 640)
	r := data.RandomStream(1)
	for i := range p.Data {
		p.Data[i] = uint8(i/640 + r.IntN(20))
	}
	for _, name := range corrupt.Names() {
		for _, severity := range []int{1, 3, 5} {
			b.Run(fmt.Sprintf("%s-%d", name, severity), func(b *testing.B) {
				for b.Loop() {
					if _, err := corrupt.Apply(p, name, severity, r); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
