package data

import (
	"fmt"
	"math"
	"slices"
)

// HoldOutOptions are the options of [HoldOut]. Class names match those of the set up to case and
// word separators.
type HoldOutOptions struct {
	// Known are the classes of the detector, in the order of its logits; all others are unknown. Or
	// Unknown are the classes that it must not know; all others are known, in the order of the set.
	// One of both is empty.
	Known, Unknown []string
	// Val is the share of the images with only known objects that is held out of training, and
	// Mixed that of the images with objects of both kinds, from 0 to 1.
	Val, Mixed float64
	Seed       uint64 // of the choice of images
	SkipEmpty  bool   // leave images without any object out
}

// HeldOut is a set of known and unknown objects, divided for the training and every measurement of
// an open-set detector. Each image is in one part (but see Report.ValOfMixed). All parts have the
// categories of the whole set.
type HeldOut struct {
	Known, Unknown []string // classes; the known ones in the order of the detector's logits
	// Train has the images with a known object, or with none at all. Unknown objects in them
	// remain, for training to treat (see [Dataset.ForTraining]).
	Train *Dataset
	Val   *Dataset // images with only known objects, or none at all
	OOD   *Dataset // all images with only unknown objects
	Mixed *Dataset // images with objects of both kinds, measured object by object

	Report HoldOutReport
}

// HoldOutReport counts the images and objects of [HoldOut], each once.
type HoldOutReport struct {
	Set     string   `json:"set"`
	Seed    uint64   `json:"seed"`
	Known   []string `json:"known"`
	Unknown []string `json:"unknown"`
	// Images counts those of the set: KnownAlone + Both + UnknownAlone + Empty.
	Images       HoldOutParts `json:"images"`
	KnownAlone   HoldOutParts `json:"images_with_known_alone"`
	Both         HoldOutParts `json:"images_with_both"`
	UnknownAlone HoldOutParts `json:"images_with_unknown_alone"`
	Empty        HoldOutParts `json:"images_without_objects"`
	// Objects counts those of each class, including crowd regions, in the order of the set.
	Objects []HoldOutClass `json:"objects"`
	// ValOfMixed says that no image has only known objects. Val then also holds the images of
	// Mixed, without their unknown objects. They are counted in Mixed.
	ValOfMixed bool `json:"val_of_mixed"`
}

// HoldOutClass counts the objects of a class.
type HoldOutClass struct {
	Class   string       `json:"class"`
	Known   bool         `json:"known"`
	Objects HoldOutParts `json:"objects"`
}

// HoldOutParts counts each part; All is the sum of the others.
type HoldOutParts struct {
	Train int `json:"train"`
	Val   int `json:"val"`
	Mixed int `json:"mixed"`
	OOD   int `json:"ood"`
	Left  int `json:"left_out"`
	All   int `json:"all"`
}

// heldPart is the part of an image.
type heldPart int

const (
	toTrain heldPart = iota
	toVal
	toMixed
	toOOD
	leftOut
)

func (p *HoldOutParts) add(part heldPart, n int) {
	*[]*int{&p.Train, &p.Val, &p.Mixed, &p.OOD, &p.Left}[part] += n
	p.All += n
}

// HoldOut divides a set with all classes in one annotation file into the four parts that an
// open-set detector is trained and measured on. The choice of images depends only on the options
// and the set. Of each kind with at least two images, a share between 0 and 1 holds out at least
// one image and leaves at least one, but HoldOut never holds out the last training image with an
// object of a known class. Images without objects are divided like those of known objects. Crowd
// regions count as objects. It is an error if the set lacks a class, if there is no known or no
// unknown class, or if no image would be left to train on.
func HoldOut(d *Dataset, opt HoldOutOptions) (*HeldOut, error) {
	if !(opt.Val >= 0 && opt.Val <= 1 && opt.Mixed >= 0 && opt.Mixed <= 1) {
		return nil, fmt.Errorf("%s: the shares %g and %g cannot be held out: give numbers from 0 to 1", d.Name, opt.Val, opt.Mixed)
	}
	if d.Unlabelled {
		return nil, fmt.Errorf("%s: its objects are not annotated: known and unknown ones cannot be told apart", d.Name)
	}
	known, order, err := knownCategories(d, opt)
	if err != nil {
		return nil, err
	}
	h := &HeldOut{Report: HoldOutReport{Set: d.Name, Seed: opt.Seed}}
	for _, i := range order {
		h.Known = append(h.Known, d.Categories[i].Name)
	}
	r := &h.Report
	for i, c := range d.Categories {
		if !known[i] {
			h.Unknown = append(h.Unknown, c.Name)
		}
		r.Objects = append(r.Objects, HoldOutClass{Class: c.Name, Known: known[i]})
	}
	r.Known, r.Unknown = h.Known, h.Unknown

	kinds := map[*HoldOutParts][]int{} // the images of each kind
	for i, im := range d.Images {
		kind := r.kind(im, known)
		kinds[kind] = append(kinds[kind], i)
	}
	left := newTrainable(d, known)
	places := make([]heldPart, len(d.Images))
	for purpose, division := range []struct {
		kind       *HoldOutParts
		share      float64
		rest, held heldPart
	}{
		{&r.KnownAlone, opt.Val, toTrain, toVal},
		{&r.Both, opt.Mixed, toTrain, toMixed},
		{&r.UnknownAlone, 1, toTrain, toOOD},
		{&r.Empty, opt.Val, toTrain, toVal},
	} {
		images := kinds[division.kind]
		sparing := division.share < 1
		if division.kind == &r.Empty && opt.SkipEmpty {
			division.rest, division.share = leftOut, 0
		}
		held := heldOut(len(images), division.share)
		stream := RandomStream(opt.Seed, purposeHoldOut, uint64(purpose))
		stream.Shuffle(len(images), func(i, j int) { images[i], images[j] = images[j], images[i] })
		for _, image := range images {
			places[image] = division.rest
			if held > 0 && !(sparing && left.needs(d.Images[image])) {
				held--
				left.add(d.Images[image], -1)
				places[image] = division.held
			}
			division.kind.add(places[image], 1)
			r.Images.add(places[image], 1)
			for _, o := range d.Images[image].Instances {
				r.Objects[o.Category].Objects.add(places[image], 1)
			}
		}
	}
	if r.KnownAlone.Train+r.Both.Train == 0 {
		return nil, fmt.Errorf("%s: no image with a known object is left to train on: hold out less than %g of those with known objects alone (%d) and %g of those with both (%d)",
			d.Name, opt.Val, r.KnownAlone.All, opt.Mixed, r.Both.All)
	}
	h.fill(d, places)
	if r.KnownAlone.All == 0 && opt.Val > 0 && r.Both.Mixed > 0 {
		r.ValOfMixed = true
		for _, im := range h.Mixed.Images {
			im.Instances = slices.DeleteFunc(slices.Clone(im.Instances), func(o Instance) bool { return !known[o.Category] })
			h.Val.Images = append(h.Val.Images, im)
		}
	}
	return h, nil
}

