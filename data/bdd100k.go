package data

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"ffslab/data/lenient"
)

// scalabelFrame holds the parts of a frame of a Scalabel file that detection needs.
type scalabelFrame struct {
	file        string
	index       int // in the file
	name, video string
	size        scalabelSize
	labels      []scalabelLabel
}

type scalabelSize struct{ width, height int }

type scalabelLabel struct {
	category      string
	crowd, scored bool
	boxed         bool
	box           [4]float64 // x1, y1, x2, y2
	missing       bool       // one of them
}

// bddClass says what becomes of a category of BDD100K's files.
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

// bddIgnored are categories outside the eight classes.
var bddIgnored = map[string]bool{"traffic light": true, "traffic sign": true}

var form2018 = &lenient.Kind{Told: "files in BDD100K's format of 2018 were read: one image each, its labels under frames[0].objects", Fault: "it is in BDD100K's format of 2018, not Scalabel's"}

// ReadBDD100K reads BDD100K's labels in the Scalabel format: a JSON file with a list of frames
// (det_20's det_val.json) or with such a list under "frames", or a folder of such files
// (box_track_20/val, one for each video). It also reads files in the format of 2018, one image
// each. The picture of a frame is imagesDir/NAME or imagesDir/VIDEO/NAME. Frames become images,
// numbered in the order of files and frames; those without objects are kept.
//
// The classes are those of [Classes]("bdd100k"). The older names person, motor and bike become
// pedestrian, motorcycle and bicycle. Other person, other vehicle and trailer become crowd regions
// of pedestrian, car and truck, and so do boxes whose attributes say crowd or ignored, of their
// class. Traffic lights, traffic signs and labels without a 2D box are left out and counted in
// Notes.
//
// It mends what [Open] mends. The error lists all faults with the file, the frame, the label and
// the field.
func ReadBDD100K(labels, imagesDir string, opt Options) (*Dataset, error) {
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
	r := &bddReader{opening: begin(opt, labels, imagesDir)}
	d := r.dataset
	d.Categories, r.class = numbered(classLists["bdd100k"])
	for _, file := range files {
		if err := r.read(file); err != nil {
			return nil, err
		}
	}
	r.found.File = ""
	r.addImages()
	objects := 0
	for i := range r.frames {
		objects += r.addLabels(i)
	}
	switch {
	case len(r.frames) == 0:
		r.found.Fail("%s: no images: Scalabel's form is a list of frames, each with name and labels", labels)
	case objects == 0 && !r.found.Failed():
		r.found.Fail("%s: no annotations: no frame has a label with a box2d of one of the classes %q", labels, classLists["bdd100k"])
	}
	d.note(r.ignored, "boxes of traffic lights and signs were left out")
	d.note(r.boxless, "labels without a box2d (lanes, drivable areas) were left out")
	d.note(r.scored, "boxes carry a score: are these detections instead of annotations?")
	return r.finish()
}

// jsonFiles lists the JSON files of a folder by name.
func jsonFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		if name := strings.TrimSuffix(e.Name(), ".gz"); strings.HasSuffix(name, ".json") {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: the folder holds no .json file: give BDD100K's labels in Scalabel form", dir)
	}
	return files, nil
}

// bddReader collects the frames of several files.
type bddReader struct {
	*opening
	class  map[string]int
	frames []scalabelFrame

	ignored, boxless, scored int
}

func (r *bddReader) read(file string) error {
	var frames []scalabelFrame
	var whole scalabelFrame // the image of a file in the form of 2018
	var size scalabelSize   // of all frames
	list := func(j *lenient.JSON) {
		frames = scalabelFrameFields.list(j)
		for i := range frames {
			frames[i].file, frames[i].index = file, i
		}
	}
	err := lenient.ReadJSON(file, lenient.MaxTable, r.found, func(j *lenient.JSON) {
		frames, whole, size = nil, scalabelFrame{file: file}, scalabelSize{}
		if j.Kind() == '[' {
			list(j)
			return
		}
		j.Object(func(key []byte) {
			switch string(key) {
			case "frames":
				list(j)
			case "name":
				whole.name = j.Text()
			case "config":
				j.Object(func(key []byte) {
					if string(key) == "imageSize" {
						size = scalabelSizeFields.read(j)
					} else {
						j.Skip()
					}
				})
			default:
				j.Skip()
			}
		})
	})
	if err != nil {
		return err
	}
	if whole.name != "" && len(frames) > 0 && frames[0].name == "" {
		r.found.Mend(form2018, func() string { return "" })
		for _, f := range frames {
			whole.labels = append(whole.labels, f.labels...)
		}
		frames = []scalabelFrame{whole}
	}
	for _, frame := range frames {
		if frame.size == (scalabelSize{}) {
			frame.size = size
		}
		if frame.name == "" {
			r.found.Fail("frames[%d]: name is missing", frame.index)
			continue
		}
		r.frames = append(r.frames, frame)
	}
	return nil
}

