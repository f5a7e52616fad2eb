package data

import (
	"fmt"
	"maps"
	"slices"
)

// classLists are the classes of the inlier sets, in the order of a model's logits.
var classLists = map[string][]string{
	// PASCAL VOC's 20 in the words of COCO.
	"voc": {
		"person", "bird", "cat", "cow", "dog", "horse", "sheep", "airplane", "bicycle", "boat", "bus", "car", "motorcycle", "train",
		"bottle", "chair", "dining table", "potted plant", "couch", "tv",
	},
	"bdd100k": {"pedestrian", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle"},
	// YouTube-VIS 2021's 40, in its own words.
	"youtube-vis": {
		"airplane", "bear", "bird", "boat", "car", "cat", "cow", "deer", "dog", "duck", "earless_seal", "elephant", "fish", "flying_disc",
		"fox", "frog", "giant_panda", "giraffe", "horse", "leopard", "lizard", "monkey", "motorbike", "mouse", "parrot", "person", "rabbit",
		"shark", "skateboard", "snake", "snowboard", "squirrel", "surfboard", "tennis_racket", "tiger", "train", "truck", "turtle", "whale", "zebra",
	},
}

// Classes returns the classes of a known inlier set, "voc", "bdd100k" or "youtube-vis", in the
// order of a model's logits. For any other name the error lists these.
func Classes(name string) ([]string, error) {
	classes, ok := classLists[name]
	if !ok {
		return nil, fmt.Errorf("no class list is called %q: there are %q", name, slices.Sorted(maps.Keys(classLists)))
	}
	return slices.Clone(classes), nil
}

// numbered returns categories with ids 1, 2, ... as in prepared COCO files, and the index of each
// name.
func numbered(names []string) ([]Category, map[string]int) {
	categories := make([]Category, len(names))
	index := make(map[string]int, len(names))
	for i, name := range names {
		categories[i] = Category{ID: ID(i + 1), Name: name}
		index[name] = i
	}
	return categories, index
}
