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

// Cells is what the notebooks' cells are told. They read it from the environment: FFSLAB_OUT,
// FFSLAB_QUICK (1), FFSLAB_TRAIN (1), FFSLAB_RUN, FFSLAB_ID, FFSLAB_OOD (one specification a line),
// FFSLAB_STUDY (one folder a line), and FFSLAB_ROOT, the repository; what is not set is empty.
type Cells struct {
	Out     string            // folder for what the cells write; empty: "out"
	Quick   bool              // fewer pictures, fewer steps
	Train   bool              // train the runs to look at, instead of taking the zoo's
	RunDir  string            // a run folder or a detector of the zoo to look at
	ID      string            // the inlier data set of RunDir
	OOD     []string          // its outlier data sets
	Studies []string          // folders of studies to show instead of the repository's results
	Device  device.Options    // the backend of the cells, and of the check before them
	Env     map[string]string // more environment for the cells
}

// out is the absolute path of the output folder.
func (c Cells) out() (string, error) { return filepath.Abs(cmp.Or(c.Out, "out")) }

// environment returns the variables that tell the cells what c says. A folder that is not there is
// an error.
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

// runFolder is the absolute path of the run that the cells look at.
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
