package eval

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"ffslab/data"
	"ffslab/data/box"
	"ffslab/data/lenient"
	"ffslab/data/wholefile"
)

// Detection is one detected object, an entry of a COCO results file.
type Detection struct {
	ImageID    data.ID
	CategoryID data.ID
	Box        box.COCO // in pixels of the original image
	Score      float64  // probability of its own class

	Logits []float64 // K+1 class logits of its proposal, background last; nil if unknown
	// Scores holds the outlier scores that the detection has, by name; higher means more inlier, so
	// "nll" is the negative NLL.
	Scores map[string]float64
}

// Record is a [Detection] as an entry of a results file. Required fields are pointers, so that a
// missing one differs from 0. Four scores have keys of their own, all others are in "scores".
type Record struct {
	ImageID        *data.ID           `json:"image_id"`
	CategoryID     *data.ID           `json:"category_id"`
	Box            Numbers            `json:"bbox"` // x, y, width, height
	Score          *float64           `json:"score"`
	Logits         Numbers            `json:"logits,omitempty"`
	Energy         *float64           `json:"energy,omitempty"`
	NLL            *float64           `json:"nll,omitempty"` // higher means more outlier
	WeightedEnergy *float64           `json:"weighted_energy,omitempty"`
	Logistic       *float64           `json:"logistic,omitempty"`
	Scores         map[string]float64 `json:"scores,omitempty"`
}

// ownKey is a score with its own key in a results file.
type ownKey struct {
	name  string
	value **float64
}

func (r *Record) ownKeys() [4]ownKey {
	return [...]ownKey{{"energy", &r.Energy}, {"nll", &r.NLL}, {"weighted_energy", &r.WeightedEnergy}, {"logistic", &r.Logistic}}
}

// ReadDetections reads a COCO results file: a JSON list of image_id, category_id, bbox [x, y,
// width, height] and score. Entries may have logits, energy, nll, weighted_energy, logistic and
// further "scores" by name; a score that is null or NaN is missing, a logit is a fault. Other keys
// are ignored; found counts what was mended. The error names the file and lists its faults by
// entry, counted from 0.
func ReadDetections(path string, found *lenient.Findings) ([]Detection, error) {
	var detections []Detection
	err := lenient.ReadJSON(path, lenient.MaxTable, found, func(j *lenient.JSON) {
		detections = nil
		if kind := j.Kind(); kind != '[' && kind != 0 {
			j.Skip()
			found.Fail("not a COCO results file: %s", resultsLayout)
			return
		}
		foreign := false // said once, as all entries are likely to be so
		j.List(func(i int) {
			if foreign {
				j.Skip()
				return
			}
			d, fault := readDetection(j, i)
			switch {
			case errors.As(fault, new(otherLayout)):
				foreign = true
				found.Fail("not a COCO results file: entry %d %v; %s", i, fault, resultsLayout)
			case fault != nil:
				found.Fail("detection %d: %v", i, fault)
			case d != nil:
				detections = append(detections, *d)
			}
		})
	})
	if err == nil {
		err = found.Err()
	}
	if err != nil {
		return nil, err
	}
	return detections, nil
}

// resultsLayout is what a results file looks like.
const resultsLayout = `want a list of detections, [{"image_id": 1, "category_id": 3, "bbox": [x, y, width, height], "score": 0.9}, ...]`

// otherLayout says how an entry shows that the file is of another layout.
type otherLayout string

func (e otherLayout) Error() string { return string(e) }

// readDetection reads entry i. It returns nil if it has added faults to the findings of j, and an
// error for a fault that it has not added.
func readDetection(j *lenient.JSON, i int) (*Detection, error) {
	if kind := j.Kind(); kind != '{' && kind != 0 {
		j.Skip()
		return nil, otherLayout("is not an object")
	}
	var d Detection
	var onImage, ofCategory, boxed, scored bool
	listed := false // scores are a list, as where an entry holds a whole image
	found := j.Findings()
	before := found.Total()
	addScore := func(name string, orient func(string, float64) float64) {
		value, ok := j.Number()
		if !ok {
			return
		}
		if _, twice := d.Scores[name]; twice {
			found.Fail("detection %d: %s is given twice, once under scores", i, name)
			return
		}
		if d.Scores == nil {
			d.Scores = make(map[string]float64, 4)
		}
		d.Scores[name] = orient(name, value)
	}
	j.Object(func(key []byte) {
		switch string(key) {
		case "image_id":
			d.ImageID, onImage = data.ReadID(j)
		case "category_id":
			d.CategoryID, ofCategory = data.ReadID(j)
		case "bbox":
			d.Box, boxed = data.ReadBox(j)
		case "score":
			d.Score, scored = j.Number()
		case "logits":
			j.List(func(int) {
				d.Logits = append(d.Logits, readElement(j))
			})
		case "energy", "nll", "weighted_energy", "logistic":
			addScore(string(key), flipped)
		case "scores":
			if j.Kind() == '[' {
				listed = true
				j.Skip()
				return
			}
			j.Object(func(name []byte) {
				addScore(string(name), func(_ string, value float64) float64 { return value }) // higher means more inlier there
			})
		default:
			j.Skip()
		}
	})
	switch {
	case j.Stopped() || found.Total() > before:
		return nil, nil
	case listed && !boxed:
		return nil, otherLayout("holds lists for a whole image")
	case listed:
		return nil, errors.New("scores is a list: want {name: value}")
	case !onImage && !ofCategory:
		return nil, otherLayout("has neither image_id nor category_id")
	}
	for _, field := range []struct {
		name string
		has  bool
	}{{"image_id", onImage}, {"category_id", ofCategory}, {"bbox", boxed}, {"score", scored}} {
		if !field.has {
			return nil, errors.New("no " + field.name)
		}
	}
	return &d, d.check()
}

