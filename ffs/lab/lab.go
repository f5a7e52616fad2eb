// Package lab installs what the notebooks need and runs them: a Python environment with Jupyter,
// the Go kernel (GoNB) built from go.mod, and the XLA plugin. Everything is installed once, into
// the user's cache folder. The kernel's specification is part of the repository
// (notebooks/kernels).
package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ffslab/ffs/internal/remedy"
)

// kernelName is the name of the Go kernel, a folder under notebooks/kernels.
const kernelName = "ffslab-go"

// modulePath is the first line of the go.mod that marks the repository's root.
const modulePath = "module ffslab"

// FindRoot returns the root of the repository that contains the working directory.
func FindRoot() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if isRoot(filepath.Join(dir, "go.mod")) {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("%s is not inside a clone of ffslab, whose notebooks and sources are needed: change to one", start)
		}
	}
}

func isRoot(goMod string) bool {
	text, _ := os.ReadFile(goMod) // empty if it is absent
	first, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimSpace(first) == modulePath
}

// checkKernel returns an error if the Go kernel cannot work in the repository at root.
func checkKernel(root string) error {
	if strings.Contains(root, ",") {
		return &remedy.Error{
			Fault:  fmt.Sprintf("the Go kernel cannot work in %s, whose comma separates paths for GoNB", root),
			Remedy: "move the repository to a path without a comma",
		}
	}
	dir := filepath.Join(root, "notebooks", "kernels", kernelName)
	for _, name := range []string{"kernel.json", "run"} {
		info, err := os.Stat(filepath.Join(dir, name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return &remedy.Error{Fault: filepath.Join(dir, name) + " is missing", Remedy: "git checkout -- notebooks/kernels"}
		case err != nil:
			return err
		case name == "run" && info.Mode()&0o111 == 0:
			return &remedy.Error{Fault: filepath.Join(dir, name) + " is not executable", Remedy: "chmod +x it"}
		}
	}
	return nil
}

// Notebooks returns the notebooks in the folder dir, ordered by name. Unless only is empty, their
// names begin with one of its elements ("03", "03_latent_sampling"). It is an error if an element
// matches none.
func Notebooks(dir string, only []string) ([]string, error) {
	all, err := filepath.Glob(filepath.Join(dir, "*.ipynb"))
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s holds no notebooks", dir)
	}
	if len(only) == 0 {
		return all, nil
	}
	matched := make(map[string]bool)
	chosen := slices.DeleteFunc(slices.Clone(all), func(path string) bool {
		keep := false
		for _, prefix := range only {
			if strings.HasPrefix(filepath.Base(path), prefix) {
				keep, matched[prefix] = true, true
			}
		}
		return !keep
	})
	for _, prefix := range only {
		if !matched[prefix] {
			return nil, fmt.Errorf("no notebook begins with %q: there are %s", prefix, strings.Join(baseNames(all), ", "))
		}
	}
	return chosen, nil
}

func baseNames(paths []string) []string {
	names := make([]string, len(paths))
	for i, path := range paths {
		names[i] = filepath.Base(path)
	}
	return names
}
