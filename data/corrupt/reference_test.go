package corrupt

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"ffslab/data"
	"ffslab/ffs/npz"
)

func reference(t *testing.T, path string) npz.Arrays {
	t.Helper()
	arrays, err := npz.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return arrays
}

// formula is the picture of testdata/reference.py.
func formula(h, w int) *data.Pixels {
	p := data.NewPixels(h, w)
	for y := range h {
		for x := range w {
			disc := 0
			if (x-w/2)*(x-w/2)+(y-h/2)*(y-h/2) < (h/4)*(h/4) {
				disc = 100
			}
			pixel := p.Data[3*(y*w+x):]
			pixel[0] = uint8(128 + disc - y%7*3)
			pixel[1] = uint8((x/8+y/6)%2*140 + (x*y)%97)
			pixel[2] = uint8((x*5 + y*3) % 256)
		}
	}
	return p
}

// Where nothing is random the benchmark's pixels are ours, but for its truncation. It cuts defocus_blur's discs off at severities 4 and 5,
// and its JPEG encoder averages colours and rounds coefficients in its own way.
func TestPixelsAreTheBenchmarks(t *testing.T) {
	want := reference(t, "testdata/reference.npz")
	p := formula(40, 56)
	for _, name := range []string{"defocus_blur", "zoom_blur", "brightness", "contrast", "pixelate", "jpeg_compression", "gaussian_blur", "saturate"} {
		for severity := 1; severity <= MaxSeverity; severity++ {
			got, err := Apply(p, name, severity, rand.New(rand.NewPCG(0, 0)))
			if err != nil {
				t.Fatal(err)
			}
			worst, sum := 0, 0
			pixels := want[fmt.Sprintf("%s.%d", name, severity)].Ints()
			for i, v := range got.Data {
				d := int(v) - pixels[i/3*3+2-i%3] // blue first
				worst, sum = max(worst, d, -d), sum+max(d, -d)
			}
			mean, allowed, allowedMean := float64(sum)/float64(len(pixels)), 1, 0.7
			switch {
			case name == "defocus_blur" && severity >= 4:
				allowed, allowedMean = 3, 1.2
			case name == "jpeg_compression":
				allowed, allowedMean = 64, 3
			}
			if worst > allowed || mean > allowedMean {
				t.Errorf("%s, severity %d: at most %d levels off, %.3f in the mean; allowed %d and %g", name, severity, worst, mean, allowed, allowedMean)
			}
		}
	}
}

// Where the benchmark draws, its results and ours have the same strength, contrast and grain: six standard errors, and a level more for its
// truncation, which darkens by half a level each time it is done. elastic_transform and frost are not those of the package compared with.
func TestStatisticsAreTheBenchmarks(t *testing.T) {
	names := [...]string{"mean", "deviation", "change", "deviation of the change", "difference across", "difference down"}
	want := reference(t, "testdata/statistics.npz")
	p := formula(96, 128)
	for _, name := range []string{"gaussian_noise", "shot_noise", "impulse_noise", "speckle_noise", "glass_blur", "motion_blur", "snow", "fog", "spatter"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			draws, theirs := 40.0, 40.0
			if name == "glass_blur" {
				draws, theirs = 10, 10
			}
			for severity := 1; severity <= MaxSeverity; severity++ {
				var sum, squares [len(names)]float64
				for i := range int(draws) {
					got, err := Apply(p, name, severity, rand.New(rand.NewPCG(uint64(i), 0)))
					if err != nil {
						t.Fatal(err)
					}
					for j, v := range statistics(p, got) {
						sum[j] += v
						squares[j] += v * v
					}
				}
				reference := want[fmt.Sprintf("%s.%d", name, severity)].Float64s()
				for j, what := range names {
					mean := sum[j] / draws
					variance := (squares[j]/draws - mean*mean) * draws / (draws - 1)
					allowed := 6*math.Sqrt(variance/draws+math.Pow(reference[len(names)+j], 2)/theirs) + 0.1
					if what == "mean" || what == "change" {
						allowed++
					}
					if d := mean - reference[j]; math.Abs(d) > allowed {
						t.Errorf("severity %d: %s %.2f, the benchmark's is %.2f, allowed %.2f", severity, what, mean, reference[j], allowed)
					}
				}
			}
		})
	}
}

// statistics are those of testdata/reference.py.
func statistics(before, after *data.Pixels) [6]float64 {
	values, changes := make([]float64, len(after.Data)), make([]float64, len(after.Data))
	var across, down, acrossCount, downCount float64
	line := 3 * after.Width
	for i, v := range after.Data {
		values[i], changes[i] = float64(v), float64(v)-float64(before.Data[i])
		if i%line < line-3 {
			across += math.Abs(float64(after.Data[i+3]) - float64(v))
			acrossCount++
		}
		if i+line < len(after.Data) {
			down += math.Abs(float64(after.Data[i+line]) - float64(v))
			downCount++
		}
	}
	mean, deviation := moments(values)
	change, spread := moments(changes)
	return [6]float64{mean, deviation, change, spread, across / acrossCount, down / downCount}
}

func moments(values []float64) (mean, deviation float64) {
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for _, v := range values {
		deviation += (v - mean) * (v - mean) / float64(len(values))
	}
	return mean, math.Sqrt(deviation)
}
