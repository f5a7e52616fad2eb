package explore

import (
	"fmt"
	"image"
	"path/filepath"
	"slices"

	"ffslab/data"
	"ffslab/ffs/protocol/pictures"
	"ffslab/viz/explorer"
)

// addObjects adds the inliers by class and then the outlier sets, evenly spaced objects of each.
func (b *explorerBuilder) addObjects() error {
	known := evenly(len(b.v.inliers.Rows), explorerKnown)
	for class, name := range b.v.inliers.Classes {
		var all, shown []int
		for i, c := range b.v.inliers.Class {
			if c == class {
				all = append(all, i)
			}
		}
		for _, i := range known {
			if b.v.inliers.Class[i] == class {
				shown = append(shown, i)
			}
		}
		if err := b.addGroup(b.v.sets[0], b.v.inliers, realGroup{name: name}, all, shown); err != nil {
			return err
		}
	}
	for k, f := range b.v.unknown {
		shown := evenly(len(f.Rows), explorerUnknown)
		if err := b.addGroup(b.v.sets[k+1], f, realGroup{name: f.Set, unknown: true}, evenly(len(f.Rows), len(f.Rows)), shown); err != nil {
			return err
		}
	}
	b.addNeighbours()
	return nil
}

// addGroup adds a group with the objects of a set at the indices shown, unless there are none.
func (b *explorerBuilder) addGroup(set *data.Dataset, f *Features, g realGroup, all, shown []int) error {
	if len(shown) == 0 {
		return nil
	}
	g.first = len(b.real)
	for _, i := range all {
		g.all = append(g.all, f.Rows[i])
	}
	page := explorer.Group{Name: g.name, Unknown: g.unknown}
	for _, i := range shown {
		g.shown = append(g.shown, f.Rows[i])
		o := explorer.Object{NLL: f.NLL[i], Energy: f.Energy[i], Source: imageName(set, f.Image[i]), Box: f.Box[i]}
		pixels, err := set.Images[f.Image[i]].Decode()
		if err != nil {
			return err
		}
		if o.Crop, err = pictures.CropDecoded(set.Images[f.Image[i]], pixels.Image(), f.Box[i]); err != nil {
			return err
		}
		place := imagePlace{set, f.Image[i]}
		picture, ok := b.pictures[place]
		if !ok {
			picture = len(b.page.Pictures)
			b.pictures[place] = picture
			b.page.Pictures = append(b.page.Pictures, explorer.NewPicture(pixels.Image()))
		}
		o.Picture = picture
		if g.unknown {
			o.Label = f.Classes[f.Class[i]]
		}
		page.Objects = append(page.Objects, o)
	}
	positions, err := b.axes.Apply(widen(g.shown))
	if err != nil {
		return err
	}
	self := shown
	if g.unknown {
		self = nil
	}
	values, err := b.values(g.shown, self)
	if err != nil {
		return err
	}
	for i := range page.Objects {
		page.Objects[i].Position, page.Objects[i].Values = positions[i], values[i]
	}
	b.page.Groups, b.groups, b.real = append(b.page.Groups, page), append(b.groups, g), append(b.real, g.shown...)
	return nil
}

// imageName returns the name of an image in exports.
func imageName(set *data.Dataset, i int) string {
	if file := set.Images[i].File; file != "" {
		return fmt.Sprintf("%s, %s", set.Label(), filepath.Base(file))
	}
	return fmt.Sprintf("%s, image %v", set.Label(), set.Images[i].ID)
}

// addNeighbours sets the nearest other objects of every object on the page.
func (b *explorerBuilder) addNeighbours() {
	b.nearest = newNearestFinder(b.real)
	near := b.nearest.find(b.real, explorerNear+1)
	k := min(explorerNear, len(b.real)-1)
	at := 0
	for g := range b.page.Groups {
		for i := range b.page.Groups[g].Objects {
			others := slices.DeleteFunc(near[at], func(other int) bool { return other == at })
			b.page.Groups[g].Objects[i].Nearest = others[:k]
			at++
		}
	}
}

// cropOf returns an object cut out of its image.
func cropOf(set *data.Dataset, f *Features, i int) (image.Image, error) {
	return pictures.Crop(set.Images[f.Image[i]], f.Box[i])
}

// evenly returns up to limit of the numbers 0 ... n-1, evenly spaced.
func evenly(n, limit int) []int {
	limit = min(n, limit)
	places := make([]int, limit)
	for i := range places {
		places[i] = i * n / limit
	}
	return places
}
