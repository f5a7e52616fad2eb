package protocol

import (
	"cmp"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"

	"github.com/google/renameio/v2"

	"ffslab/data"
	"ffslab/ffs/run"
)

// Provenance is what a computed file was made from. It lies beside the file, which is made anew
// when any of it has changed.
type Provenance struct {
	Run     string   `json:"run"` // folder
	Step    int      `json:"step"`
	Weights string   `json:"weights"` // their digest (see package checkpoint)
	Sets    []string `json:"sets"`
	Images  []int    `json:"images"` // of each set
	// Annotations and Pictures are the SHA-256 of what is annotated in each set, and of what tells its pictures apart without reading them: of the files, size and time.
	Annotations []string `json:"annotations"`
	Pictures    []string `json:"pictures"`
	Limit       int      `json:"limit,omitempty"`
}

// ProvenanceOf describes what a computation depends on that looks at the run's newest checkpoint
// and at so many objects of the sets at most; 0: at all. A run without a checkpoint is an error.
func ProvenanceOf(r *run.Run, limit int, sets ...*data.Dataset) (Provenance, error) {
	newest, err := r.Newest()
	if err != nil {
		return Provenance{}, err
	}
	return provenance(r.Dir, newest.Step, newest.Digest, limit, sets)
}

func provenance(run string, step int, weights string, limit int, sets []*data.Dataset) (Provenance, error) {
	dir, err := filepath.Abs(run)
	p := Provenance{Run: dir, Step: step, Weights: weights, Limit: limit}
	for _, set := range sets {
		p.add(set)
	}
	return p, err
}

// add describes a further set.
func (p *Provenance) add(set *data.Dataset) {
	p.Sets, p.Images = append(p.Sets, cmp.Or(set.Spec, set.Name)), append(p.Images, len(set.Images))
	p.Annotations, p.Pictures = append(p.Annotations, annotationsDigest(set)), append(p.Pictures, picturesDigest(set))
}

// Matches reports whether the file says that its neighbour was made from the same. The run's folder may have been moved since.
func (p Provenance) Matches(path string) bool {
	text, err := os.ReadFile(path)
	if err != nil {
		return false
	}
	var there Provenance
	if json.Unmarshal(text, &there) != nil {
		return false
	}
	there.Run = p.Run
	return reflect.DeepEqual(there, p)
}

// Save writes the file, after what it vouches for.
func (p Provenance) Save(path string) error {
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	return renameio.WriteFile(path, append(text, '\n'), 0o644)
}

// Forget removes the record of a provenance, if it is there, before its neighbours are written
// anew.
func Forget(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
