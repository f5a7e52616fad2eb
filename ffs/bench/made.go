package bench

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"

	"ffslab/data"
	"ffslab/data/box"
	"ffslab/ffs/eval"
)

// madeSet is an annotated set with detections, made of random numbers with the shape of COCO's
// validation set: about seven objects an image, of them two fifths small, and one in a hundred a
// crowd region; detections that are near an object or anywhere, with ties among their scores.
func madeSet(dir string, images, classes, detections int, seed uint64) (*data.Dataset, []eval.Detection) {
	const objects = 7
	rng := rand.New(rand.NewPCG(seed, 0))
	set := &data.Dataset{Name: "made", ImagesDir: dir}
	for i := range classes {
		set.Categories = append(set.Categories, data.Category{ID: data.ID(i + 1), Name: fmt.Sprintf("class %d", i+1)})
	}
	var found []eval.Detection
	for i := range images {
		name := fmt.Sprintf("%d.jpg", i+1)
		im := data.Image{ID: data.ID(i + 1), File: filepath.Join(dir, name), Width: 640, Height: 480}
		for range rng.IntN(2*objects + 1) {
			around := madeBox(rng, im)
			im.Instances = append(im.Instances, data.Instance{
				Box: around, Category: rng.IntN(classes), Crowd: rng.IntN(100) == 0, Area: around.Area() * (0.5 + rng.Float64()/2),
			})
		}
		set.Images = append(set.Images, im)
		for range detections {
			d := eval.Detection{ImageID: im.ID, CategoryID: data.ID(1 + rng.IntN(classes)), Score: math.Round(1000*rng.Float64()) / 1000}
			around := madeBox(rng, im)
			if len(im.Instances) > 0 && rng.IntN(4) > 0 {
				near := im.Instances[rng.IntN(len(im.Instances))]
				if rng.IntN(4) > 0 {
					d.CategoryID = set.Categories[near.Category].ID
				}
				around = shaken(rng, near.Box)
			}
			d.Box = around.COCO()
			found = append(found, d)
		}
	}
	return set, found
}

// madeBox is a box inside the image, with two decimals as in COCO's files; the logarithm of its
// sides is uniform.
func madeBox(rng *rand.Rand, im data.Image) box.Corners {
	side := func(longest float64) float64 { return math.Exp(math.Log(8) + rng.Float64()*math.Log(longest/8)) }
	w, h := side(float64(im.Width)), side(float64(im.Height))
	x, y := rng.Float64()*(float64(im.Width)-w), rng.Float64()*(float64(im.Height)-h)
	return box.Corners{cents(x), cents(y), cents(x + w), cents(y + h)}
}

// shaken moves the sides of a box by up to a sixth of its size.
func shaken(rng *rand.Rand, b box.Corners) box.Corners {
	w, h := b[2]-b[0], b[3]-b[1]
	for i, size := range [4]float64{w, h, w, h} {
		b[i] = cents(b[i] + (rng.Float64()*2-1)/6*size)
	}
	return b
}

func cents(x float64) float64 { return math.Round(100*x) / 100 }
