// Package corrupt corrupts pictures in the 19 ways of the common-corruptions benchmark (Hendrycks
// and Dietterich, Benchmarking Neural Network Robustness to Common Corruptions and Perturbations,
// ICLR 2019), each at five severities.
//
// The numbers behind the severities are the benchmark's (its imagenet_c package). They were chosen
// for pictures of 224x224 pixels. As in VOS, which applies them to whole photographs, lengths stay
// the same number of pixels whatever the size of the picture, except where a function here says
// otherwise. Values are computed in floating point and rounded once, to the nearest level; the
// benchmark truncates, and rounds some intermediate results to 8 bits. Results cannot equal the
// benchmark's, which depend on NumPy's global random state. They are equal in distribution, as
// tests against the Python package imagecorruptions show, except for these differences, which the
// functions explain:
//
//   - frost needs photographs of frost; ours is drawn
//   - fog is not a crop of one 256x256 map, but of one that is larger than the picture
//   - elastic_transform shrinks its lengths for pictures smaller than the benchmark's, and draws
//     again what would turn a picture inside out
//   - motion_blur and snow follow ImageMagick's rule for motion blur, as imagecorruptions does,
//     without its 16-bit arithmetic
//   - jpeg_compression uses Go's encoder, whose cosine transform rounds differently from libjpeg's
//
// Objects stay where they are annotated, as in the original, but elastic_transform moves the
// content: around the centre of the picture by up to 24 and 49 pixels in both directions at
// severities 1 and 2, by 5 at the others, and by more towards the corners. At severities 1 and 2 a
// detector's score says more about the benchmark than about the detector.
package corrupt

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"ffslab/data"
)

// MaxSeverity is the highest severity; the lowest is 1.
const MaxSeverity = 5

// corruption corrupts a picture without changing its argument.
type corruption struct {
	name  string
	apply func(p *data.Pixels, severity int, r *rand.Rand) *data.Pixels
}

// corruptions are in the order of the benchmark, on which the mixed corruption of a set depends:
// the 15 for testing, then the 4 for validation.
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

// Apply returns a corrupted copy of the picture, of the same size, with randomness drawn from r. An
// empty picture is returned unchanged. The error lists the valid names or severities.
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
