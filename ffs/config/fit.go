package config

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"ffslab/data"
)

// Bounds of a fitted configuration. With these a step of four images takes 1.2 seconds of CPU time.
const (
	fitPixels               = 140_000 // of a canvas, at most
	fitSide                 = 256     // of a canvas's longer side, at least
	fitEpochs               = 13
	fitLeastSteps           = 1000
	fitMostSteps            = 2400
	fitLeastBox, fitMostBox = 8, 100 // of an image, in a batch
)

// LoadFitted is Load for a training on the set d, which has its own classes. Where the preset
// asks for it (data.fit), it chooses classes, sizes of images, anchors and schedule from the set,
// and says what in notes; what the file or the settings give stays. Without data.fit it is Load.
func LoadFitted(nameOrFile string, d *data.Dataset, settings ...string) (c Config, notes []string, err error) {
	if c, err = Load(nameOrFile, settings...); err != nil || !c.Data.Fit {
		return c, nil, err
	}
	given := c.Model.Classes
	c, err = load(nameOrFile, func(name string) (Config, error) {
		fitted, err := Preset(name)
		if err != nil {
			return Config{}, err
		}
		if slices.Equal(given, fitted.Model.Classes) { // the preset's own
			given = withObjects(d)
		}
		fitted.Model.Classes = given
		return fitted, fitted.fit(d)
	}, settings)
	if err != nil {
		return c, nil, err
	}
	c.Data.Fit = false
	return c, c.fitNotes(d), nil
}

// withObjects are the names of the categories of which the set has an object.
func withObjects(d *data.Dataset) []string {
	without := d.WithoutObjects()
	return slices.DeleteFunc(d.ClassNames(), func(name string) bool { return slices.Contains(without, name) })
}

// fit sets what depends on the training set, but for the classes, which it goes by.
func (c *Config) fit(d *data.Dataset) error {
	long, short := canvasFor(d)
	edge := shortEdge(d, long, short)
	c.Input.MinSizeTrain, c.Input.MaxSizeTrain, c.Input.MinSizeTest, c.Input.MaxSizeTest = []int{edge}, long, edge, long
	c.Input.Canvases = [][2]int{{short, long}, {long, short}}
	if long == short {
		c.Input.Canvases = c.Input.Canvases[:1]
	}

	var sides, ratios []float64 // of the objects of the classes, as the network sees them
	images, most := 0, 0
	transform := data.Transform{ShortEdge: edge, LongEdge: long}
	for _, im := range d.Images {
		objects := transform.Instances(im.Instances, im.Height, im.Width)
		most = max(most, len(objects))
		known := 0
		for _, o := range objects {
			if o.Crowd || !slices.Contains(c.Model.Classes, d.Categories[o.Category].Name) {
				continue
			}
			width, height := o.Box[2]-o.Box[0], o.Box[3]-o.Box[1]
			sides, ratios = append(sides, math.Sqrt(width*height)), append(ratios, height/width)
			known++
		}
		if known > 0 {
			images++
		}
	}
	if len(sides) == 0 {
		return fmt.Errorf("%s: it has no object of the classes %q: give a training set with objects, or its classes (model.classes)", d.Name, c.Model.Classes)
	}
	c.Input.MaxBoxes = min(max(most, fitLeastBox), fitMostBox)
	c.Model.RPN.AnchorSizes, c.Model.RPN.AnchorRatios = anchorSizes(sides), anchorRatios(ratios)

	steps := fitEpochs * images / c.Train.ImagesPerStep / 100 * 100
	c.Train.MaxIter = min(max(steps, fitLeastSteps), fitMostSteps)
	c.Model.Outlier.StartIter = c.Train.MaxIter / 2
	return nil
}

// canvasFor returns the sides of the canvas within fitPixels on which an image of the median
// shape is largest, and of equal ones the smallest.
func canvasFor(d *data.Dataset) (long, short int) {
	var shapes []float64
	for _, im := range d.Images {
		shapes = append(shapes, float64(max(im.Width, im.Height))/float64(min(im.Width, im.Height)))
	}
	shape := quantile(shapes, 0.5)
	const multiple = 32
	best := 0.0
	for l := fitSide; l*multiple <= fitPixels; l += multiple {
		for s := multiple; s <= l && s*l <= fitPixels; s += multiple {
			edge := min(float64(s), float64(l)/shape)
			if edge > best || edge == best && s*l < long*short {
				best, long, short = edge, l, s
			}
		}
	}
	return long, short
}

// shortEdge is the shorter side of an image of the median shape that fills a canvas.
func shortEdge(d *data.Dataset, long, short int) int {
	var edges []float64
	for _, im := range d.Images {
		edges = append(edges, float64(long)*float64(min(im.Width, im.Height))/float64(max(im.Width, im.Height)))
	}
	return min(short, int(quantile(edges, 0.5)))
}

// anchorSizes are five sizes from the smallest objects to the largest (all but a fiftieth at both
// ends), by equal factors, which are between 1.4 and 2.2: sizes that lie closer say the same
// thing twice, an object halfway between sizes further apart overlaps neither.
func anchorSizes(sides []float64) []float64 {
	least, most := max(quantile(sides, 0.02), 4), max(quantile(sides, 0.98), 4)
	factor := min(max(math.Pow(most/least, 0.25), 1.4), 2.2)
	sizes := make([]float64, 5)
	for i := range sizes {
		sizes[i] = math.Round(math.Sqrt(least*most) * math.Pow(factor, float64(i-2)))
	}
	return sizes
}

// anchorRatios are the median ratio of height to width, a lower and a higher one: the medians of
// the lower and the higher third, by the same factor, which is between 1.4 and 2.5.
func anchorRatios(ratios []float64) []float64 {
	factor := min(max(math.Sqrt(quantile(ratios, 5./6)/quantile(ratios, 1./6)), 1.4), 2.5)
	median := min(max(quantile(ratios, 0.5), 0.2), 5)
	rounded := func(v float64) float64 { return math.Round(100*v) / 100 }
	return []float64{rounded(median / factor), rounded(median), rounded(median * factor)}
}

// quantile returns the value under which the share q of the values lies, 1 if there is none.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 1
	}
	values = slices.Sorted(slices.Values(values))
	return values[min(int(q*float64(len(values))), len(values)-1)]
}

// fitNotes says what was chosen.
func (c Config) fitNotes(d *data.Dataset) []string {
	classes := strings.Join(c.Model.Classes[:min(len(c.Model.Classes), 8)], ", ")
	if len(c.Model.Classes) > 8 {
		classes += ", ..."
	}
	in := c.Input
	return []string{
		fmt.Sprintf("%d images, %d classes (%s)", len(d.Images), len(c.Model.Classes), classes),
		fmt.Sprintf("shorter side %s pixels, longer at most %d, canvases %v; anchors %v, height/width %v", strings.Trim(fmt.Sprint(in.MinSizeTrain), "[]"),
			in.MaxSizeTrain, in.Canvases, c.Model.RPN.AnchorSizes, c.Model.RPN.AnchorRatios),
		fmt.Sprintf("%d steps of %d images (%.0f epochs), outliers from step %d (--set changes any of these)", c.Train.MaxIter, c.Train.ImagesPerStep,
			float64(c.Train.MaxIter*c.Train.ImagesPerStep)/float64(max(len(d.Images), 1)), c.Model.Outlier.StartIter),
	}
}
