package lab

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/gomlx/compute"

	"ffslab/ffs/device"
	"ffslab/ffs/zoo"
)

// Cells are settings for the cells of notebooks, which read them from environment variables (see
// explore.Open).
type Cells struct {
	Out     string            // output folder; empty: "out"
	Quick   bool              // fewer images and steps
	Train   bool              // train the runs instead of taking the zoo's
	RunDir  string            // run folder or detector of the zoo to explore; empty: the zoo's, or those trained
	ID      string            // inlier data set of RunDir; empty: the run's own
	OOD     []string          // outlier data sets of RunDir; empty: the run's own
	Studies []string          // folders of studies; empty: the results in the repository
	Device  device.Options    // backend of the cells
	Env     map[string]string // further environment variables
}

// out returns the absolute path of the output folder.
func (c Cells) out() (string, error) { return filepath.Abs(cmp.Or(c.Out, "out")) }

// environment returns the environment variables of the settings. It is an error if a run or study
// folder does not exist.
func (c Cells) environment() (map[string]string, error) {
	out, err := c.out()
	if err != nil {
		return nil, err
	}
	settings := map[string]string{
		"FFSLAB_OUT": out, "FFSLAB_QUICK": "", "FFSLAB_TRAIN": "", "FFSLAB_RUN": "", "FFSLAB_ID": c.ID, "FFSLAB_OOD": strings.Join(c.OOD, "\n"),
	}
	if c.Quick {
		settings["FFSLAB_QUICK"] = "1"
	}
	if c.Train {
		settings["FFSLAB_TRAIN"] = "1"
	}
	if c.RunDir != "" {
		if settings["FFSLAB_RUN"], err = runFolder(c.RunDir); err != nil {
			return nil, err
		}
	}
	studies := make([]string, len(c.Studies))
	for i, dir := range c.Studies {
		if studies[i], err = filepath.Abs(dir); err != nil {
			return nil, err
		}
		if _, err := os.Stat(filepath.Join(studies[i], "study.json")); err != nil {
			return nil, fmt.Errorf("study folder: %w", err)
		}
	}
	settings["FFSLAB_STUDY"] = strings.Join(studies, "\n")
	if c.Device.Backend != "" {
		settings[compute.ConfigEnvVar] = c.Device.Backend
	}
	maps.Copy(settings, c.Env)
	return settings, nil
}

// runFolder returns the absolute path of a run folder or of a detector of the zoo.
func runFolder(name string) (string, error) {
	dir, err := zoo.Folder(name)
	if err != nil {
		return "", err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return "", err
	}
	if _, err := os.Stat(dir); err != nil {
		return "", fmt.Errorf("run folder: %w", err)
	}
	return dir, nil
}
