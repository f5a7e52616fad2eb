// Package protocol is the evaluation of FFS and VOS as one call: the detector runs on the inlier set and on every outlier set, the
// score threshold found on the first is used on all, and what was counted, with which threshold, is written down. In the original
// these are three programs, with a threshold that is copied by hand from one's screen to the next one's flag.
package protocol

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"ffslab/data"
	"ffslab/ffs/eval"
	"ffslab/ffs/infer"
)

// Options say what to evaluate on what.
type Options struct {
	Model *infer.Model
	// Inlier is the inlier set, whose categories are the model's classes (see data.Dataset.WithClasses); Outliers are sets without any
	// inlier object. They are named by their specs.
	Inlier   *data.Dataset
	Outliers []*data.Dataset
	// Out is the folder for metrics.json, metrics.md and a folder with detections.json for each set.
	Out string
	// Progress, if not nil, is told how many images of a set are done.
	Progress func(set string, done, total int)
}

// Run evaluates and writes the results. What is written is whole or absent; on an error the folder may hold the detections of the sets that were
// finished.
func Run(ctx context.Context, o Options) (*eval.Report, error) {
	if err := o.distinctFolders(); err != nil {
		return nil, err
	}
	ids := categoryIDs(o.Inlier)
	inlier, err := o.detect(ctx, o.Inlier, ids)
	if err != nil {
		return nil, err
	}
	outliers := make(map[string]eval.Results, len(o.Outliers))
	for _, set := range o.Outliers {
		if outliers[set.Name], err = o.detect(ctx, set, ids); err != nil {
			return nil, err
		}
	}
	report, err := eval.Evaluate(inlier, outliers, eval.Settings{})
	if err != nil {
		return nil, err
	}
	return report, errors.Join(
		report.Save(filepath.Join(o.Out, "metrics.json")),
		report.SaveMarkdown(filepath.Join(o.Out, "metrics.md")))
}

// distinctFolders returns an error if the detections of two sets would be written into one folder.
func (o Options) distinctFolders() error {
	taken := map[string]string{}
	for _, set := range append([]*data.Dataset{o.Inlier}, o.Outliers...) {
		folder := FolderName(set.Name)
		switch other, twice := taken[folder]; {
		case twice && other == set.Name:
			return fmt.Errorf("the set %s is given twice: leave one out", set.Name)
		case twice:
			return fmt.Errorf("the results of %s and %s would share the folder %s: rename one of the files", other, set.Name, folder)
		}
		taken[folder] = set.Name
	}
	return nil
}

// detect runs the model on a set and writes its detections.
func (o Options) detect(ctx context.Context, set *data.Dataset, ids []int64) (eval.Results, error) {
	results := eval.Results{Annotations: Annotations(set)}
	perImage := make([][]eval.Detection, len(set.Images))
	done := 0
	err := o.Model.Detect(ctx, set, func(found infer.ImageDetections) error {
		perImage[found.Index] = o.records(found.Detections, set.Images[found.Index].ID, ids)
		done++
		if o.Progress != nil {
			o.Progress(set.Name, done, len(set.Images))
		}
		return nil
	})
	if err != nil {
		return results, fmt.Errorf("%s: %w", set.Name, err)
	}
	for _, detections := range perImage {
		results.Detections = append(results.Detections, detections...)
	}
	folder := filepath.Join(o.Out, FolderName(set.Name))
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return results, err
	}
	return results, eval.WriteDetections(filepath.Join(folder, "detections.json"), results.Detections)
}

// records are an image's detections in the form of the results file.
func (o Options) records(detections []infer.Detection, imageID int64, ids []int64) []eval.Detection {
	records := make([]eval.Detection, len(detections))
	for i, d := range detections {
		logits := make([]float64, len(d.Logits))
		for j, l := range d.Logits {
			logits[j] = float64(l)
		}
		records[i] = eval.Detection{
			ImageID: imageID, CategoryID: ids[d.Class], Score: d.Score, Logits: logits, Energy: &d.Energy,
			Box: [4]float64{d.Box[0], d.Box[1], d.Box[2] - d.Box[0], d.Box[3] - d.Box[1]},
		}
		if o.Model.HasEnergy() {
			records[i].WeightedEnergy, records[i].Logistic = &d.WeightedEnergy, &d.Logistic
		}
		if o.Model.HasFlow() {
			records[i].NLL = &d.NLL
		}
	}
	return records
}

// categoryIDs are the annotation file's ids of the model's classes, or index + 1 for a class that it does not have.
func categoryIDs(set *data.Dataset) []int64 {
	ids := make([]int64, len(set.Categories))
	for i, c := range set.Categories {
		ids[i] = c.ID
		if c.ID == 0 {
			ids[i] = int64(i + 1)
		}
	}
	return ids
}

// Annotations are a set's ground truth in the form of the measures.
func Annotations(set *data.Dataset) *eval.Annotations {
	ids := categoryIDs(set)
	a := &eval.Annotations{}
	for i, c := range set.Categories {
		a.Categories = append(a.Categories, eval.Category{ID: ids[i], Name: c.Name})
	}
	for _, image := range set.Images {
		a.ImageIDs = append(a.ImageIDs, image.ID)
		for _, o := range image.Instances {
			a.Objects = append(a.Objects, eval.GroundTruth{
				ImageID: image.ID, CategoryID: ids[o.Category], Area: o.Area, Crowd: o.Crowd,
				Box: [4]float64{o.Box[0], o.Box[1], o.Box[2] - o.Box[0], o.Box[3] - o.Box[1]},
			})
		}
	}
	return a
}

// FolderName turns a spec into the name of its folder: what a file system may not take becomes "-".
func FolderName(spec string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '_':
			return r
		}
		return '-'
	}, spec), "-.")
}
