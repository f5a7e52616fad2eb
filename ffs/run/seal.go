package run

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/google/renameio/v2"

	"ffslab/ffs/config"
)

// sealMark begins the last line of config.yaml, a comment with the checksum of the lines above. Every number of a run follows from them.
const sealMark = "# SHA-256 of the lines above: "

func seal(text []byte) []byte {
	return fmt.Appendf(text, "%s%x\n", sealMark, sha256.Sum256(text))
}

var errSeal = errors.New("changed since it was written: the checksum in its last line is that of other lines")

// unseal reports whether the text ends with a checksum, and an error if that is of another text.
func unseal(text []byte) (sealed bool, err error) {
	start := bytes.LastIndexByte(bytes.TrimRight(text, "\n"), '\n') + 1
	if !bytes.HasPrefix(text[start:], []byte(strings.TrimSpace(sealMark))) {
		return false, nil // of before there were checksums, or with the line taken out
	}
	if !bytes.Equal(seal(bytes.Clone(text[:start])), text) {
		return false, errSeal
	}
	return true, nil
}

// saveConfig writes config.yaml.
func (r *Run) saveConfig() error {
	text, err := yaml.Marshal(r.Config)
	if err == nil {
		err = renameio.WriteFile(r.Path(configFile), seal(text), 0o644, renameio.WithTempDir(r.Dir))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", r.Path(configFile), err)
	}
	r.sealed = true
	return nil
}

// brokenSeal is the error of a config.yaml that was changed. It names the first key that the newest whole checkpoint has otherwise.
func brokenSeal(dir string, fault error) error {
	path := filepath.Join(dir, configFile)
	what := "restore it from a copy, or undo the change"
	if r, err := openBroken(dir); err == nil {
		var other *ConfigError
		if _, err := r.read(); errors.As(err, &other) {
			what = fmt.Sprintf("%s is %s, and %s in the checkpoint of step %d: undo the change", other.Key, other.Here, other.There, other.Step)
		}
	}
	return fmt.Errorf("%s: %w: %s (to train on with another setting, resume the run with it)", path, fault, what)
}

// openBroken opens a run whose config.yaml was changed, to say what is wrong with it.
func openBroken(dir string) (*Run, error) {
	path := filepath.Join(dir, configFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	c, err := config.Parse(path, text)
	return &Run{Dir: dir, Config: c}, err
}

// Allows returns an error unless the run can go on with c: what its weights are made for, the keys of model and input, must be as it was.
func (r *Run) Allows(c config.Config) error {
	c.Train, c.Data = r.Config.Train, r.Config.Data
	if key, here, there := r.Config.Difference(c); key != "" {
		return fmt.Errorf("%s: %s cannot become %s: the run's weights are made for %s; start another run", r.Dir, key, there, here)
	}
	return nil
}

// Change makes c, which the run must allow, the configuration of the run, which is locked, and writes it to its config.yaml.
func (r *Run) Change(c config.Config) error {
	if err := r.Allows(c); err != nil {
		return err
	}
	c.Origin = r.Config.Origin
	r.Config = c
	return r.saveConfig()
}
