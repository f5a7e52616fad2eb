package data

import (
	"fmt"
	"slices"
)

// Purposes of random streams; streams of different purposes never coincide.
const (
	purposeOrder = iota
	purposeTransform
	purposeHoldOut
)

// order deals the pictures of endless shuffled epochs into batches. As in the original, a batch
// holds only wide or only high pictures, so that they share a canvas without much padding. Pictures
// wait in their group until it fills a batch, so that none is skipped.
type order struct {
	cfg     *Config
	images  []int  // pictures to deal, as indices into the data set
	high    []bool // by index into the data set: higher than wide
	epoch   uint64
	rest    []int // pictures left in this epoch
	waiting [2][]int
	step    int
}

// newOrder prepares the batches of a training from step cfg.FirstStep. It deals and drops earlier
// steps, which takes microseconds each, since no picture is read.
func newOrder(d *Dataset, cfg *Config) (*order, error) {
	o := &order{cfg: cfg, high: make([]bool, len(d.Images))}
	for i := range d.Images {
		im := &d.Images[i]
		o.high[i] = im.Height > im.Width
		if !cfg.SkipEmpty || slices.ContainsFunc(im.Instances, func(inst Instance) bool { return !inst.Crowd }) {
			o.images = append(o.images, i)
		}
	}
	if len(o.images) == 0 {
		return nil, fmt.Errorf("%s: no image to train on", d.Name)
	}
	if err := o.checkCanvases(d); err != nil {
		return nil, err
	}
	for o.step < cfg.FirstStep {
		o.deal()
	}
	return o, nil
}

// checkCanvases checks that some canvas holds any pictures that may come together.
func (o *order) checkCanvases(d *Dataset) error {
	for _, high := range []bool{false, true} {
		height, width, example := 0, 0, ""
		for _, i := range o.images {
			if o.high[i] != high {
				continue
			}
			for _, short := range o.cfg.ShortEdges {
				h, w := ShortestEdge(d.Images[i].Height, d.Images[i].Width, short, o.cfg.LongEdge)
				if h > height || w > width {
					height, width, example = max(h, height), max(w, width), d.Images[i].File
				}
			}
		}
		if _, err := smallestCanvas(o.cfg.Canvases, height, width); err != nil {
			return fmt.Errorf("%s (for example %s): %w", d.Name, example, err)
		}
	}
	return nil
}

// deal returns the pictures of the next step.
func (o *order) deal() []int {
	o.step++
	for {
		if len(o.rest) == 0 {
			o.rest = slices.Clone(o.images)
			r := RandomStream(o.cfg.Seed, purposeOrder, o.epoch)
			r.Shuffle(len(o.rest), func(i, j int) { o.rest[i], o.rest[j] = o.rest[j], o.rest[i] })
			o.epoch++
		}
		i := o.rest[0]
		o.rest = o.rest[1:]
		group := &o.waiting[0]
		if o.high[i] {
			group = &o.waiting[1]
		}
		if *group = append(*group, i); len(*group) == o.cfg.BatchSize {
			batch := *group
			*group = nil
			return batch
		}
	}
}

// next returns the recipes of the next step: its pictures, each with a random scale and flip.
func (o *order) next() ([]recipe, bool) {
	r := RandomStream(o.cfg.Seed, purposeTransform, uint64(o.step))
	recipes := make([]recipe, 0, o.cfg.BatchSize)
	for _, i := range o.deal() {
		t := Transform{ShortEdge: o.cfg.ShortEdges[r.IntN(len(o.cfg.ShortEdges))], LongEdge: o.cfg.LongEdge}
		t.Flip = o.cfg.Flip && r.IntN(2) == 1
		recipes = append(recipes, recipe{i, t})
	}
	return recipes, true
}

// passOrder returns the batches of one pass over the data set: pictures with the same smallest
// canvas together, in their order in the set.
func passOrder(d *Dataset, cfg *Config) ([][]recipe, error) {
	t := Transform{ShortEdge: cfg.ShortEdges[0], LongEdge: cfg.LongEdge}
	groups := make(map[Canvas][]recipe, len(cfg.Canvases))
	for i := range d.Images {
		im := &d.Images[i]
		h, w := t.Size(im.Height, im.Width)
		c, err := smallestCanvas(cfg.Canvases, h, w)
		if err != nil {
			return nil, fmt.Errorf("%s (image %s): %w", d.Name, im.File, err)
		}
		groups[c] = append(groups[c], recipe{i, t})
	}
	var batches [][]recipe
	for _, c := range cfg.Canvases {
		batches = slices.AppendSeq(batches, slices.Chunk(groups[c], cfg.BatchSize))
		delete(groups, c) // in case a canvas is listed twice
	}
	return batches, nil
}

// EvalBatches returns the indices of the images that [Eval] puts into each batch.
func EvalBatches(d *Dataset, cfg Config) ([][]int, error) {
	if err := cfg.check(d); err != nil {
		return nil, err
	}
	batches, err := passOrder(d, &cfg)
	if err != nil {
		return nil, err
	}
	images := make([][]int, len(batches))
	for n, batch := range batches {
		for _, r := range batch {
			images[n] = append(images[n], r.index)
		}
	}
	return images, nil
}
