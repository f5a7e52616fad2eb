// Package corrupt damages pictures in the 19 ways of the common-corruptions benchmark (Hendrycks and Dietterich, Benchmarking
// Neural Network Robustness to Common Corruptions and Perturbations, ICLR 2019), each at five severities.
//
// The numbers behind the severities are the benchmark's (its imagenet_c package). They were chosen for pictures of 224x224
// pixels; as in VOS, which applies them to whole photographs, lengths stay as many pixels whatever the picture's size, except where a file here
// says otherwise. Everything is computed in floating point and rounded once, to the nearest level, where
// the benchmark truncates, and in between rounds to 8 bits here and there. Pictures cannot be equal to the benchmark's, which depend on NumPy's global
// random state: they are equal in distribution, but for these differences, which the functions explain (testdata/reference.py compares with the
// package imagecorruptions):
//
//   - frost needs photographs of frost; ours is drawn
//   - fog is not a crop of one 256x256 map, but of one that is larger than the picture
//   - elastic_transform shrinks its lengths for pictures smaller than the benchmark's, and draws again what would turn a picture inside out
//   - defocus_blur's kernels at severities 4 and 5 are not cut off
//   - motion_blur and snow follow the rule of ImageMagick's motion blur, as far as we know it, without its 16-bit arithmetic
//   - jpeg_compression is that of Go's encoder
//
// Objects stay where they are annotated, as in the original. elastic_transform moves what is to be seen away from there: around the picture's
// middle by up to 24 and 49 pixels in both directions at severities 1 and 2, by 5 at the others, and by more towards the corners. What a
// detector scores on it at 1 and 2 says more about the benchmark than about the detector.
package corrupt

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"ffslab/data"
)

// MaxSeverity is the severity of the worst damage; the least is 1.
const MaxSeverity = 5

// corruption damages a picture. It does not change its argument.
type corruption struct {
	name  string
	apply func(p *data.Pixels, severity int, r *rand.Rand) *data.Pixels
}

// corruptions are in the order of the benchmark, which the mixed corruption of a set counts on: the 15 that it tests on, then the 4 that it
// leaves for validation.
var corruptions = []corruption{
	{"gaussian_noise", gaussianNoise},
	{"shot_noise", shotNoise},
	{"impulse_noise", impulseNoise},
	{"defocus_blur", defocusBlur},
	{"glass_blur", glassBlur},
	{"motion_blur", motionBlur},
	{"zoom_blur", zoomBlur},
	{"snow", snow},
	{"frost", frost},
	{"fog", fog},
	{"brightness", brightness},
	{"contrast", contrast},
	{"elastic_transform", elasticTransform},
	{"pixelate", pixelate},
	{"jpeg_compression", jpegCompression},
	{"speckle_noise", speckleNoise},
	{"gaussian_blur", gaussianBlur},
	{"spatter", spatter},
	{"saturate", saturate},
}

// Names returns the names of the corruptions in the benchmark's order.
func Names() []string {
	names := make([]string, len(corruptions))
	for i, c := range corruptions {
		names[i] = c.name
	}
	return names
}

// find returns the corruption's place in the benchmark's order.
func find(name string) (int, error) {
	i := slices.IndexFunc(corruptions, func(c corruption) bool { return c.name == name })
	if i < 0 {
		return 0, fmt.Errorf("there is no corruption %q: give one of %s", name, strings.Join(Names(), ", "))
	}
	return i, nil
}

func checkSeverity(severity int) error {
	if severity < 1 || severity > MaxSeverity {
		return fmt.Errorf("a corruption of severity %d is not possible: give 1 to %d", severity, MaxSeverity)
	}
	return nil
}

// Apply returns a damaged copy of the picture, of the same size. Whatever is random is drawn from r. The error tells the valid names or
// severities. An empty picture stays as it is.
func Apply(p *data.Pixels, name string, severity int, r *rand.Rand) (*data.Pixels, error) {
	i, err := find(name)
	if err != nil {
		return nil, err
	}
	if err := checkSeverity(severity); err != nil {
		return nil, err
	}
	return apply(p, i, severity, r), nil
}

func apply(p *data.Pixels, number, severity int, r *rand.Rand) *data.Pixels {
	if p.Height == 0 || p.Width == 0 {
		return p
	}
	return corruptions[number].apply(p, severity, r)
}
