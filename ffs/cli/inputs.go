package cli

import (
	"fmt"
	"os"
	"path/filepath"

	"ffslab/data"
)

// spareInputs returns an error if one of the files that a command is to write is an annotation file
// or a picture of the sets that it reads.
func spareInputs(outputs []string, sets ...*data.Dataset) error {
	for _, out := range outputs {
		there, err := os.Stat(out)
		if err != nil {
			continue // nothing is there to lose
		}
		same := func(input string) bool {
			// Files of other names are links at most: a set may have too many to look at each.
			if filepath.Base(input) != filepath.Base(out) {
				return false
			}
			info, err := os.Stat(input)
			return err == nil && os.SameFile(info, there)
		}
		for _, set := range sets {
			found := same(set.Annotations)
			for i := range set.Images {
				found = found || same(set.Images[i].File)
			}
			if found {
				return fmt.Errorf("%s would be replaced, which the command reads: choose another --out", out)
			}
		}
	}
	return nil
}
