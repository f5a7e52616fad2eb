// Package cachedir locates the folder in which ffslab keeps what it can compute or download again.
package cachedir

import (
	"fmt"
	"os"
	"path/filepath"
)

// Env is the environment variable that sets the folder, for a home that is small, shared or
// read-only.
const Env = "FFSLAB_CACHE"

// Path returns the path of an entry of the folder, by default under ffslab in the user's cache
// folder (on Linux ~/.cache/ffslab). It creates nothing. If the user has no cache folder, the error
// says what to set.
func Path(elements ...string) (string, error) {
	root := os.Getenv(Env)
	if root == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("no place for a cache (%w): set HOME, or %s to a writable folder", err, Env)
		}
		root = filepath.Join(user, "ffslab")
	}
	root, err := filepath.Abs(root)
	if err != nil {
		return "", err
	}
	return filepath.Join(append([]string{root}, elements...)...), nil
}
