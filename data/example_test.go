package data_test

import (
	"fmt"
	"os"
	"path/filepath"

	"ffslab/data"
	"ffslab/data/box"
	"ffslab/data/corrupt"
)

// animals is a set of generated pictures: two with a cat, one with a bear, one with both.
func animals() *data.Dataset {
	set := &data.Dataset{Name: "animals", Categories: []data.Category{{ID: 1, Name: "cat"}, {ID: 2, Name: "bear"}}}
	for i, classes := range [][]int{{0}, {0}, {1}, {0, 1}} {
		im := data.Image{
			ID: data.ID(i + 1), File: fmt.Sprintf("%d.png", i+1), Width: 40, Height: 30,
			Render: func() (*data.Pixels, error) { return data.NewPixels(30, 40), nil },
		}
		for _, class := range classes {
			b := box.Corners{5, 5, 15, 25}
			im.Instances = append(im.Instances, data.Instance{Box: b, Category: class, Area: b.Area()})
		}
		set.Images = append(set.Images, im)
	}
	return set
}

// A set is written as COCO JSON and opened by its spec. The bear is unknown to a detector of cats.
func ExampleOpen() {
	dir, err := os.MkdirTemp("", "animals")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	set, err := data.SavePictures(animals(), filepath.Join(dir, "images"), nil)
	if err == nil {
		err = data.WriteCOCO(filepath.Join(dir, "all.json"), set)
	}
	if err == nil {
		set, err = data.Open("zoo=coco:"+dir+"/all.json,"+dir+"/images", data.Options{})
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	stats := set.Stats()
	fmt.Printf("%s: %d images, %d objects\n", set.Name, stats.Images, stats.Objects)
	_, err = set.WithClasses([]string{"cat"})
	fmt.Println("measuring it as an inlier set of cats fails:", err != nil)
	// Output:
	// zoo: 4 images, 5 objects
	// measuring it as an inlier set of cats fails: true
}

func ExampleMakeSplit() {
	split, err := data.MakeSplit(animals(), data.SplitOptions{Inliers: []string{"cat"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	r := split.Report
	fmt.Printf("%d inlier images, %d outlier images (%d near), %d with both\n", r.ID, r.OOD, r.Near, r.Mixed)
	// Output: 2 inlier images, 1 outlier images (1 near), 1 with both
}

func ExampleHoldOut() {
	held, err := data.HoldOut(animals(), data.HoldOutOptions{Unknown: []string{"bear"}, Val: 0.5})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("known", held.Known, "unknown", held.Unknown)
	fmt.Println("train", len(held.Train.Images), "val", len(held.Val.Images), "ood", len(held.OOD.Images))
	// Output:
	// known [cat] unknown [bear]
	// train 2 val 1 ood 1
}

// A corrupted set has the same objects; its pictures are corrupted when they are decoded.
func Example_corrupted() {
	foggy, err := corrupt.Choice{Name: "fog", Severity: 3}.Dataset(animals())
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := foggy.Images[0].Decode()
	fmt.Println(foggy.Name, p.Width, p.Height, err)
	// Output: animals+fog-3 40 30 <nil>
}
