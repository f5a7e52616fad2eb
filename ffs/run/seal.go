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

// sealMark begins the last line of config.yaml, a comment with the checksum of the lines above.
const sealMark = "# SHA-256 of the lines above: "

func seal(text []byte) []byte {
	return fmt.Appendf(text, "%s%x\n", sealMark, sha256.Sum256(text))
}

var errSeal = errors.New("changed since it was written: the checksum in its last line does not match")

// unseal reports whether the text ends with a checksum, and returns an error if the checksum is
// wrong.
func unseal(text []byte) (sealed bool, err error) {
	start := bytes.LastIndexByte(bytes.TrimRight(text, "\n"), '\n') + 1
	if !bytes.HasPrefix(text[start:], []byte(strings.TrimSpace(sealMark))) {
		return false, nil // of an older version, or the line was removed
	}
	if !bytes.Equal(seal(bytes.Clone(text[:start])), text) {
		return false, errSeal
	}
	return true, nil
}

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

// brokenSeal returns the error for a config.yaml that was changed. It names the first key that
// differs in the newest undamaged checkpoint.
func brokenSeal(dir string, fault error) error {
	path := filepath.Join(dir, configFile)
	what := "restore it from a backup, or undo the change"
	if r, err := openBroken(dir); err == nil {
		var other *ConfigError
		if _, err := r.read(); errors.As(err, &other) {
			what = fmt.Sprintf("%s is %s, and %s in the checkpoint of step %d: undo the change", other.Key, other.Here, other.There, other.Step)
		}
	}
	return fmt.Errorf("%s: %w: %s (to continue with another setting, resume the run with it)", path, fault, what)
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

// Allows returns an error unless the run can continue with c. The keys of model and input, for
// which its weights are made, must not change, and train.max_iter must not be below the steps that
// the run has.
func (r *Run) Allows(c config.Config) error {
	train := c.Train
	c.Train, c.Data = r.Config.Train, r.Config.Data
	if key, here, there := r.Config.Difference(c); key != "" {
		return fmt.Errorf("%s: %s cannot become %s: the run's weights are made for %s; start another run", r.Dir, key, there, here)
	}
	steps, err := r.Checkpoints()
	if err != nil {
		return err
	}
	if len(steps) > 0 {
		return r.mayEndAt(train.MaxIter, steps[len(steps)-1])
	}
	return nil
}

// mayEndAt returns an error if a training to the step maxIter has passed it.
func (r *Run) mayEndAt(maxIter, step int) error {
	if step > maxIter {
		return fmt.Errorf("%s: train.max_iter cannot be %d: the run has %d steps already; set it to %d or more, or start another run", r.Dir, maxIter, step, step)
	}
	return nil
}

// Change sets the configuration of the run, which is locked, to c and writes it to config.yaml. The
// run must allow c.
func (r *Run) Change(c config.Config) error {
	if err := r.Allows(c); err != nil {
		return err
	}
	c.Origin = r.Config.Origin
	r.Config = c
	return r.saveConfig()
}
