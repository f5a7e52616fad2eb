package data

import (
	"fmt"

	"ffslab/data/lenient"
)

// visFile holds the parts of a YouTube-VIS annotation file that detection needs.
type visFile struct {
	videos     []visVideo
	categories []COCOCategory
	tracks     []visTrack
}

type visVideo struct {
	id            ID
	identified    bool
	width, height int
	frames        []string
}

// visTrack is an object in the frames of its video.
type visTrack struct {
	id, video, category             ID
	identified, inVideo, ofCategory bool
	crowd                           bool
	class                           int // index of the category
	frames                          int // number of boxes, including null
	boxes                           []visBox
	areas                           map[int]float64 // by frame
}

type visBox struct {
	frame int
	box   [4]float64 // x, y, width, height
}

// Parts of a YouTube-VIS file. Its annotated videos are split into a training and a validation
// part, since the annotations of the official validation videos are not published.
const (
	VISTrain = "train" // the first int(0.8 N) of N videos, in the order of the file
	VISVal   = "val"   // the other videos
	VISAll   = "all"
)

// ReadYouTubeVIS reads one part of a YouTube-VIS annotation file (2021's train/instances.json).
// Frames become images, called VIDEO/FRAME.jpg under imagesDir; the id of an image is the number of
// its frame in the whole file, from 1, whatever the part. Boxes that are null, and frames in which
// no object has a box, are left out; Notes counts the frames. Segmentations are ignored. Categories
// are sorted by id.
//
// It mends what [ReadCOCO] mends, and the error lists the same faults.
func ReadYouTubeVIS(annotations, imagesDir, part string, opt Options) (*Dataset, error) {
	if part != VISTrain && part != VISVal && part != VISAll {
		return nil, fmt.Errorf("there is no part %q of a YouTube-VIS file: give train, val or all", part)
	}
	o := begin(opt, annotations, imagesDir)
	o.boxes.sized = true
	var file visFile
	if err := lenient.ReadJSON(annotations, lenient.MaxTable, o.found, file.read); err != nil {
		return nil, err
	}
	switch {
	case o.found.Failed():
	case len(file.videos) == 0:
		o.found.Fail("no videos: a YouTube-VIS file is an object with the lists videos, annotations and categories")
	case len(file.tracks) == 0:
		o.found.Fail("no annotations: the official validation and test files have none; use the training file")
	default:
		file.fill(o, part)
	}
	return o.finish()
}

func (file *visFile) read(j *lenient.JSON) {
	*file = visFile{}
	j.Object(func(key []byte) {
		switch string(key) {
		case "videos":
			file.videos = visVideoFields.list(j)
		case "categories":
			file.categories = readCOCOCategories(j, false)
		case "annotations":
			file.tracks = visTrackFields.list(j)
		default:
			j.Skip()
		}
	})
}

var (
	visVideoFields = fields[visVideo]{
		"id":     func(j *lenient.JSON, v *visVideo) { v.id, v.identified = ReadID(j) },
		"width":  func(j *lenient.JSON, v *visVideo) { v.width, _ = j.Int() },
		"height": func(j *lenient.JSON, v *visVideo) { v.height, _ = j.Int() },
		"file_names": func(j *lenient.JSON, v *visVideo) {
			j.List(func(int) { v.frames = append(v.frames, j.Text()) })
		},
	}
	visTrackFields = fields[visTrack]{
		"id":          func(j *lenient.JSON, t *visTrack) { t.id, t.identified = ReadID(j) },
		"video_id":    func(j *lenient.JSON, t *visTrack) { t.video, t.inVideo = ReadID(j) },
		"category_id": func(j *lenient.JSON, t *visTrack) { t.category, t.ofCategory = ReadID(j) },
		"iscrowd":     func(j *lenient.JSON, t *visTrack) { t.crowd = j.Flag() },
		"bboxes": func(j *lenient.JSON, t *visTrack) {
			j.List(func(i int) {
				t.frames++
				if box, ok := ReadBox(j); ok {
					t.boxes = append(t.boxes, visBox{i, box})
				}
			})
		},
		"areas": func(j *lenient.JSON, t *visTrack) {
			t.areas = map[int]float64{}
			j.List(func(i int) {
				if area, ok := j.Number(); ok {
					t.areas[i] = area
				}
			})
		},
	}
)

