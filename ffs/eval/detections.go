package eval

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"ffslab/data"
	"ffslab/data/lenient"
)

// Detection is one entry of a COCO results file, with what FFS knows beyond
// it. The optional scores are nil where the model does not have them.
type Detection struct {
	ImageID    data.ID
	CategoryID data.ID
	Box        [4]float64 // x, y, width, height in pixels of the original image
	Score      float64    // probability of its own class

	Logits         []float64 // K+1 class logits of its proposal, background last
	Energy         *float64  // logsumexp of the K inlier logits, higher = more inlier
	NLL            *float64  // of its box feature under the flow, higher = more outlier
	WeightedEnergy *float64  // the training energy, with the learned weights
	Logistic       *float64  // inlier probability of the learned logistic layer
}

// detectionJSON is the file form of Detection. Required fields are pointers,
// so that a missing one is not taken for 0.
type detectionJSON struct {
	ImageID        *data.ID  `json:"image_id"`
	CategoryID     *data.ID  `json:"category_id"`
	Box            []float64 `json:"bbox"`
	Score          *float64  `json:"score"`
	Logits         []float64 `json:"logits,omitempty"`
	Energy         *float64  `json:"energy,omitempty"`
	NLL            *float64  `json:"nll,omitempty"`
	WeightedEnergy *float64  `json:"weighted_energy,omitempty"`
	Logistic       *float64  `json:"logistic,omitempty"`
}

// ReadDetections reads a COCO results file: a JSON list of image_id,
// category_id, bbox [x, y, width, height] and score, each entry optionally
// with logits, energy, nll, weighted_energy and logistic. Other keys are
// ignored; found counts what was mended. The error names the file and lists its faults, with their entries counted from 0.
func ReadDetections(path string, found *lenient.Findings) ([]Detection, error) {
	var detections []Detection
	err := lenient.ReadJSON(path, lenient.MaxTable, found, func(j *lenient.JSON) {
		detections = nil
		if kind := j.Kind(); kind != '[' && kind != 0 {
			j.Skip()
			found.Fail("not a COCO results file: want a list of detections")
			return
		}
		j.List(func(i int) {
			if d, ok := readDetection(j, i); ok {
				detections = append(detections, d)
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

// readDetection reads entry i; a fault of it goes to the findings of j.
func readDetection(j *lenient.JSON, i int) (d Detection, ok bool) {
	var onImage, ofCategory, boxed, scored bool
	optional := func(value **float64) {
		if v, ok := j.Number(); ok {
			*value = &v
		}
	}
	found := j.Findings()
	before := found.Total()
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
				v, _ := j.Number()
				d.Logits = append(d.Logits, v)
			})
		case "energy":
			optional(&d.Energy)
		case "nll":
			optional(&d.NLL)
		case "weighted_energy":
			optional(&d.WeightedEnergy)
		case "logistic":
			optional(&d.Logistic)
		default:
			j.Skip()
		}
	})
	if j.Stopped() || found.Total() > before {
		return d, false
	}
	for _, field := range []struct {
		name string
		has  bool
	}{{"image_id", onImage}, {"category_id", ofCategory}, {"bbox", boxed}, {"score", scored}} {
		if !field.has {
			found.Fail("detection %d: no %s", i, field.name)
			return d, false
		}
	}
	if err := d.check(); err != nil {
		found.Fail("detection %d: %v", i, err)
		return d, false
	}
	return d, true
}

func (e *detectionJSON) detection() (Detection, error) {
	for _, field := range []struct {
		name    string
		missing bool
	}{{"image_id", e.ImageID == nil}, {"category_id", e.CategoryID == nil}, {"score", e.Score == nil}} {
		if field.missing {
			return Detection{}, fmt.Errorf("no %s", field.name)
		}
	}
	box, err := parseBox(e.Box)
	return Detection{
		ImageID: *e.ImageID, CategoryID: *e.CategoryID, Box: box, Score: *e.Score,
		Logits: e.Logits, Energy: e.Energy, NLL: e.NLL, WeightedEnergy: e.WeightedEnergy, Logistic: e.Logistic,
	}, err
}

// MarshalJSON writes the entry of a results file. A value that is not finite is
// an error.
func (d Detection) MarshalJSON() ([]byte, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	return json.Marshal(detectionJSON{
		ImageID: &d.ImageID, CategoryID: &d.CategoryID, Box: d.Box[:], Score: &d.Score,
		Logits: d.Logits, Energy: d.Energy, NLL: d.NLL, WeightedEnergy: d.WeightedEnergy, Logistic: d.Logistic,
	})
}

// UnmarshalJSON reads the entry of a results file; a field that is needed and
// not there, or is impossible, is an error.
func (d *Detection) UnmarshalJSON(text []byte) error {
	var entry detectionJSON
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
	for _, optional := range []struct {
		name  string
		value *float64
	}{{"energy", d.Energy}, {"nll", d.NLL}, {"weighted_energy", d.WeightedEnergy}, {"logistic", d.Logistic}} {
		if optional.value != nil && !isFinite(*optional.value) {
			return fmt.Errorf("%s is %g", optional.name, *optional.value)
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
