package data

import (
	"fmt"
	"slices"
)

// SplitOptions are the options of [MakeSplit]. Class names are compared by [Words.Same].
type SplitOptions struct {
	Inliers    []string // classes of the detector, in the order of its logits
	NotInliers []string // classes of the data set that are not inliers despite their names (COCO's mouse is not an animal)
	Near, Far  []string // classes of the data set that are near or far outliers, whatever the word list says
	Words      *Words   // nil means DefaultWords
	SkipEmpty  bool     // leave images without objects out of the outlier sets
}

// Split is a data set divided by what a detector knows.
type Split struct {
	// ID holds the images with only objects of inlier classes, with the categories of the detector:
	// ids 1, 2, ... in its order.
	ID *Dataset
	// OOD holds the images without an object of an inlier class, with the remaining categories
	// under their ids.
	OOD *Dataset
	// Near and Far divide the images of OOD with objects: those of Near have an object of a near
	// class.
	Near, Far *Dataset
	Report    SplitReport
}

// SplitReport counts the images of [MakeSplit]: Images = ID + OOD + Mixed + Skipped, and OOD = Near
// + Far + Empty - Skipped.
type SplitReport struct {
	Set     string `json:"set"`
	Images  int    `json:"images"`
	ID      int    `json:"id"`
	OOD     int    `json:"ood"`
	Near    int    `json:"near"`
	Far     int    `json:"far"`
	Mixed   int    `json:"mixed"`         // images with objects of both kinds, in no split
	Empty   int    `json:"empty"`         // images without objects
	Skipped int    `json:"skipped_empty"` // empty images that were left out
	// Overlaps are the classes of the data set that are inliers, which were removed from OOD.
	Overlaps []Overlap `json:"overlaps"`
	// Outliers are its other classes that have an object.
	Outliers []OutlierClass `json:"outliers"`
	// Absent are the inlier classes that no class of the data set belongs to.
	Absent []string `json:"absent_inliers"`
}

// Overlap is a class of the data set that is an inlier class.
type Overlap struct {
	Class   string `json:"class"`
	Inlier  string `json:"inlier"`
	Why     string `json:"why"`
	Images  int    `json:"images"`
	Objects int    `json:"objects"`
}

// OutlierClass is a class of the data set that the detector does not know.
type OutlierClass struct {
	Class   string `json:"class"`
	Near    bool   `json:"near"`
	Why     string `json:"why"`
	Images  int    `json:"images"`   // in which it occurs, in the whole data set
	Kept    int    `json:"kept"`     // of these, how many are in OOD
	Objects int    `json:"objects"`  // in the whole data set
	Known   bool   `json:"in_words"` // the word list or the options name it; otherwise it counts as far
}

// MakeSplit divides the images of a data set by what a detector of opt.Inliers knows: images with
// only inlier objects, images without any (the outlier set of the protocol), and images with both,
// which it only counts. Crowd regions count as objects. An outlier class is near if opt says so or
// if the word list has it in a group with an inlier class, and far otherwise. d and the pictures
// are not changed. It is an error if there are no inlier classes, if one is named twice, or if an
// option names a class that d does not have.
func MakeSplit(d *Dataset, opt SplitOptions) (*Split, error) {
	if opt.Words == nil {
		opt.Words = DefaultWords()
	}
	kinds, err := classify(d, opt)
	if err != nil {
		return nil, err
	}
	part := func(name string, categories []Category) *Dataset {
		return &Dataset{Name: d.Name + " (" + name + ")", Annotations: d.Annotations, ImagesDir: d.ImagesDir, Categories: categories, Kept: d.Kept}
	}
	categories, _ := numbered(opt.Inliers)
	outliers := kinds.outlierCategories(d)
	s := &Split{ID: part("inliers", categories), OOD: part("outliers", outliers), Near: part("near outliers", outliers), Far: part("far outliers", outliers),
		Report: SplitReport{Set: d.Name, Images: len(d.Images), Overlaps: []Overlap{}, Outliers: []OutlierClass{}, Absent: []string{}}}
	for _, im := range d.Images {
		inliers, near := 0, false
		seen := map[int]bool{}
		for _, o := range im.Instances {
			k := &kinds[o.Category]
			if k.objects++; !seen[o.Category] {
				seen[o.Category] = true
				k.images++
			}
			if k.inlier >= 0 {
				inliers++
			}
			near = near || k.near
		}
		switch {
		case len(im.Instances) == 0 && opt.SkipEmpty:
			s.Report.Empty++
			s.Report.Skipped++
			continue
		case len(im.Instances) == 0:
			s.Report.Empty++
		case inliers == len(im.Instances):
			s.ID.Images = append(s.ID.Images, im.recast(func(c int) int { return kinds[c].inlier }))
			continue
		case inliers > 0:
			s.Report.Mixed++
			continue
		}
		out := im.recast(func(c int) int { return kinds[c].outlier })
		s.OOD.Images = append(s.OOD.Images, out)
		for c := range seen {
			kinds[c].kept++
		}
		switch {
		case near:
			s.Near.Images = append(s.Near.Images, out)
		case len(im.Instances) > 0:
			s.Far.Images = append(s.Far.Images, out)
		}
	}
	r := &s.Report
	r.ID, r.OOD, r.Near, r.Far = len(s.ID.Images), len(s.OOD.Images), len(s.Near.Images), len(s.Far.Images)
	kinds.report(d, opt, r)
	return s, nil
}