var (
	scalabelFrameFields = fields[scalabelFrame]{
		"name":      func(j *lenient.JSON, f *scalabelFrame) { f.name = j.Text() },
		"videoName": func(j *lenient.JSON, f *scalabelFrame) { f.video = j.Text() },
		"size":      func(j *lenient.JSON, f *scalabelFrame) { f.size = scalabelSizeFields.read(j) },
		"labels":    readScalabelLabels,
		"objects":   readScalabelLabels, // in the form of 2018
	}
	scalabelSizeFields = fields[scalabelSize]{
		"width":  func(j *lenient.JSON, s *scalabelSize) { s.width, _ = j.Int() },
		"height": func(j *lenient.JSON, s *scalabelSize) { s.height, _ = j.Int() },
	}
	scalabelLabelFields = fields[scalabelLabel]{
		"category": func(j *lenient.JSON, l *scalabelLabel) { l.category = j.Text() },
		"attributes": func(j *lenient.JSON, l *scalabelLabel) {
			j.Object(func(key []byte) {
				switch string(key) {
				case "crowd", "ignored":
					l.crowd = j.Bool() || l.crowd
				default:
					j.Skip()
				}
			})
		},
		"score": func(j *lenient.JSON, l *scalabelLabel) { _, l.scored = j.Number() },
		"box2d": func(j *lenient.JSON, l *scalabelLabel) {
			var has [4]bool
			l.boxed = j.Object(func(key []byte) {
				for i, name := range []string{"x1", "y1", "x2", "y2"} {
					if string(key) == name {
						l.box[i], has[i] = j.Number()
						return
					}
				}
				j.Skip()
			})
			l.missing = has != [4]bool{true, true, true, true}
		},
	}
)

func readScalabelLabels(j *lenient.JSON, f *scalabelFrame) {
	f.labels = append(f.labels, scalabelLabelFields.list(j)...)
}

func (f *scalabelFrame) place() string {
	return fmt.Sprintf("%s: frames[%d] (%s)", f.file, f.index, f.name)
}

func (r *bddReader) addImages() {
	frames := map[string]*scalabelFrame{} // of each picture
	for i := range r.frames {
		f := &r.frames[i]
		inVideo := ""
		if f.video != "" {
			inVideo = path.Join(f.video, f.name)
		}
		r.addImage(ID(i+1), f.place, f.name, inVideo)
		file := r.dataset.Images[i].File
		if first, twice := frames[file]; twice && file != "" {
			r.found.Fail("%s: the same picture as that of %s", f.place(), first.place())
		}
		frames[file] = f
	}
	r.look()
	for i := range r.frames {
		f := &r.frames[i]
		r.setSize(&r.dataset.Images[i], f.size.width, f.size.height, f.place)
	}
}

// addLabels adds the objects of a frame to its image and returns how many have a box.
func (r *bddReader) addLabels(frame int) (count int) {
	f, im := &r.frames[frame], &r.dataset.Images[frame]
	for i := range f.labels {
		l := &f.labels[i]
		place := func() string { return fmt.Sprintf("%s: labels[%d] (%s)", f.place(), i, l.category) }
		if !l.boxed {
			r.boxless++
			continue
		}
		if bddIgnored[l.category] {
			r.ignored++
			continue
		}
		class := bddClass{name: l.category}
		if renamed, found := bddRenamed[l.category]; found {
			class = renamed
		}
		index, known := r.class[class.name]
		if !known {
			r.found.Fail("%s: category %q is none of BDD100K's: the classes are %q", place(), l.category, classLists["bdd100k"])
			continue
		}
		if l.missing {
			r.found.Fail("%s: box2d lacks one of x1, y1, x2, y2", place())
			continue
		}
		if l.scored {
			r.scored++
		}
		count++
		if box, _, ok := r.placeBox(l.box, im, place); ok {
			im.Instances = append(im.Instances, Instance{Box: box, Category: index, Crowd: class.crowd || l.crowd, Area: box.Area()})
		}
	}
	return count
}
