package data

import (
	"errors"
	"fmt"
	"path/filepath"
)

// nuImagesClasses are the 16 labels of outlier detection on nuImages: the eight that BDD100K's classes cover, then the outliers.
var nuImagesClasses = []string{
	"car", "truck", "trailer", "bus", "construction_vehicle", "bicycle", "motorcycle", "pedestrian",
	"traffic_cone", "barrier", "animal", "debris", "pushable_pullable", "mobility", "stroller", "wheelchair",
}

// nuImagesInliers is how many of them are no outliers to a detector of BDD100K's classes.
const nuImagesInliers = 8

// nuImagesLabels maps nuImages' categories onto the labels.
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

// The rows of nuImages' tables, as far as detection needs them.
type (
	nuCategory struct {
		Token string `json:"token"`
		Name  string `json:"name"`
	}
	nuSample struct {
		Token    string `json:"token"`
		File     string `json:"filename"`
		Width    int    `json:"width"`
		Height   int    `json:"height"`
		KeyFrame bool   `json:"is_key_frame"`
	}
	nuObject struct {
		Token    string    `json:"token"`
		Category string    `json:"category_token"`
		Sample   string    `json:"sample_data_token"`
		Box      []float64 `json:"bbox"` // x0, y0, x1, y1
	}
)

// ReadNuImages reads the tables category.json, sample_data.json and object_ann.json of root/VERSION ("v1.0-val"); the pictures lie under root.
// The images are the key frames, the only ones that nuImages annotates, numbered in the order of the table; those without objects are kept.
//
// The categories are 16 labels: car, truck, trailer, bus, construction_vehicle, bicycle, motorcycle, pedestrian, and those that are
// unknown to BDD100K: traffic_cone, barrier, animal, debris, pushable_pullable, mobility, stroller, wheelchair. The usual
// conversion leaves three categories out; here police cars are cars, ambulances trucks, and bicycle racks crowd regions of bicycles, so that an outlier
// split does not hold them. Masks and surfaces are not read.
//
// An error is one line that names the table, the row and the field.
func ReadNuImages(root, version string) (*Dataset, error) {
	dir := filepath.Join(root, filepath.FromSlash(version))
	table := func(name string) string { return filepath.Join(dir, name+".json") }
	var categories []nuCategory
	var samples []nuSample
	var objects []nuObject
	for _, t := range []struct {
		name string
		rows any
	}{{"category", &categories}, {"sample_data", &samples}, {"object_ann", &objects}} {
		if err := readJSON(table(t.name), t.rows); err != nil {
			return nil, err
		}
	}
	d := &Dataset{Annotations: dir, ImagesDir: root}
	var index map[string]int
	d.Categories, index = numbered(nuImagesClasses)
	names, err := nuNames(categories)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", table("category"), err)
	}
	images, err := nuImages(samples, d)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", table("sample_data"), err)
	}
	ignored := 0
	for i, o := range objects {
		fail := func(err error) (*Dataset, error) {
			return nil, fmt.Errorf("%s: row %d (token %s): %w", table("object_ann"), i, o.Token, err)
		}
		name, ok := names[o.Category]
		if !ok {
			return fail(fmt.Errorf("category_token %q is not in category.json", o.Category))
		}
		at, ok := images[o.Sample]
		if !ok {
			return fail(fmt.Errorf("sample_data_token %q is no key frame in sample_data.json", o.Sample))
		}
		label := nuImagesLabels[name]
		if label.label == "" {
			ignored++
			continue
		}
		if len(o.Box) != 4 {
			return fail(fmt.Errorf("bbox %v has %d numbers, not the 4 of [x0, y0, x1, y1]", o.Box, len(o.Box)))
		}
		im := &d.Images[at]
		box, ok := clipBox([4]float64(o.Box), im.Width, im.Height)
		if !ok {
			return fail(fmt.Errorf("bbox %v = [x0, y0, x1, y1] is reversed or lies outside the image (%s, %dx%d)", o.Box, im.File, im.Width, im.Height))
		}
		im.Instances = append(im.Instances, Instance{Box: box, Category: index[label.label], Crowd: label.crowd, Area: boxArea(box)})
	}
	if len(objects) == ignored {
		return nil, fmt.Errorf("%s: no annotations: a detection set needs boxes", table("object_ann"))
	}
	d.note(ignored, "surfaces were left out")
	return d, nil
}

// nuNames returns the category's name of each token.
func nuNames(categories []nuCategory) (map[string]string, error) {
	names := make(map[string]string, len(categories))
	for i, c := range categories {
		if _, known := nuImagesLabels[c.Name]; !known {
			return nil, fmt.Errorf("row %d (token %s): name %q is none of nuImages' categories", i, c.Token, c.Name)
		}
		if _, twice := names[c.Token]; twice || c.Token == "" {
			return nil, fmt.Errorf("row %d (%s): token %q is missing or occurs twice", i, c.Name, c.Token)
		}
		names[c.Token] = c.Name
	}
	if len(names) == 0 {
		return nil, errors.New("no categories: this is not nuImages' table")
	}
	return names, nil
}

// nuImages fills d.Images with the key frames and returns the index of each token.
func nuImages(samples []nuSample, d *Dataset) (map[string]int, error) {
	index := map[string]int{}
	for i, s := range samples {
		if !s.KeyFrame {
			continue
		}
		fail := func(err error) (map[string]int, error) {
			return nil, fmt.Errorf("row %d (token %s): %w", i, s.Token, err)
		}
		if _, twice := index[s.Token]; twice || s.Token == "" {
			return fail(errors.New("the token is missing or occurs twice"))
		}
		picture, err := findPicture(d.ImagesDir, s.File)
		if err != nil {
			return fail(fmt.Errorf("filename: %w", err))
		}
		if s.Width <= 0 || s.Height <= 0 {
			return fail(fmt.Errorf("width and height: a picture cannot be %d wide and %d high", s.Width, s.Height))
		}
		index[s.Token] = len(d.Images)
		d.Images = append(d.Images, Image{ID: ID(len(d.Images) + 1), File: picture, Width: s.Width, Height: s.Height})
	}
	if len(d.Images) == 0 {
		return nil, errors.New("no images: no row is a key frame (is_key_frame)")
	}
	return index, nil
}
