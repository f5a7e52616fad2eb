package data

import (
	"fmt"
	"path/filepath"

	"ffslab/data/lenient"
)

// nuImagesClasses are the 16 labels of outlier detection on nuImages: the eight that BDD100K's
// classes cover, then the outliers.
var nuImagesClasses = []string{
	"car", "truck", "trailer", "bus", "construction_vehicle", "bicycle", "motorcycle", "pedestrian",
	"traffic_cone", "barrier", "animal", "debris", "pushable_pullable", "mobility", "stroller", "wheelchair",
}

// nuImagesInliers is the number of labels that are not outliers to a detector of BDD100K's classes.
const nuImagesInliers = 8

// nuImagesLabels maps nuImages' categories to the labels.
var nuImagesLabels = map[string]struct {
	label string
	crowd bool
}{
	"animal":                               {label: "animal"},
	"human.pedestrian.adult":               {label: "pedestrian"},
	"human.pedestrian.child":               {label: "pedestrian"},
	"human.pedestrian.construction_worker": {label: "pedestrian"},
	"human.pedestrian.police_officer":      {label: "pedestrian"},
	"human.pedestrian.personal_mobility":   {label: "mobility"},
	"human.pedestrian.stroller":            {label: "stroller"},
	"human.pedestrian.wheelchair":          {label: "wheelchair"},
	"movable_object.barrier":               {label: "barrier"},
	"movable_object.debris":                {label: "debris"},
	"movable_object.pushable_pullable":     {label: "pushable_pullable"},
	"movable_object.trafficcone":           {label: "traffic_cone"},
	"static_object.bicycle_rack":           {label: "bicycle", crowd: true},
	"vehicle.bicycle":                      {label: "bicycle"},
	"vehicle.bus.bendy":                    {label: "bus"},
	"vehicle.bus.rigid":                    {label: "bus"},
	"vehicle.car":                          {label: "car"},
	"vehicle.construction":                 {label: "construction_vehicle"},
	"vehicle.emergency.ambulance":          {label: "truck"},
	"vehicle.emergency.police":             {label: "car"},
	"vehicle.motorcycle":                   {label: "motorcycle"},
	"vehicle.trailer":                      {label: "trailer"},
	"vehicle.truck":                        {label: "truck"},
	"flat.driveable_surface":               {},
	"vehicle.ego":                          {},
}

// Rows of nuImages' tables with the columns that detection needs.
type (
	nuCategory struct{ token, name string }
	nuSample   struct {
		token, file   string
		width, height int
		keyFrame      bool
	}
	nuObject struct {
		token, category, sample string
		box                     [4]float64 // x0, y0, x1, y1
		boxed                   bool
	}
)

type nuTables struct {
	categories []nuCategory
	samples    []nuSample
	objects    []nuObject
}

// ReadNuImages reads the tables category.json, sample_data.json and object_ann.json of root/VERSION
// ("v1.0-val"); the pictures are under root. The images are the key frames, the only ones that
// nuImages annotates, numbered in the order of the table; those without objects are kept.
//
// The categories are 16 labels: car, truck, trailer, bus, construction_vehicle, bicycle,
// motorcycle, pedestrian, and those unknown to BDD100K: traffic_cone, barrier, animal, debris,
// pushable_pullable, mobility, stroller, wheelchair. The usual conversion leaves out three
// categories; here police cars are cars, ambulances are trucks, and bicycle racks are crowd regions
// of bicycles, so that an outlier split does not hold them. Masks and surfaces are not read.
//
// It mends what [Open] mends. The error lists all faults with the table, the row and the field.
func ReadNuImages(root, version string, opt Options) (*Dataset, error) {
	dir := filepath.Join(root, filepath.FromSlash(version))
	table := func(name string) string { return filepath.Join(dir, name+".json") }
	if !isFile(table("object_ann")) && isFile(table("sample_annotation")) {
		return nil, fmt.Errorf("%s: these are nuScenes' tables (boxes in space: sample_annotation.json), not nuImages' (object_ann.json): give nuImages' root", dir)
	}
	o := begin(opt, dir, root)
	var t nuTables
	for _, one := range []struct {
		name string
		read func(*lenient.JSON)
	}{
		{"category", func(j *lenient.JSON) { t.categories = nuCategoryFields.list(j) }},
		{"sample_data", func(j *lenient.JSON) { t.samples = nuSampleFields.list(j) }},
		{"object_ann", func(j *lenient.JSON) { t.objects = nuObjectFields.list(j) }},
	} {
		if err := lenient.ReadJSON(table(one.name), lenient.MaxTable, o.found, one.read); err != nil {
			return nil, err
		}
	}
	var index map[string]int
	o.dataset.Categories, index = numbered(nuImagesClasses)
	o.found.File = table("category")
	names := t.names(o.found)
	o.found.File = table("sample_data")
	if o.found.Failed() {
		return nil, o.found.Err()
	}
	images := t.addImages(o)
	if o.found.Failed() {
		return nil, o.found.Err()
	}
	o.found.File = table("object_ann")
	ignored := 0
	for i := range t.objects {
		object := &t.objects[i]
		place := func() string { return fmt.Sprintf("row %d (token %s)", i, object.token) }
		name, ok := names[object.category]
		if !ok {
			o.found.Fail("%s: category_token %q is not in category.json", place(), object.category)
			continue
		}
		at, ok := images[object.sample]
		if !ok {
			o.found.Fail("%s: sample_data_token %q is no key frame in sample_data.json", place(), object.sample)
			continue
		}
		label := nuImagesLabels[name]
		if label.label == "" {
			ignored++
			continue
		}
		if !object.boxed {
			o.found.Fail("%s: bbox is missing", place())
			continue
		}
		im := &o.dataset.Images[at]
		if box, _, ok := o.placeBox(object.box, im, place); ok {
			im.Instances = append(im.Instances, Instance{Box: box, Category: index[label.label], Crowd: label.crowd, Area: box.Area()})
		}
	}
	if len(t.objects) == ignored {
		o.found.Fail("no annotations: a detection set needs boxes")
	}
	o.dataset.note(ignored, "surfaces were left out")
	return o.finish()
}