// readElement reads a number of a list. There null, which stands for NaN too, is a fault: a missing
// number leaves a hole that no measure can pass over.
func readElement(j *lenient.JSON) float64 {
	if j.Kind() == 'n' {
		j.Skip()
		if !j.Stopped() {
			j.Findings().Fail("%s: null or NaN stands where a finite number belongs", j.Place())
		}
		return 0
	}
	v, _ := j.Number()
	return v
}

// Numbers is a list of numbers in JSON. A null in it is an error; encoding/json reads it as 0.
type Numbers []float64

// UnmarshalJSON parses the list.
func (n *Numbers) UnmarshalJSON(text []byte) error {
	if bytes.Contains(text, []byte("null")) {
		var elements []*float64
		if err := json.Unmarshal(text, &elements); err != nil {
			return err
		}
		if i := slices.Index(elements, nil); i >= 0 {
			return fmt.Errorf("element %d is null, not a finite number", i)
		}
	}
	return json.Unmarshal(text, (*[]float64)(n))
}

func (r *Record) detection() (Detection, error) {
	if r.ImageID == nil || r.CategoryID == nil || r.Score == nil || len(r.Box) != 4 {
		return Detection{}, errors.New("want image_id, category_id, score and a bbox of four numbers")
	}
	d := Detection{ImageID: *r.ImageID, CategoryID: *r.CategoryID, Box: box.COCO(r.Box), Score: *r.Score, Logits: r.Logits, Scores: r.Scores}
	for _, key := range r.ownKeys() {
		if *key.value == nil {
			continue
		}
		if d.Scores == nil {
			d.Scores = make(map[string]float64, 4)
		}
		if _, twice := d.Scores[key.name]; twice {
			return d, fmt.Errorf("%s is given twice, once under scores", key.name)
		}
		d.Scores[key.name] = flipped(key.name, **key.value)
	}
	return d, d.check()
}

// flipped converts a score between a file and [Detection.Scores].
func flipped(name string, value float64) float64 {
	if name == "nll" {
		return -value
	}
	return value
}

// Record returns the detection as an entry of a results file. A value that is not finite is an
// error.
func (d Detection) Record() (Record, error) {
	r := Record{ImageID: &d.ImageID, CategoryID: &d.CategoryID, Box: d.Box[:], Score: &d.Score, Logits: d.Logits}
	further := maps.Clone(d.Scores)
	for _, key := range r.ownKeys() {
		if value, ok := d.Scores[key.name]; ok {
			*key.value = new(flipped(key.name, value))
			delete(further, key.name)
		}
	}
	r.Scores = further
	return r, d.check()
}

// MarshalJSON returns the entry of a results file. A value that is not finite is an error.
func (d Detection) MarshalJSON() ([]byte, error) {
	r, err := d.Record()
	if err != nil {
		return nil, err
	}
	return json.Marshal(r)
}

// UnmarshalJSON parses the entry of a results file. A missing or impossible field is an error.
func (d *Detection) UnmarshalJSON(text []byte) error {
	var entry Record
	if err := json.Unmarshal(text, &entry); err != nil {
		return err
	}
	read, err := entry.detection()
	if err == nil {
		*d = read
	}
	return err
}

// check returns an error for values that no measure can rank and no JSON file can hold.
func (d *Detection) check() error {
	if err := checkBox(d.Box); err != nil {
		return err
	}
	if !isFinite(d.Score) {
		return fmt.Errorf("score is %g", d.Score)
	}
	if len(d.Logits) == 1 {
		return errors.New("1 logit, want one per class and the background last")
	}
	for i, v := range d.Logits {
		if !isFinite(v) {
			return fmt.Errorf("logits[%d] is %g", i, v)
		}
	}
	for name, score := range d.Scores {
		if !isFinite(score) {
			return fmt.Errorf("%s is %g", name, flipped(name, score))
		}
	}
	return nil
}

// WriteDetections writes a COCO results file, one entry a line, which pycocotools and
// [ReadDetections] can read. A value that is not finite is an error that names the entry and leaves
// the file unchanged.
func WriteDetections(path string, detections []Detection) error {
	return wholefile.Write(path, 0o644, func(w io.Writer) error {
		separator := "[\n"
		for i := range detections {
			line, err := detections[i].MarshalJSON()
			if err != nil {
				return fmt.Errorf("detection %d: %w", i, err)
			}
			if _, err := fmt.Fprintf(w, "%s%s", separator, line); err != nil {
				return err
			}
			separator = ",\n"
		}
		end := "\n]\n"
		if len(detections) == 0 {
			end = "[]\n"
		}
		_, err := io.WriteString(w, end)
		return err
	})
}
