package explore

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"time"

	"github.com/google/renameio/v2"

	"ffslab/data"
)

// provenance is what a computed file was made from. It lies beside the file, which is made anew when any of it has changed.
type provenance struct {
	Run     string    `json:"run"`  // folder
	Step    int       `json:"step"` // of the checkpoint
	Written time.Time `json:"checkpoint_written"`
	Sets    []string  `json:"sets"`
	Images  []int     `json:"images"` // of each set
	Limit   int       `json:"limit,omitempty"`
}

// provenanceOf describes what a computation on the run's newest checkpoint and the sets depends on.
func provenanceOf(r Run, limit int, sets ...*data.Dataset) (provenance, error) {
	steps, err := r.Checkpoints()
	if err != nil {
		return provenance{}, err
	}
	if len(steps) == 0 {
		return provenance{}, fmt.Errorf("%s: the run has no checkpoint yet", r.Dir)
	}
	dir, err := filepath.Abs(r.Dir)
	if err != nil {
		return provenance{}, err
	}
	p := provenance{Run: dir, Step: steps[len(steps)-1], Limit: limit}
	file, err := os.Stat(r.Path("checkpoints", fmt.Sprintf("step-%08d.safetensors", p.Step)))
	if err != nil {
		return provenance{}, err
	}
	p.Written = file.ModTime().UTC()
	for _, set := range sets {
		p.Sets, p.Images = append(p.Sets, set.Name), append(p.Images, len(set.Images))
	}
	return p, nil
}

// matches reports whether the file says that its neighbour was made from the same.
func (p provenance) matches(path string) bool {
	text, err := os.ReadFile(path)
	if err != nil {
		return false
	}
	var there provenance
	return json.Unmarshal(text, &there) == nil && reflect.DeepEqual(there, p)
}

// save writes the file, after what it vouches for.
func (p provenance) save(path string) error {
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	return renameio.WriteFile(path, append(text, '\n'), 0o644)
}

// forget removes the file before its neighbours are written anew.
func forget(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
