package cli

import (
	"fmt"
	"os"
	"path/filepath"

	"ffslab/data"
)

// spareInputs returns an error if one of the files that a command is to write is the annotation
// file or a picture of the set that it reads. It compares files of the same name: a set may have
// too many to look at each, and one that is replaced has its name unless it is a link.
func spareInputs(outputs []string, set *data.Dataset) error {
	inputs := map[string][]string{} // by name
	add := func(path string) { inputs[filepath.Base(path)] = append(inputs[filepath.Base(path)], path) }
	add(set.Annotations)
	for i := range set.Images {
		add(set.Images[i].File)
	}
	for _, out := range outputs {
		there, err := os.Stat(out)
		if err != nil {
			continue // nothing is there to lose
		}
		for _, input := range inputs[filepath.Base(out)] {
			if info, err := os.Stat(input); err == nil && os.SameFile(info, there) {
				return fmt.Errorf("%s would be replaced, which the command reads: choose another --out", out)
			}
		}
	}
	return nil
}
