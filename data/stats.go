package data

import (
	"cmp"
	"os"
	"slices"

	"ffslab/data/wholefile"
)

// Stats are the counts of a data set.
type Stats struct {
	Set         string       `json:"set"`
	Annotations string       `json:"annotations"` // empty for a generated set
	ImagesDir   string       `json:"images_dir"`
	Images      int          `json:"images"`
	Empty       int          `json:"empty"`   // images without objects or crowd regions
	Objects     int          `json:"objects"` // without crowd regions
	Crowd       int          `json:"crowd"`   // crowd regions
	Width       Spread       `json:"width"`   // of the pictures
	Height      Spread       `json:"height"`
	Small       int          `json:"small"` // objects of an area below 32² square pixels
	Medium      int          `json:"medium"`
	Large       int          `json:"large"` // 96² and more
	Classes     []ClassStats `json:"classes"`
	Unlabelled  bool         `json:"unlabelled"`
	Notes       []string     `json:"notes"`
}

// Spread is the range of a number in pixels. The median of an even count is the upper of the two
// middle values.
type Spread struct {
	Min    int `json:"min"`
	Median int `json:"median"`
	Max    int `json:"max"`
}

// ClassStats are the counts of a class, in the order of the categories, including classes without
// objects.
type ClassStats struct {
	ID      ID     `json:"id"`
	Name    string `json:"name"`
	Images  int    `json:"images"` // in which it occurs, as an object or a crowd region
	Objects int    `json:"objects"`
	Crowd   int    `json:"crowd"`
}

// Stats counts the images, the objects and the classes. It reads no picture.
func (d *Dataset) Stats() Stats {
	s := Stats{Set: d.Name, Annotations: d.Annotations, ImagesDir: d.ImagesDir, Images: len(d.Images), Unlabelled: d.Unlabelled, Notes: append([]string{}, d.Notes...), Classes: make([]ClassStats, len(d.Categories))}
	for i, c := range d.Categories {
		s.Classes[i].ID, s.Classes[i].Name = c.ID, c.Name
	}
	var widths, heights []int
	for i := range d.Images {
		im := &d.Images[i]
		widths, heights = append(widths, im.Width), append(heights, im.Height)
		if len(im.Instances) == 0 {
			s.Empty++
		}
		seen := map[int]bool{}
		for _, o := range im.Instances {
			class := &s.Classes[o.Category]
			if !seen[o.Category] {
				seen[o.Category] = true
				class.Images++
			}
			if o.Crowd {
				class.Crowd++
				s.Crowd++
				continue
			}
			class.Objects++
			s.Objects++
			switch {
			case o.Area < 32*32:
				s.Small++
			case o.Area < 96*96:
				s.Medium++
			default:
				s.Large++
			}
		}
	}
	s.Width, s.Height = spread(widths), spread(heights)
	return s
}

func spread(values []int) Spread {
	if len(values) == 0 {
		return Spread{}
	}
	slices.Sort(values)
	return Spread{values[0], values[len(values)/2], values[len(values)-1]}
}

// Duplicate is a picture that occurs more than once.
type Duplicate struct {
	Places []Place `json:"places"` // at least two, in the order of the sets and their images
}

// Place is where a picture occurs.
type Place struct {
	Set  string `json:"set"`
	ID   ID     `json:"id"`
	File string `json:"file"`
}

// Duplicates finds pictures whose files are equal to the byte, within a set and between sets. A
// picture in both the training and the validation set makes every measurement too good. It reads
// only files of equal size and ignores generated pictures. The error names a file that cannot be
// read.
func Duplicates(sets ...*Dataset) ([]Duplicate, error) {
	bySize := map[int64][]Place{}
	for _, d := range sets {
		for i := range d.Images {
			im := &d.Images[i]
			if im.Render != nil {
				continue
			}
			info, err := os.Stat(im.File)
			if err != nil {
				return nil, err
			}
			bySize[info.Size()] = append(bySize[info.Size()], Place{d.Name, im.ID, im.File})
		}
	}
	found := []Duplicate{}
	for _, places := range bySize {
		if len(places) < 2 {
			continue
		}
		byContent := map[string][]Place{}
		for _, p := range places {
			sum, err := wholefile.Digest(p.File)
			if err != nil {
				return nil, err
			}
			byContent[sum] = append(byContent[sum], p)
		}
		for _, equal := range byContent {
			if len(equal) > 1 {
				found = append(found, Duplicate{equal})
			}
		}
	}
	slices.SortFunc(found, func(a, b Duplicate) int {
		return cmp.Or(cmp.Compare(a.Places[0].File, b.Places[0].File), a.Places[0].ID.Compare(b.Places[0].ID))
	})
	return found, nil
}