// heldOut returns the number of n images in a share.
func heldOut(n int, share float64) int {
	held := int(math.Round(share * float64(n)))
	if share > 0 && share < 1 && n > 1 {
		held = min(max(held, 1), n-1)
	}
	return held
}

// trainable counts, for each known category, the images with an object of it that are left to train
// on.
type trainable map[int]int

func newTrainable(d *Dataset, known []bool) trainable {
	left := trainable{}
	for i := range known {
		if known[i] {
			left[i] = 0
		}
	}
	for _, im := range d.Images {
		left.add(im, 1)
	}
	return left
}

// add counts an image n times for each known category of its objects.
func (left trainable) add(im Image, n int) {
	seen := map[int]bool{}
	for _, o := range im.Instances {
		if _, known := left[o.Category]; known && !o.Crowd && !seen[o.Category] {
			seen[o.Category] = true
			left[o.Category] += n
		}
	}
}

// needs reports whether the image is the last one of a known category.
func (left trainable) needs(im Image) bool {
	return slices.ContainsFunc(im.Instances, func(o Instance) bool { return !o.Crowd && left[o.Category] == 1 })
}

// kind returns the counter for the kind of an image.
func (r *HoldOutReport) kind(im Image, known []bool) *HoldOutParts {
	hasKnown := slices.ContainsFunc(im.Instances, func(o Instance) bool { return known[o.Category] })
	hasUnknown := slices.ContainsFunc(im.Instances, func(o Instance) bool { return !known[o.Category] })
	switch {
	case hasKnown && hasUnknown:
		return &r.Both
	case hasKnown:
		return &r.KnownAlone
	case hasUnknown:
		return &r.UnknownAlone
	}
	return &r.Empty
}

// fill creates the parts, each with its images in the order of the set.
func (h *HeldOut) fill(d *Dataset, places []heldPart) {
	part := func(name string, at heldPart) *Dataset {
		out := *d
		out.Name, out.Images = fmt.Sprintf("%s (%s)", d.Name, name), nil
		for i, im := range d.Images {
			if places[i] == at {
				out.Images = append(out.Images, im)
			}
		}
		return &out
	}
	h.Train, h.Val, h.Mixed, h.OOD = part("train", toTrain), part("val", toVal), part("mixed", toMixed), part("ood", toOOD)
}

// knownCategories returns which categories are known, and their indices in the order of the
// detector.
func knownCategories(d *Dataset, opt HoldOutOptions) (known []bool, order []int, err error) {
	named := opt.Known
	if len(named) == 0 {
		named = opt.Unknown
	}
	if len(named) == 0 || len(opt.Known) > 0 && len(opt.Unknown) > 0 {
		return nil, nil, fmt.Errorf("%s: name either the known or the unknown classes", d.Name)
	}
	var listed []int
	for _, name := range named {
		i := slices.IndexFunc(d.Categories, func(c Category) bool { return plainWord(c.Name) == plainWord(name) })
		if i < 0 {
			return nil, nil, fmt.Errorf("%s: it has no class %q: its classes are %q", d.Name, name, d.ClassNames())
		}
		if slices.Contains(listed, i) {
			return nil, nil, fmt.Errorf("%s: class %q is named twice", d.Name, name)
		}
		listed = append(listed, i)
	}
	known = make([]bool, len(d.Categories))
	for i := range known {
		known[i] = slices.Contains(listed, i) == (len(opt.Known) > 0)
		if known[i] && len(opt.Known) == 0 {
			order = append(order, i)
		}
	}
	if len(opt.Known) > 0 {
		order = listed
	}
	if len(order) == 0 || len(order) == len(known) {
		return nil, nil, fmt.Errorf("%s: %d of its %d classes are known: there must be known and unknown ones", d.Name, len(order), len(known))
	}
	return known, order, nil
}
