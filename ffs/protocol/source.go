package protocol

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"ffslab/data"
	"ffslab/data/wholefile"
	"ffslab/ffs/infer"
	"ffslab/ffs/internal/jsonfile"
	"ffslab/ffs/run"
)

// source says what detections were made from. Equal sources give equal detections.
type source struct {
	infer.Identity
	// Code is the commit that the program was built from.
	Code string `json:"code"`
	// Set is the spec of the set and Images the number of its images. Pictures is the SHA-256 of
	// the ids, sizes and times of all image files, of the pixels of some (a corruption alters all
	// of them), and of the category ids of the model's classes. Detections do not depend on the
	// annotations.
	Set      string `json:"set"`
	Images   int    `json:"images"`
	Pictures string `json:"pictures"`
}

// sampledPictures is the number of images of a set whose pixels are hashed.
const sampledPictures = 3

func sourceOf(identity infer.Identity, set *data.Dataset, ids []data.ID) (source, error) {
	s := source{Identity: identity, Code: run.Commit(), Set: set.Name, Images: len(set.Images)}
	all := sha256.New()
	fmt.Fprintln(all, ids)
	describePictures(all, set)
	for i := range min(sampledPictures, len(set.Images)) {
		pixels, err := set.Images[i*len(set.Images)/sampledPictures].Decode()
		if err != nil {
			return s, err
		}
		all.Write(pixels.Data)
	}
	s.Pictures = hex.EncodeToString(all.Sum(nil))
	return s, nil
}

// differs says in words in what another source differs; "" if it is the same.
func (s source) differs(other source) string {
	var what []string
	for _, part := range []struct {
		name  string
		equal bool
	}{
		{"the checkpoint", s.Step == other.Step && s.Parameters == other.Parameters},
		{"the run's settings", s.Settings == other.Settings},
		{"the backend", s.Backend == other.Backend},
		{"the code", s.Code == other.Code},
		{"the set", s.Set == other.Set && s.Images == other.Images && s.Pictures == other.Pictures},
	} {
		if !part.equal {
			what = append(what, part.name)
		}
	}
	return strings.Join(what, ", ")
}

// sourceRecord is the content of source.json.
type sourceRecord struct {
	MadeFrom source `json:"made_from"`
	// Detections is the SHA-256 of detections.json.
	Detections string `json:"detections_sha256"`
}

// save records that detections.json in the folder was made from s and is complete.
func (s source) save(folder string) error {
	digest, err := wholefile.Digest(filepath.Join(folder, detectionsFile))
	if err != nil {
		return err
	}
	return jsonfile.Write(filepath.Join(folder, sourceFile), sourceRecord{s, digest})
}

// finished reports whether detections.json in the folder was made from s and has not changed since.
// A source.json with other content counts as absent and is replaced.
func (s source) finished(folder string) (bool, error) {
	text, err := os.ReadFile(filepath.Join(folder, sourceFile))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var there sourceRecord
	if json.Unmarshal(text, &there) != nil || there.MadeFrom != s {
		return false, nil
	}
	digest, err := wholefile.Digest(filepath.Join(folder, detectionsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return digest == there.Detections, err
}
