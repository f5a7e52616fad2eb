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

func (p *Provenance) add(set *data.Dataset) {
	p.Sets, p.Images = append(p.Sets, cmp.Or(set.Spec, set.Name)), append(p.Images, len(set.Images))
	p.Annotations = append(p.Annotations, annotationsDigest(set))
	p.Pictures = append(p.Pictures, picturesDigest(set))
}

// Matches reports whether the file at path holds the same provenance, wherever the run's folder was
// then.
func (p Provenance) Matches(path string) bool {
	var there Provenance
	if jsonfile.Read(path, &there) != nil {
		return false
	}
	there.Run = p.Run
	return reflect.DeepEqual(there, p)
}

// save writes the provenance to path. Call it after the files that it describes are written.
func (p Provenance) save(path string) error {
	return jsonfile.Write(path, p)
}

// Keep writes the files that the provenance describes and then the provenance to path, so that it
// is never that of files half written.
func (p Provenance) Keep(path string, write func() error) error {
	if err := Forget(path); err != nil {
		return err
	}
	if err := write(); err != nil {
		return err
	}
	return p.save(path)
}

// Forget removes a provenance file if it exists. Call it before the files that it describes are
// written again.
func Forget(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
