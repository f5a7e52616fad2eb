package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

// together is the largest number of notebooks that run at a time: Go compiles a cell of one while
// another one computes. More would need more memory and save nothing on few cores.
const together = 2

// before returns, for each notebook, the indices of those that must run before it: the previous one
// or, if its metadata name some in "after", those of the previous ones. If notebooks train the runs
// that they explore, those in "after_training" are added. Names of notebooks that do not run are
// ignored, because --only leaves some out.
func before(notebooks []string, contents [][]byte, training bool) ([][]int, error) {
	all := make([][]int, len(notebooks))
	for i, notebook := range notebooks {
		var file struct {
			Metadata struct {
				FFSLab struct {
					After         *[]string `json:"after"`
					AfterTraining []string  `json:"after_training"`
				} `json:"ffslab"`
			} `json:"metadata"`
		}
		if err := json.Unmarshal(contents[i], &file); err != nil {
			return nil, fmt.Errorf("%s: %w: a notebook is JSON, and its ffslab.after a list of names", notebook, err)
		}
		if file.Metadata.FFSLab.After == nil {
			if i > 0 {
				all[i] = []int{i - 1}
			}
			continue
		}
		after := *file.Metadata.FFSLab.After
		if training {
			after = append(after, file.Metadata.FFSLab.AfterTraining...)
		}
		for k, other := range notebooks[:i] {
			if slices.Contains(after, strings.TrimSuffix(filepath.Base(other), ".ipynb")) {
				all[i] = append(all[i], k)
			}
		}
	}
	return all, nil
}

// inOrder calls do for every index after it has returned for those in before[i], with at most n
// calls at a time. The first error ends the others' context.
func inOrder(ctx context.Context, before [][]int, n int, do func(ctx context.Context, i int) error) error {
	work, ctx := errgroup.WithContext(ctx)
	free := make(chan struct{}, n)
	done := make([]chan struct{}, len(before))
	for i := range done {
		done[i] = make(chan struct{})
	}
	for i := range before {
		work.Go(func() error {
			for _, k := range before[i] {
				select {
				case <-done[k]:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			select {
			case free <- struct{}{}:
			case <-ctx.Done():
				return ctx.Err()
			}
			defer func() { <-free }()
			if err := do(ctx, i); err != nil {
				return err
			}
			close(done[i])
			return nil
		})
	}
	return work.Wait()
}
