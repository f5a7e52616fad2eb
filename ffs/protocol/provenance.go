package protocol

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"

	"ffslab/data"
	"ffslab/ffs/internal/jsonfile"
	"ffslab/ffs/run"
)

// Provenance says what a computed file was made from. It lies beside the file, which is computed
// again if any of it has changed.
type Provenance struct {
	Run     string   `json:"run"` // folder
	Step    int      `json:"step"`
	Weights string   `json:"weights"` // their digest (see package checkpoint)
	Sets    []string `json:"sets"`
	Images  []int    `json:"images"` // of each set
	// Annotations are the SHA-256 of the annotations of each set. Pictures are the SHA-256 of what
	// identifies its images without reading them: size in bytes and time of the files.
	Annotations []string `json:"annotations"`
	Pictures    []string `json:"pictures"`
	Limit       int      `json:"limit,omitempty"`
}

// ProvenanceOf returns the provenance of a computation on the run's newest checkpoint and on at
// most limit objects of the sets; 0 means all. A run without a checkpoint is an error.
func ProvenanceOf(r *run.Run, limit int, sets ...*data.Dataset) (Provenance, error) {
	newest, err := r.Newest()
	if err != nil {
		return Provenance{}, err
	}
	dir, err := filepath.Abs(r.Dir)
	if err != nil {
		return Provenance{}, err
	}
	p := Provenance{Run: dir, Step: newest.Step, Weights: newest.Digest, Limit: limit}
	for _, set := range sets {
		p.add(set)
	}
	return p, nil
}

// add adds a set.
func (p *Provenance) add(set *data.Dataset) {
	p.Sets, p.Images = append(p.Sets, cmp.Or(set.Spec, set.Name)), append(p.Images, len(set.Images))
	p.Annotations = append(p.Annotations, annotationsDigest(set))
	p.Pictures = append(p.Pictures, picturesDigest(set))
}

// Matches reports whether the file at path holds the same provenance.
func (p Provenance) Matches(path string) bool {
	var there Provenance
	return jsonfile.Read(path, &there) == nil && reflect.DeepEqual(there, p)
}

// Save writes the provenance to path. Call it after the files that it describes are written.
func (p Provenance) Save(path string) error {
	return jsonfile.Write(path, p)
}

// Forget removes a provenance file if it exists. Call it before the files that it describes are
// written again.
func Forget(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