var (
	nuCategoryFields = fields[nuCategory]{
		"token": func(j *lenient.JSON, c *nuCategory) { c.token = j.Text() },
		"name":  func(j *lenient.JSON, c *nuCategory) { c.name = j.Text() },
	}
	nuSampleFields = fields[nuSample]{
		"token":        func(j *lenient.JSON, s *nuSample) { s.token = j.Text() },
		"filename":     func(j *lenient.JSON, s *nuSample) { s.file = j.Text() },
		"width":        func(j *lenient.JSON, s *nuSample) { s.width, _ = j.Int() },
		"height":       func(j *lenient.JSON, s *nuSample) { s.height, _ = j.Int() },
		"is_key_frame": func(j *lenient.JSON, s *nuSample) { s.keyFrame = j.Bool() },
	}
	nuObjectFields = fields[nuObject]{
		"token":             func(j *lenient.JSON, o *nuObject) { o.token = j.Text() },
		"category_token":    func(j *lenient.JSON, o *nuObject) { o.category = j.Text() },
		"sample_data_token": func(j *lenient.JSON, o *nuObject) { o.sample = j.Text() },
		"bbox":              func(j *lenient.JSON, o *nuObject) { o.box, o.boxed = ReadBox(j) },
	}
)

// names returns the name of the category with each token.
func (t *nuTables) names(found *lenient.Findings) map[string]string {
	names := make(map[string]string, len(t.categories))
	for i, c := range t.categories {
		if _, known := nuImagesLabels[c.name]; !known {
			found.Fail("row %d (token %s): name %q is none of nuImages' categories", i, c.token, c.name)
			continue
		}
		if _, twice := names[c.token]; twice || c.token == "" {
			found.Fail("row %d (%s): token %q is missing or occurs twice", i, c.name, c.token)
			continue
		}
		names[c.token] = c.name
	}
	if len(t.categories) == 0 {
		found.Fail("no categories: this is not nuImages' table")
	}
	return names
}

// addImages adds the key frames and returns the index of each token.
func (t *nuTables) addImages(o *opening) map[string]int {
	index := map[string]int{}
	var rows []int // of each image
	place := func(i int) func() string {
		return func() string {
			return fmt.Sprintf("row %d (token %s): filename %s", i, t.samples[i].token, t.samples[i].file)
		}
	}
	for i, s := range t.samples {
		if !s.keyFrame {
			continue
		}
		if _, twice := index[s.token]; twice || s.token == "" {
			o.found.Fail("row %d (token %s): the token is missing or occurs twice", i, s.token)
			continue
		}
		index[s.token] = len(rows)
		rows = append(rows, i)
		o.addImage(ID(len(rows)), place(i), s.file)
	}
	o.look()
	for i, row := range rows {
		o.setSize(&o.dataset.Images[i], t.samples[row].width, t.samples[row].height, place(row))
	}
	if len(rows) == 0 {
		o.found.Fail("no images: no row is a key frame (is_key_frame)")
	}
	return index
}
