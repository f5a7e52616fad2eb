package explore

import (
	"cmp"
	"fmt"
	"image"
	"maps"
	"math"
	"path/filepath"
	"slices"

	"ffslab/data"
	"ffslab/ffs/protocol/pictures"
	"ffslab/viz"
)

// SetTable lists the numbers of images, objects and classes of each set.
func SetTable(sets []*data.Dataset) *Table {
	t := newTable("data set", "images", "without objects", "objects", "objects per image", "classes")
	for _, set := range sets {
		objects, empty := 0, 0
		for _, im := range set.Images {
			objects += len(im.Instances)
			if len(im.Instances) == 0 {
				empty++
			}
		}
		t.Add(set.Name, fmt.Sprint(len(set.Images)), fmt.Sprint(empty), fmt.Sprint(objects),
			fmt.Sprintf("%.1f", float64(objects)/float64(max(1, len(set.Images)))), fmt.Sprint(len(classCounts(set))))
	}
	return t
}

// classCount is a class with the number of its objects in a set.
type classCount struct {
	name  string
	count int
}

// classCounts counts the objects of each class that occurs, in the order of the categories.
func classCounts(set *data.Dataset) []classCount {
	counts := make([]classCount, len(set.Categories))
	for i, c := range set.Categories {
		counts[i].name = c.Name
	}
	for _, im := range set.Images {
		for _, o := range im.Instances {
			counts[o.Category].count++
		}
	}
	return slices.DeleteFunc(counts, func(c classCount) bool { return c.count == 0 })
}

// maxClasses is the largest number of bars in a panel.
const maxClasses = 16

// ClassCounts draws the number of objects of each class, one panel for each set. If there are more
// than 16 classes, the last bar sums up the rarest.
func ClassCounts(sets []*data.Dataset) (*viz.Figure, error) {
	var panels []*viz.Figure
	for _, set := range sets {
		counts := classCounts(set)
		if len(counts) == 0 {
			continue
		}
		if len(counts) > maxClasses {
			slices.SortStableFunc(counts, func(a, b classCount) int { return cmp.Compare(b.count, a.count) })
			rest := 0
			for _, c := range counts[maxClasses-1:] {
				rest += c.count
			}
			others := fmt.Sprintf("%d others", len(counts)-maxClasses+1)
			counts = append(counts[:maxClasses-1:maxClasses-1], classCount{others, rest})
		}
		bars := viz.Bars{Title: set.Label(), YLabel: "objects", Groups: []viz.BarGroup{{Name: "objects"}}}
		for _, c := range counts {
			bars.Categories = append(bars.Categories, c.name)
			bars.Groups[0].Values = append(bars.Groups[0].Values, float64(c.count))
		}
		panel, err := bars.Figure()
		if err != nil {
			return nil, err
		}
		panels = append(panels, panel)
	}
	caption := viz.Caption("Annotated objects of each class, one panel for each set. The number of objects stands over the bar.")
	return caption.Under(viz.Panels("the sets hold no objects", panels...))
}

// ObjectSizes draws the distribution of object sizes of each set. The size is the square root of
// the box's area in pixels of the original image, on a logarithmic axis.
func ObjectSizes(sets []*data.Dataset) (*viz.Figure, error) {
	var groups []viz.Group
	for _, set := range sets {
		var sizes []float64
		for _, im := range set.Images {
			for _, o := range im.Instances {
				if area := (o.Box[2] - o.Box[0]) * (o.Box[3] - o.Box[1]); area > 0 {
					sizes = append(sizes, math.Sqrt(area))
				}
			}
		}
		if len(sizes) > 0 {
			groups = append(groups, viz.Group{Name: set.Label(), Values: sizes})
		}
	}
	if len(groups) == 0 {
		return nil, nothing("the sets hold no objects")
	}
	caption := viz.Caption("Sizes of the annotated objects in the original images, one colour for each set. The bins have equal widths on the logarithmic axis.")
	return caption.Under(viz.Histogram{XLabel: "object size √(width · height) (pixels)", Groups: groups, Bins: 16, LogX: true}.Figure())
}

// Sheet draws the first n images of a set with their annotations, three in a row.
func Sheet(set *data.Dataset, n int) (*viz.Figure, error) {
	var shots []viz.Shot
	for i := range set.Images[:min(n, len(set.Images))] {
		view, err := set.Images[i].View(pictures.ShownSide)
		if err != nil {
			return nil, err
		}
		shots = append(shots, viz.Shot{Image: view, Boxes: pictures.Truth(set, i), Caption: filepath.Base(set.Images[i].File)})
	}
	if len(shots) == 0 {
		return nil, nothing("%s holds no images", set.Name)
	}
	caption := viz.Caption(fmt.Sprintf("%s: the first %d of %d images.", set.Label(), len(shots), len(set.Images)))
	return caption.Under(viz.DetectionSheet(shots, 3))
}

// Crops draws objects of a set, cut out with a margin: up to perClass objects of each of the first
// classes that occur.
func Crops(set *data.Dataset, classes, perClass int) (*viz.Figure, error) {
	wanted := map[int]int{} // objects still to be found, by class
	for i, c := range set.Categories {
		occurs := slices.ContainsFunc(classCounts(set), func(n classCount) bool { return n.name == c.Name })
		if occurs && len(wanted) < classes {
			wanted[i] = perClass
		}
	}
	crops := map[int][]image.Image{}
	for i := range set.Images {
		var decoded image.Image
		for _, o := range set.Images[i].Instances {
			if wanted[o.Category] == 0 || o.Box[2] <= o.Box[0] || o.Box[3] <= o.Box[1] {
				continue
			}
			if decoded == nil {
				pixels, err := set.Images[i].Decode()
				if err != nil {
					return nil, err
				}
				decoded = pixels.Image()
			}
			crop, err := pictures.CropDecoded(set.Images[i], decoded, o.Box)
			if err != nil {
				return nil, err
			}
			crops[o.Category] = append(crops[o.Category], crop)
			wanted[o.Category]--
		}
	}
	var images []image.Image
	var captions []string
	for _, class := range slices.Sorted(maps.Keys(crops)) {
		for _, crop := range crops[class] {
			images, captions = append(images, crop), append(captions, set.Categories[class].Name)
		}
	}
	if len(images) == 0 {
		return nil, nothing("%s holds no objects", set.Name)
	}
	return viz.Caption(set.Label() + ": objects cut out of their images.").Under(viz.ContactSheet(images, captions, perClass))
}