// recast returns a copy of the image with the categories of its objects mapped.
func (im Image) recast(category func(int) int) Image {
	instances := make([]Instance, len(im.Instances))
	for i, o := range im.Instances {
		o.Category = category(o.Category)
		instances[i] = o
	}
	im.Instances = instances
	return im
}

// classKind is what a category of the data set is to the detector.
type classKind struct {
	inlier  int // index of the class that it belongs to; -1 for an outlier
	outlier int // index among the outlier categories; -1 for an inlier
	near    bool
	known   bool
	why     string

	images, kept, objects int
}

type classKinds []classKind

func classify(d *Dataset, opt SplitOptions) (classKinds, error) {
	if len(opt.Inliers) == 0 {
		return nil, fmt.Errorf("%s: a split needs the names of the inlier classes", d.Name)
	}
	place := map[string]int{}
	for i, name := range opt.Inliers {
		if _, twice := place[name]; twice || plainWord(name) == "" {
			return nil, fmt.Errorf("%s: the inlier class %q is empty or named twice", d.Name, name)
		}
		place[name] = i
	}
	has := func(names []string, class string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return plainWord(n) == plainWord(class) })
	}
	for _, names := range [][]string{opt.NotInliers, opt.Near, opt.Far} {
		for _, name := range names {
			if !slices.ContainsFunc(d.Categories, func(c Category) bool { return has([]string{name}, c.Name) }) {
				return nil, fmt.Errorf("%s: it has no class %q", d.Name, name)
			}
			if has(opt.Near, name) && has(opt.Far, name) {
				return nil, fmt.Errorf("%s: class %q cannot be near and far", d.Name, name)
			}
		}
	}
	meant := newMeanings(d, opt)
	kinds := make(classKinds, len(d.Categories))
	outliers := 0
	for i, c := range d.Categories {
		k := &kinds[i]
		k.inlier, k.outlier = -1, -1
		if !has(opt.NotInliers, c.Name) && !has(opt.Near, c.Name) && !has(opt.Far, c.Name) {
			if k.inlier, k.why = meant.inlier(c.Name); k.inlier >= 0 {
				continue
			}
		}
		k.outlier = outliers
		outliers++
		group, known := opt.Words.Alike(meant.classes[c.Name], meant.inliers)
		switch {
		case has(opt.Near, c.Name):
			k.near, k.known, k.why = true, true, "named"
		case has(opt.Far, c.Name):
			k.known, k.why = true, "named"
		case group != "":
			k.near, k.known, k.why = true, true, "in the group "+group
		case known:
			k.known, k.why = true, "in no group with an inlier class"
		default:
			k.why = "not in the word list"
		}
	}
	return kinds, nil
}

// meanings are the class names of a set and of the inliers in the senses that they have there.
type meanings struct {
	opt     SplitOptions
	classes map[string]string
	inliers []string
}

func newMeanings(d *Dataset, opt SplitOptions) meanings {
	m := meanings{opt: opt, classes: map[string]string{}}
	names := d.ClassNames()
	for _, name := range names {
		m.classes[name] = opt.Words.Sense(name, names)
	}
	beside := opt.Inliers
	if !slices.ContainsFunc(opt.Inliers, func(name string) bool { return !slices.Contains(names, name) }) {
		beside = names // the inliers are classes of this very set
	}
	for _, name := range opt.Inliers {
		m.inliers = append(m.inliers, opt.Words.Sense(name, beside))
	}
	return m
}

// inlier returns the index of the inlier class that an object of the class is or may be, and why
// (see [Words.Same]); -1 if there is none. Equal names are the same class even in different senses,
// since only the words of a detector are known.
func (m meanings) inlier(class string) (place int, why string) {
	for i, name := range m.opt.Inliers {
		if plainWord(name) == plainWord(class) {
			return i, "the same name"
		}
	}
	name, why, ok := m.opt.Words.Same(m.classes[class], m.inliers)
	if !ok {
		return -1, ""
	}
	return slices.Index(m.inliers, name), why
}

func (kinds classKinds) outlierCategories(d *Dataset) []Category {
	var categories []Category
	for i, c := range d.Categories {
		if kinds[i].outlier >= 0 {
			categories = append(categories, c)
		}
	}
	return categories
}

// report adds what became of the classes.
func (kinds classKinds) report(d *Dataset, opt SplitOptions, r *SplitReport) {
	matched := map[int]bool{}
	for i, k := range kinds {
		name := d.Categories[i].Name
		switch {
		case k.inlier >= 0:
			matched[k.inlier] = true
			r.Overlaps = append(r.Overlaps, Overlap{name, opt.Inliers[k.inlier], k.why, k.images, k.objects})
		case k.objects > 0:
			r.Outliers = append(r.Outliers, OutlierClass{Class: name, Near: k.near, Why: k.why, Images: k.images, Kept: k.kept, Objects: k.objects, Known: k.known})
		}
	}
	for i, name := range opt.Inliers {
		if !matched[i] {
			r.Absent = append(r.Absent, name)
		}
	}
}
