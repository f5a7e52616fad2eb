package data

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// scalabelFrame holds the parts of a frame of a Scalabel file that detection needs.
type scalabelFrame struct {
	Name   string          `json:"name"`
	Video  string          `json:"videoName"`
	Size   *scalabelSize   `json:"size"`
	Labels []scalabelLabel `json:"labels"`
}

type scalabelSize struct {
	Width  int `json:"width"`
	Height int `json:"height"`
}

type scalabelLabel struct {
	Category   string `json:"category"`
	Attributes struct {
		Crowd   bool `json:"crowd"`
		Ignored bool `json:"ignored"`
	} `json:"attributes"`
	Score *float64 `json:"score"`
	Box   *struct {
		X1 *float64 `json:"x1"`
		Y1 *float64 `json:"y1"`
		X2 *float64 `json:"x2"`
		Y2 *float64 `json:"y2"`
	} `json:"box2d"`
}

// bddClass is what becomes of a category of BDD100K's files.
type bddClass struct {
	name  string // of a class of Classes("bdd100k")
	crowd bool
}

// bddRenamed are the categories that are not classes themselves.
var bddRenamed = map[string]bddClass{
	"person":        {name: "pedestrian"},
	"motor":         {name: "motorcycle"},
	"bike":          {name: "bicycle"},
	"other person":  {name: "pedestrian", crowd: true},
	"other vehicle": {name: "car", crowd: true},
	"trailer":       {name: "truck", crowd: true},
}

// bddIgnored are the categories that no detector of the eight classes is asked for.
var bddIgnored = map[string]bool{"traffic light": true, "traffic sign": true}

// ReadBDD100K reads BDD100K's labels in Scalabel's form: a JSON file with a list of frames (det_20's det_val.json) or an object
// with such a list under "frames", or a folder of such files (box_track_20/val, a file for each video). The picture is imagesDir/NAME or
// imagesDir/VIDEO/NAME. Frames become images, numbered in the order of files and frames; those without objects are kept.
//
// The classes are those of [Classes]("bdd100k"). The older names person, motor and bike become pedestrian, motorcycle and bicycle; other
// person, other vehicle and trailer become crowd regions of pedestrian, car and truck, and so do boxes whose attributes say crowd or
// ignored, of their class. Traffic lights, traffic signs and labels without a 2D box are left out; Notes counts them.
//
// An error is one line that names the file, the frame, the label and the field.
func ReadBDD100K(labels, imagesDir string) (*Dataset, error) {
	info, err := os.Stat(labels)
	if err != nil {
		return nil, err
	}
	files := []string{labels}
	if info.IsDir() {
		if files, err = jsonFiles(labels); err != nil {
			return nil, err
		}
	}
	d := &Dataset{Annotations: labels, ImagesDir: imagesDir}
	r := &bddReader{dataset: d, pictures: map[string]string{}}
	d.Categories, r.class = numbered(classLists["bdd100k"])
	for _, file := range files {
		if err := r.read(file); err != nil {
			return nil, err
		}
	}
	switch {
	case len(d.Images) == 0:
		return nil, fmt.Errorf("%s: no images: Scalabel's form is a list of frames, each with name and labels", labels)
	case r.objects == 0:
		return nil, fmt.Errorf("%s: no annotations: no frame has a label with a box2d of one of the classes %q", labels, classLists["bdd100k"])
	}
	d.note(r.ignored, "boxes of traffic lights and signs were left out")
	d.note(r.boxless, "labels without a box2d (lanes, drivable areas) were left out")
	d.note(r.scored, "boxes carry a score: are these detections instead of annotations?")
	return d, nil
}

// jsonFiles lists the JSON files of a folder, by name.
func jsonFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".json") {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: the folder holds no .json file: give BDD100K's labels in Scalabel form", dir)
	}
	return files, nil
}

// bddReader gathers the frames of several files.
type bddReader struct {
	dataset  *Dataset
	class    map[string]int
	pictures map[string]string // which frame each picture was

	objects, ignored, boxless, scored int
}

