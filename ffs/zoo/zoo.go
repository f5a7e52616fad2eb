// Package zoo holds trained detectors that come with the program, and the form of one file in which
// a detector is kept and passed on.
//
// A run of the zoo is named "zoo:digits-flow" wherever a run folder is named. Its first use unpacks
// it into the user's cache, where it is an ordinary run folder: it can be evaluated, sampled and
// looked at, and not be trained on.
//
// The detectors were trained by
//
//	ffs train --config digits --seed 0 --set model.outlier.method=METHOD --run digits-METHOD
//
// for the methods none, flow and gaussian, and packed by "ffs export --out digits-METHOD.zip". What
// each was trained with and what it reaches is in its file: config.yaml with seed, commit and
// command, metrics.jsonl, and eval/metrics.json of the weights as they are packed.
package zoo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"ffslab/ffs/internal/cache"
)

//go:embed detectors
var files embed.FS

// Prefix begins the name of a run of the zoo.
const Prefix = "zoo:"

// Names are the detectors', without the prefix, in alphabetical order.
func Names() []string {
	entries, err := files.ReadDir("detectors")
	if err != nil {
		panic(err) // the folder is embedded
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = strings.TrimSuffix(e.Name(), ".zip")
	}
	return names
}

// Is reports whether the name of a run is meant for the zoo.
func Is(name string) bool { return strings.HasPrefix(name, Prefix) }

// Folder returns the run folder that a name stands for: the name itself, unless it begins with
// Prefix. A detector that is not there is an error that lists those that are.
func Folder(name string) (string, error) {
	key, ok := strings.CutPrefix(name, Prefix)
	if !ok {
		return name, nil
	}
	packed, err := open(key)
	if err != nil {
		return "", err
	}
	// The content is part of the path: another version of the program has another detector.
	sum := sha256.Sum256(packed)
	dir, err := cache.Dir("zoo", fmt.Sprintf("%x", sum[:6]), key)
	if err != nil {
		return "", err
	}
	err = cache.Install(context.Background(), dir, func(temporary string) error {
		return Unpack(bytes.NewReader(packed), int64(len(packed)), temporary)
	})
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return dir, nil
}

// Unpacked reports whether a folder is one that [Folder] has unpacked, in the user's cache, which
// keeps the evaluation that the detector came with.
func Unpacked(dir string) bool {
	root, err := cache.Dir("zoo")
	return err == nil && strings.HasPrefix(filepath.Clean(dir), root+string(filepath.Separator))
}

func open(key string) ([]byte, error) {
	packed, err := files.ReadFile(path.Join("detectors", key+".zip"))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
		return nil, fmt.Errorf("%s%s: the zoo has no such detector, but %s%s", Prefix, key, Prefix, strings.Join(Names(), ", "+Prefix))
	}
	return packed, err
}
