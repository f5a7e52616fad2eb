package zoo

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2"

	"ffslab/ffs/checkpoint"
)

const (
	configFile     = "config.yaml"
	metricsFile    = "metrics.jsonl"
	checkpointsDir = "checkpoints"
	evaluationFile = "eval/metrics.json"
)

// evaluationFiles are what an evaluation leaves that is worth its size: the measures, and the
// features that scores are fitted on.
var evaluationFiles = []string{evaluationFile, "eval/metrics.md", "eval/fit.npz", "eval/fit.npz.json"}

// maxUnpacked bounds what a file may unpack to, in bytes: a pack is written in seconds by anyone.
const maxUnpacked = 4 << 30

// Pack writes the run in the folder dir, with the weights of one of its checkpoint files, to a file
// at path: weights as float16, without the optimizer's state; configuration and metrics as they
// are; and the run's evaluation, if it is one of exactly these weights. It reports whether it is.
// The same run gives the same bytes. An error leaves the file as it was.
func Pack(path, dir, checkpointFile string) (evaluated bool, err error) {
	weights, err := checkpoint.Open(checkpointFile)
	if err != nil {
		return false, err
	}
	half, err := halve(checkpoint.Weights(weights.Tensors))
	if err != nil {
		return false, fmt.Errorf("%s: %w", checkpointFile, err)
	}
	widened, err := widen(half)
	if err != nil {
		return false, err
	}
	temporary, err := os.MkdirTemp("", "ffslab-pack-*")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(temporary)
	packed := filepath.Join(temporary, filepath.Base(checkpointFile))
	if err := checkpoint.WriteSafeTensors(packed, half, metadata(weights)); err != nil {
		return false, err
	}
	sources := []source{
		{configFile, filepath.Join(dir, configFile)}, {metricsFile, filepath.Join(dir, metricsFile)},
		{checkpointsDir + "/" + filepath.Base(checkpointFile), packed},
	}
	if evaluated = evaluationOf(dir, checkpoint.Digest(checkpoint.Weights(widened))); evaluated {
		for _, name := range evaluationFiles {
			sources = append(sources, source{name, filepath.Join(dir, filepath.FromSlash(name))})
		}
	}
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	for _, s := range sources {
		content, err := os.ReadFile(s.file)
		if errors.Is(err, fs.ErrNotExist) && s.name != configFile {
			continue // a run that was imported has no metrics, an evaluation without scores no fit
		}
		if err != nil {
			return false, err
		}
		w, err := archive.Create(s.name)
		if err != nil {
			return false, err
		}
		if _, err := w.Write(content); err != nil {
			return false, err
		}
	}
	if err := archive.Close(); err != nil {
		return false, err
	}
	return evaluated, renameio.WriteFile(path, out.Bytes(), 0o644)
}

// source is a file of a pack, by its name there.
type source struct{ name, file string }

// evaluationOf reports whether the run's evaluation is one of the weights with that digest.
func evaluationOf(dir, digest string) bool {
	text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(evaluationFile)))
	if err != nil {
		return false
	}
	var report struct {
		Subject struct {
			Weights string `json:"weights"`
		} `json:"subject"`
	}
	return json.Unmarshal(text, &report) == nil && report.Subject.Weights == digest
}

// Unpack writes the run that Pack has packed to the folder dir, which exists and is empty. Weights
// are float32 there, which loses nothing. An archive with anything but the files of a pack is an
// error.
func Unpack(r io.ReaderAt, size int64, dir string) error {
	archive, err := zip.NewReader(r, size)
	if err != nil {
		return fmt.Errorf("not a packed run: %w: make one by \"ffs export --out FILE.zip\"", err)
	}
	left := int64(maxUnpacked)
	configured := false
	for _, f := range archive.File {
		isWeights := path.Dir(f.Name) == checkpointsDir && strings.HasPrefix(path.Base(f.Name), "step-") && path.Ext(f.Name) == ".safetensors"
		if f.Name != configFile && f.Name != metricsFile && !isWeights && !slices.Contains(evaluationFiles, f.Name) {
			return fmt.Errorf("not a packed run: it holds %q: make one by \"ffs export --out FILE.zip\"", f.Name)
		}
		configured = configured || f.Name == configFile
		content, err := read(f, left)
		if err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
		left -= int64(len(content))
		target := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		if isWeights {
			err = writeWidened(target, content)
		} else {
			err = os.WriteFile(target, content, 0o644)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	if !configured {
		return fmt.Errorf("not a packed run: it has no %s", configFile)
	}
	return nil
}

func read(f *zip.File, most int64) ([]byte, error) {
	file, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, most+1))
	if err == nil && int64(len(content)) > most {
		err = fmt.Errorf("the archive unpacks to more than %d bytes", int64(maxUnpacked))
	}
	return content, err
}

func writeWidened(path string, content []byte) error {
	weights, err := checkpoint.Decode(content)
	if err != nil {
		return err
	}
	widened, err := widen(weights.Tensors)
	if err != nil {
		return err
	}
	return checkpoint.WriteSafeTensors(path, widened, metadata(weights))
}

// metadata is what stands beside the weights in a safetensors file, without the checksum, which is
// of the elements.
func metadata(f *checkpoint.File) map[string]string {
	out := map[string]string{}
	for key, value := range f.Values {
		if text, ok := value.(string); ok {
			out[key] = text
		}
	}
	return out
}
