package eval

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"

	"ffslab/data"
	"ffslab/data/box"
)

// Detection is one detected object: what a detector gives, an evaluation counts
// and a COCO results file lists.
type Detection struct {
	ImageID    data.ID
	CategoryID data.ID
	Box        box.COCO // in pixels of the original image
	Score      float64  // probability of its own class

	Logits []float64 // K+1 class logits of its proposal, background last; nil if they are not known
	// Scores holds the outlier scores by their names, those that the detector
	// has: higher means more inlier. So "nll" is the negative of the NLL.
	Scores map[string]float64
}

// Record is a [Detection] as an entry of a results file. Required fields are
// pointers, so that a missing one is not taken for 0. Four scores have keys of
// their own, all others are under "scores".
type Record struct {
	ImageID        *data.ID           `json:"image_id"`
	CategoryID     *data.ID           `json:"category_id"`
	Box            []float64          `json:"bbox"` // x, y, width, height
	Score          *float64           `json:"score"`
	Logits         []float64          `json:"logits,omitempty"`
	Energy         *float64           `json:"energy,omitempty"`
	NLL            *float64           `json:"nll,omitempty"` // higher means more outlier
	WeightedEnergy *float64           `json:"weighted_energy,omitempty"`
	Logistic       *float64           `json:"logistic,omitempty"`
	Scores         map[string]float64 `json:"scores,omitempty"`
}

// ownKey is a score that has a key of its own in a results file.
type ownKey struct {
	name  string
	value **float64
}

func (r *Record) ownKeys() [4]ownKey {
	return [...]ownKey{{"energy", &r.Energy}, {"nll", &r.NLL}, {"weighted_energy", &r.WeightedEnergy}, {"logistic", &r.Logistic}}
}

// ReadDetections reads a COCO results file: a JSON list of image_id,
// category_id, bbox [x, y, width, height] and score, each entry optionally
// with logits, energy, nll, weighted_energy, logistic and further "scores" by
// name. Other keys are ignored. The error names the file and the faulty entry, counted from 0.
func ReadDetections(path string) ([]Detection, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	detections, err := decodeDetections(bufio.NewReaderSize(file, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return detections, nil
}

func decodeDetections(r io.Reader) ([]Detection, error) {
	decoder := json.NewDecoder(r)
	if token, err := decoder.Token(); err != nil {
		return nil, explainJSON(err)
	} else if token != json.Delim('[') {
		return nil, errors.New("not a COCO results file: want a list of detections")
	}
	var detections []Detection
	var values []float64 // of boxes; reused: its values are copied out of every entry
	for decoder.More() {
		entry := Record{Box: values[:0]}
		if err := decoder.Decode(&entry); err != nil {
			return nil, fmt.Errorf("detection %d: %w", len(detections), explainJSON(err))
		}
		d, err := entry.detection()
		if err == nil {
			err = d.check()
		}
		if err != nil {
			return nil, fmt.Errorf("detection %d: %w", len(detections), err)
		}
		detections, values = append(detections, d), entry.Box
	}
	if _, err := decoder.Token(); err != nil {
		return nil, fmt.Errorf("after detection %d: %w", len(detections)-1, explainJSON(err))
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, fmt.Errorf("there is more after the list of %d detections", len(detections))
	}
	return detections, nil
}

func (r *Record) detection() (Detection, error) {
	for _, field := range []struct {
		name    string
		missing bool
	}{{"image_id", r.ImageID == nil}, {"category_id", r.CategoryID == nil}, {"score", r.Score == nil}} {
		if field.missing {
			return Detection{}, fmt.Errorf("no %s", field.name)
		}
	}
	b, err := parseBox(r.Box)
	d := Detection{ImageID: *r.ImageID, CategoryID: *r.CategoryID, Box: b, Score: *r.Score, Logits: r.Logits, Scores: r.Scores}
	for _, key := range r.ownKeys() {
		if *key.value == nil {
			continue
		}
		if _, twice := d.Scores[key.name]; twice {
			return d, fmt.Errorf("%s is given twice, once under scores", key.name)
		}
		if d.Scores == nil {
			d.Scores = make(map[string]float64, 4)
		}
		d.Scores[key.name] = flipped(key.name, **key.value)
	}
	return d, err
}

// flipped turns a score of a file into that of [Detection.Scores], and back.
func flipped(name string, value float64) float64 {
	if name == "nll" {
		return -value
	}
	return value
}

// Record returns the detection as an entry of a results file. A value that is
// not finite is an error.
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

// MarshalJSON writes the entry of a results file. A value that is not finite is
// an error.
func (d Detection) MarshalJSON() ([]byte, error) {
	r, err := d.Record()
	if err != nil {
		return nil, err
	}
	return json.Marshal(r)
}

// UnmarshalJSON reads the entry of a results file; a field that is needed and
// not there, or is impossible, is an error.
func (d *Detection) UnmarshalJSON(text []byte) error {
	var entry Record
	if err := json.Unmarshal(text, &entry); err != nil {
		return err
	}
	read, err := entry.detection()
	if err == nil {
		err = read.check()
	}
	if err == nil {
		*d = read
	}
	return err
}

// check refuses what no measure can rank and no JSON file can hold.
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

// WriteDetections writes a COCO results file, one entry a line, that
// pycocotools and [ReadDetections] read. A value that is not finite is an
// error naming the entry; the file then stays as it was.
func WriteDetections(path string, detections []Detection) error {
	return writeAtomically(path, func(w io.Writer) error {
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