func (r *bddReader) read(file string) error {
	raw, err := readText(file, maxTable)
	if err != nil {
		return err
	}
	var content struct {
		Frames []scalabelFrame `json:"frames"`
		Config struct {
			ImageSize *scalabelSize `json:"imageSize"`
		} `json:"config"`
	}
	if trimmed := bytes.TrimLeft(raw, " \t\r\n"); len(trimmed) > 0 && trimmed[0] == '[' {
		err = json.Unmarshal(raw, &content.Frames)
	} else {
		err = json.Unmarshal(raw, &content)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", file, explainJSON(raw, err))
	}
	for i := range content.Frames {
		frame := &content.Frames[i]
		if frame.Size == nil {
			frame.Size = content.Config.ImageSize
		}
		place := fmt.Sprintf("%s: frames[%d] (%s)", file, i, frame.Name)
		if err := r.add(frame, place); err != nil {
			return fmt.Errorf("%s: %w", place, err)
		}
	}
	return nil
}

func (r *bddReader) add(frame *scalabelFrame, place string) error {
	if frame.Name == "" {
		return errors.New("name is missing")
	}
	im := Image{ID: ID(len(r.dataset.Images) + 1)}
	var err error
	if im.File, err = findPicture(r.dataset.ImagesDir, frame.Name); err != nil {
		if frame.Video == "" {
			return err
		}
		inVideo, videoErr := findPicture(r.dataset.ImagesDir, path.Join(frame.Video, frame.Name))
		if videoErr != nil {
			return videoErr
		}
		im.File = inVideo
	}
	if first, twice := r.pictures[im.File]; twice {
		return fmt.Errorf("the same picture as that of %s", first)
	}
	r.pictures[im.File] = place
	if frame.Size != nil {
		im.Width, im.Height = frame.Size.Width, frame.Size.Height
	} else if im.Height, im.Width, err = ReadSize(im.File); err != nil {
		return err
	}
	if im.Width <= 0 || im.Height <= 0 {
		return fmt.Errorf("size: a picture cannot be %d wide and %d high", im.Width, im.Height)
	}
	for i := range frame.Labels {
		label := &frame.Labels[i]
		instance, ok, err := r.instance(label, im.Width, im.Height)
		if err != nil {
			return fmt.Errorf("labels[%d] (%s): %w", i, label.Category, err)
		}
		if ok {
			im.Instances = append(im.Instances, instance)
		}
	}
	r.objects += len(im.Instances)
	r.dataset.Images = append(r.dataset.Images, im)
	return nil
}

// instance turns a label into an object; it is not ok if the label is none for a detector.
func (r *bddReader) instance(label *scalabelLabel, width, height int) (object Instance, ok bool, err error) {
	if label.Box == nil {
		r.boxless++
		return Instance{}, false, nil
	}
	if bddIgnored[label.Category] {
		r.ignored++
		return Instance{}, false, nil
	}
	class := bddClass{name: label.Category}
	if renamed, found := bddRenamed[label.Category]; found {
		class = renamed
	}
	index, known := r.class[class.name]
	if !known {
		return Instance{}, false, fmt.Errorf("category %q is none of BDD100K's: the classes are %q", label.Category, classLists["bdd100k"])
	}
	b := label.Box
	if b.X1 == nil || b.Y1 == nil || b.X2 == nil || b.Y2 == nil {
		return Instance{}, false, errors.New("box2d lacks one of x1, y1, x2, y2")
	}
	box, inside := clipBox([4]float64{*b.X1, *b.Y1, *b.X2, *b.Y2}, width, height)
	if !inside {
		return Instance{}, false, fmt.Errorf("box2d x1, y1, x2, y2 = %v, %v, %v, %v is reversed or lies outside the image of %dx%d", *b.X1, *b.Y1, *b.X2, *b.Y2, width, height)
	}
	if label.Score != nil {
		r.scored++
	}
	crowd := class.crowd || label.Attributes.Crowd || label.Attributes.Ignored
	return Instance{Box: box, Category: index, Crowd: crowd, Area: boxArea(box)}, true, nil
}
