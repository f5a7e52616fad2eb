package protocol

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"

	"ffslab/data"
	"ffslab/ffs/infer"
	"ffslab/ffs/run"
)

// source is what detections were made from. Equal sources give equal detections.
type source struct {
	infer.Identity
	// Code is the commit that the program was built from.
	Code string `json:"code"`
	// Set is the set's spec, Images how many it has, and Pictures the SHA-256 of the ids, sizes and files' sizes and times of all, of the
	// pixels of some (all of a set may be altered, as corruptions do), and of the category ids that stand for the model's classes. The annotations are no part of it:
	// no detection depends on them.
	Set      string `json:"set"`
	Images   int    `json:"images"`
	Pictures string `json:"pictures"`
}

// sampledPictures is how many pictures of a set are looked at to recognise it.
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

// differs says in what another source differs, in words; "" if it is the same.
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

// save writes down that the folder's detections.json is from s and whole.
func (s source) save(folder string) error {
	digest, err := fileDigest(filepath.Join(folder, detectionsFile))
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(sourceRecord{s, digest}, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(folder, sourceFile)
	if err := renameio.WriteFile(path, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

// finished reports whether the folder's detections.json was made from s and is as it was written. A source.json that is none counts as absent: it is
// written anew.
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
	digest, err := fileDigest(filepath.Join(folder, detectionsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return digest == there.Detections, err
}

func fileDigest(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	digest := sha256.New()
	if _, err := io.Copy(digest, file); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return hex.EncodeToString(digest.Sum(nil)), nil
}