// fill adds the frames with objects of the part's videos to the set.
func (file *visFile) fill(o *opening, part string) {
	used := map[ID]int{}
	for i := range file.tracks {
		used[file.tracks[i].category]++
	}
	class := o.cocoCategories(file.categories, used)
	video := map[ID]int{}
	for i, v := range file.videos {
		if !v.identified || len(v.frames) == 0 {
			o.found.Fail("videos[%d]: id or file_names is missing", i)
			continue
		}
		if first, twice := video[v.id]; twice {
			o.found.Fail("videos[%d] (id %v): videos[%d] has the same id; ids must differ", i, v.id, first)
			continue
		}
		video[v.id] = i
	}
	tracks := make([][]*visTrack, len(file.videos)) // of each video
	for i := range file.tracks {
		t := &file.tracks[i]
		if at, ok := file.check(o, i, video, class); ok {
			tracks[at] = append(tracks[at], t)
		}
	}
	first, end := partOf(part, len(file.videos))
	id := ID(0)
	empty := 0
	for i := range file.videos {
		v := &file.videos[i]
		if i < first || i >= end {
			id += ID(len(v.frames))
			continue
		}
		empty += v.addFrames(o, i, tracks[i], id)
		id += ID(len(v.frames))
	}
	if len(o.dataset.Images) == 0 {
		o.found.Fail("no annotations: none of the %d videos of the part %q has a frame with a box", end-first, part)
	}
	o.dataset.note(empty, "frames without a box were left out")
}

// partOf returns the first video of a part and the one after its last.
func partOf(part string, videos int) (first, end int) {
	border := int(0.8 * float64(videos))
	switch part {
	case VISTrain:
		return 0, border
	case VISVal:
		return border, videos
	}
	return 0, videos
}

// check returns the video of track i. ok is false if the track is left out.
func (file *visFile) check(o *opening, i int, video, class map[ID]int) (at int, ok bool) {
	t := &file.tracks[i]
	place := func() string { return annotationPlace(i, t.id, t.identified) }
	if !t.inVideo || !t.ofCategory {
		o.found.Fail("%s: video_id or category_id is missing", place())
		return 0, false
	}
	if at, ok = lookUp(video, t.video, o.found, place); !ok {
		o.found.Mend(unlistedImage, func() string { return fmt.Sprintf("%s: video_id %v", place(), t.video) })
		return 0, false
	}
	if t.class, ok = lookUp(class, t.category, o.found, place); !ok {
		o.found.Mend(unlistedCategory, func() string { return fmt.Sprintf("%s: category_id %v", place(), t.category) })
		return 0, false
	}
	if frames := len(file.videos[at].frames); t.frames != frames {
		o.found.Fail("%s: %d bboxes for the %d frames of video %v: give one for each, null where the object is not seen", place(), t.frames, frames, t.video)
		return 0, false
	}
	return at, true
}

// addFrames adds the frames with a box to the set, with ids after the given one, and counts the
// others.
func (v *visVideo) addFrames(o *opening, index int, tracks []*visTrack, id ID) (empty int) {
	begin := len(o.dataset.Images)
	image := make([]int, len(v.frames)) // of each frame, counted from 1; 0 if no object has a box in it
	for _, t := range tracks {
		for _, b := range t.boxes {
			image[b.frame] = 1
		}
	}
	for frame, seen := range image {
		if seen == 0 {
			empty++
			continue
		}
		record := func() string {
			return fmt.Sprintf("videos[%d] (id %v): file_names[%d] (%s)", index, v.id, frame, v.frames[frame])
		}
		o.addImage(id+ID(frame+1), record, v.frames[frame])
		image[frame] = len(o.dataset.Images)
	}
	if v.width <= 0 || v.height <= 0 {
		o.look()
	}
	for i := begin; i < len(o.dataset.Images); i++ {
		o.setSize(&o.dataset.Images[i], v.width, v.height, func() string { return fmt.Sprintf("videos[%d] (id %v)", index, v.id) })
	}
	for _, t := range tracks {
		for _, b := range t.boxes {
			place := func() string { return fmt.Sprintf("the annotation with the id %v: bboxes[%d]", t.id, b.frame) }
			im := &o.dataset.Images[image[b.frame]-1]
			if p, ok := o.sizedBox(b.box, im, place); ok {
				p.Category, p.Crowd = t.class, t.crowd
				if area, told := t.areas[b.frame]; told {
					p.setArea(area)
				}
				im.Instances = append(im.Instances, p.Instance)
			}
		}
	}
	return empty
}
