package data

import (
	"errors"
	"fmt"
)

// visFile holds the parts of a YouTube-VIS annotation file that detection needs.
type visFile struct {
	Videos []struct {
		ID     *ID      `json:"id"`
		Width  int      `json:"width"`
		Height int      `json:"height"`
		Frames []string `json:"file_names"`
	} `json:"videos"`
	Categories []struct {
		ID   *ID    `json:"id"`
		Name string `json:"name"`
	} `json:"categories"`
	Annotations []struct {
		ID         *ID         `json:"id"`
		VideoID    *ID         `json:"video_id"`
		CategoryID *ID         `json:"category_id"`
		IsCrowd    int         `json:"iscrowd"`
		Boxes      [][]float64 `json:"bboxes"` // of each frame; null where the object is not seen
		Areas      []*float64  `json:"areas"`
	} `json:"annotations"`
}

// The parts of a YouTube-VIS file: its annotated videos are split into a training and a validation part, since the annotations of the
// official validation videos are not published.
const (
	VISTrain = "train" // the first int(0.8 N) of the N videos, in the order of the file
	VISVal   = "val"   // the other videos
	VISAll   = "all"
)

// ReadYouTubeVIS reads one part of a YouTube-VIS annotation file (2021's train/instances.json). Frames become images, named
// VIDEO/FRAME.jpg under imagesDir; an image's id is the number of its frame in the whole file, from 1, whatever the part. Boxes that are
// null, and frames in which no object has a box, are left out; Notes counts the frames. Segmentations are not looked at. Categories
// are numbered in the order of their ids.
//
// An error is one line that names the file, the annotation, the frame and the field.
func ReadYouTubeVIS(annotations, imagesDir, part string) (*Dataset, error) {
	if part != VISTrain && part != VISVal && part != VISAll {
		return nil, fmt.Errorf("there is no part %q of a YouTube-VIS file: give train, val or all", part)
	}
	var file visFile
	if err := readJSON(annotations, &file); err != nil {
		return nil, err
	}
	d, err := file.dataset(imagesDir, part)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", annotations, err)
	}
	d.Annotations = annotations
	return d, nil
}

func (file *visFile) dataset(imagesDir, part string) (*Dataset, error) {
	switch {
	case len(file.Videos) == 0:
		return nil, errors.New("no videos: a YouTube-VIS file is an object with the lists videos, annotations and categories")
	case len(file.Annotations) == 0:
		return nil, errors.New("no annotations: the official validation and test files have none; use the training file")
	}
	coco := cocoFile{Categories: file.Categories}
	d := &Dataset{ImagesDir: imagesDir}
	class, err := coco.categories(d)
	if err != nil {
		return nil, err
	}
	video := make(map[ID]int, len(file.Videos))
	for i, v := range file.Videos {
		if v.ID == nil || len(v.Frames) == 0 {
			return nil, fmt.Errorf("videos[%d]: id or file_names is missing", i)
		}
		if first, twice := video[*v.ID]; twice {
			return nil, fmt.Errorf("videos[%d] (id %v): videos[%d] has the same id; ids must differ", i, *v.ID, first)
		}
		if v.Width <= 0 || v.Height <= 0 {
			return nil, fmt.Errorf("videos[%d] (id %v): a frame cannot be %d wide and %d high", i, *v.ID, v.Width, v.Height)
		}
		video[*v.ID] = i
	}
	objects := make([][][]Instance, len(file.Videos)) // of each video's frames
	for i := range file.Annotations {
		if err := file.track(i, video, class, objects); err != nil {
			return nil, err
		}
	}
	return d, file.frames(d, objects, part)
}

// track adds the boxes of annotation i to the frames that they are in.
func (file *visFile) track(i int, video map[ID]int, class map[ID]int, objects [][][]Instance) error {
	a := &file.Annotations[i]
	name := fmt.Sprintf("annotations[%d]", i)
	if a.ID != nil {
		name += fmt.Sprintf(" (id %v)", *a.ID)
	}
	if a.VideoID == nil || a.CategoryID == nil {
		return fmt.Errorf("%s: video_id or category_id is missing", name)
	}
	at, ok := video[*a.VideoID]
	if !ok {
		return fmt.Errorf("%s: video_id %v is not among the videos", name, *a.VideoID)
	}
	category, ok := class[*a.CategoryID]
	if !ok {
		return fmt.Errorf("%s: category_id %v is not among the categories", name, *a.CategoryID)
	}
	v := &file.Videos[at]
	if len(a.Boxes) != len(v.Frames) {
		return fmt.Errorf("%s: %d bboxes for the %d frames of video %v: give one for each, null where the object is not seen", name, len(a.Boxes), len(v.Frames), *a.VideoID)
	}
	if objects[at] == nil {
		objects[at] = make([][]Instance, len(v.Frames))
	}
	for frame, bbox := range a.Boxes {
		if bbox == nil {
			continue
		}
		one := cocoAnnotation{BBox: bbox}
		box, err := one.box(v.Width, v.Height)
		if err != nil {
			return fmt.Errorf("%s: bboxes[%d]: %w (video %v, frame %s, %dx%d)", name, frame, err, *a.VideoID, v.Frames[frame], v.Width, v.Height)
		}
		area := boxArea(box)
		if frame < len(a.Areas) && a.Areas[frame] != nil {
			area = *a.Areas[frame]
		}
		objects[at][frame] = append(objects[at][frame], Instance{Box: box, Category: category, Crowd: a.IsCrowd != 0, Area: area})
	}
	return nil
}

// frames makes images of the frames with objects, of the part's videos.
func (file *visFile) frames(d *Dataset, objects [][][]Instance, part string) error {
	first, end := 0, len(file.Videos)
	border := int(0.8 * float64(len(file.Videos)))
	switch part {
	case VISTrain:
		end = border
	case VISVal:
		first = border
	}
	id, empty := ID(0), 0
	for i, v := range file.Videos {
		if i < first || i >= end {
			id += ID(len(v.Frames))
			continue
		}
		for j, name := range v.Frames {
			id++
			if objects[i] == nil || len(objects[i][j]) == 0 {
				empty++
				continue
			}
			picture, err := findPicture(d.ImagesDir, name)
			if err != nil {
				return fmt.Errorf("videos[%d] (id %v): file_names[%d]: %w", i, *v.ID, j, err)
			}
			d.Images = append(d.Images, Image{ID: id, File: picture, Width: v.Width, Height: v.Height, Instances: objects[i][j]})
		}
	}
	if len(d.Images) == 0 {
		return fmt.Errorf("no annotations: none of the %d videos of the part %q has a frame with a box", end-first, part)
	}
	d.note(empty, "frames without a box were left out")
	return nil
}
