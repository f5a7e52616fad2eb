// Package protocol runs the evaluation of FFS and VOS in one call. The detector runs on the inlier
// set and on every outlier set; the score threshold found on the inlier set is used on all; the
// results say what was counted and with which threshold. The original has three programs for this,
// and the user copies the threshold by hand.
package protocol

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"github.com/gofrs/flock"

	"ffslab/data"
	"ffslab/data/lenient"
	"ffslab/ffs/eval"
	"ffslab/ffs/eval/figures"
	"ffslab/ffs/eval/posthoc"
	"ffslab/ffs/infer"
)

// Options say what to evaluate.
type Options struct {
	Model *infer.Model
	// RunName is the name of the model's run in the report.
	RunName string
	// RunDir is the folder of that run. Unless it is empty, Out is found by [EvaluateRun] of the
	// same weights and sets.
	RunDir string
	// Inlier is the inlier set, whose categories are the model's classes (see
	// data.Dataset.WithClasses). Outliers are sets of unknown objects. One that holds known objects
	// too is measured object by object (see eval.ByObject), unless ByImage asks for the original's
	// protocol, by which all detections on an outlier set are outliers.
	Inlier   *data.Dataset
	Outliers []*data.Dataset
	ByImage  bool
	// Corruption names the corruption of the images of all sets, for the report; empty means none
	// (see corrupt.Choice).
	Corruption string
	// Out is the folder for metrics.json, metrics.md, tables/, figures/ and, for each set, a folder
	// with detections.json.
	Out string
	// Temperature is that of the outlier scores; 0 means 1. Bootstrap asks for intervals.
	Temperature float64
	Bootstrap   eval.Bootstrap
	// Threshold is the convention of the score threshold.
	Threshold eval.Convention
	// Scores are the names of post-hoc scores of package score to add to those of the model, or
	// "all"; nil means none. They are fitted on about FitLimit annotated objects of Train (0 means
	// [FitLimit]), whose categories are the model's classes. If Train is nil, scores that need
	// inliers are left out.
	Scores   []string
	Train    *data.Dataset
	FitLimit int
	// Earlier, unless empty, is the folder of another evaluation of the run, which is only read.
	// The features that its scores were fitted on are used again if weights and objects are the
	// same.
	Earlier string
	// FitDetections fits the scores on the model's detections in the images of these objects, of
	// probability 0.5 and more, instead of the objects' own boxes. Test features come from
	// detections, too.
	FitDetections bool
	// Progress, if not nil, is called with the number of images of a set that are done.
	Progress func(set string, done, total int)
	// Note, if not nil, is called with messages that deserve attention: a training that is not
	// finished, detections of an earlier evaluation that are used or discarded, inlier objects in
	// an outlier set.
	Note func(message string)

	shard Shard // see RunShard
	wait  bool  // for another evaluation into Out, instead of an error
}

// Run evaluates and writes the results. Detections are appended to a file as they come. If an
// evaluation is stopped by ctx, an error or a kill, the next Run of the same model on the same sets
// into the same folder continues it and ends with the same numbers. Other files are written whole
// or not at all. It is an error if another process is evaluating into the folder, or if the folder
// holds results of another corruption.
func Run(ctx context.Context, o Options) (*eval.Report, error) {
	if err := o.distinctFolders(); err != nil {
		return nil, err
	}
	if err := o.sameCorruption(); err != nil {
		return nil, err
	}
	if o.Inlier.Unlabelled {
		return nil, fmt.Errorf("%s: the inlier set has no annotations: AP and the score threshold need boxes", o.Inlier.Name)
	}
	if o.Note == nil {
		o.Note = func(string) {}
	}
	if _, err := posthoc.Resolve(o.Scores); err != nil {
		return nil, err
	}
	unlock, err := lock(ctx, o.Out, o.wait)
	if err != nil {
		return nil, err
	}
	defer unlock()
	record := filepath.Join(o.Out, sourceFile)
	if err := Forget(record); err != nil {
		return nil, err
	}
	identity, err := o.Model.Identity()
	if err != nil {
		return nil, err
	}
	subject, err := o.subject(identity)
	if err != nil {
		return nil, err
	}
	if subject.Unfinished() {
		o.Note(fmt.Sprintf("the training is not finished: this measures step %d of %d", subject.Step, subject.Steps))
	}
	ids := categoryIDs(o.Inlier)
	inlier, err := o.detect(ctx, identity, o.Inlier, ids)
	if err != nil {
		return nil, err
	}
	found := make([]eval.Results, len(o.Outliers))
	for i, set := range o.Outliers {
		if set.Unlabelled {
			o.Note(set.Name + ": its objects are not annotated: AUROC, AUPR and FPR95 are measured; open-set tables need boxes")
		}
		if found[i], err = o.detect(ctx, identity, set, ids); err != nil {
			return nil, err
		}
		if !o.ByImage {
			found[i].Annotations = unknownIn(set, o.Inlier)
		}
		found[i].Groups = o.groups(set, found[i].Annotations.Known)
	}
	if len(o.Scores) == 0 {
		for _, results := range append([]eval.Results{inlier}, found...) {
			o.forgetScores(results.Detections)
		}
	}
	settings := eval.Settings{Temperature: o.Temperature, Bootstrap: o.Bootstrap, Threshold: o.Threshold}
	if o.Temperature != 0 && o.Temperature != 1 {
		if settings.Layer, err = o.Model.EnergyLayer(); err != nil {
			return nil, err
		}
	}
	report, err := settings.MeasureDetection(inlier)
	if err != nil {
		return nil, err
	}
	report.Subject, report.Corruption = subject, o.Corruption
	if len(o.Scores) > 0 && report.ScoreThreshold != nil {
		sets := []measured{{o.Inlier, &inlier}}
		for i, set := range o.Outliers {
			sets = append(sets, measured{set, &found[i]})
		}
		err := o.addScores(ctx, identity, report, ids, sets)
		if tooMany := tooManyFeatures(""); errors.As(err, &tooMany) {
			err = o.leaveScoresOut(report, sets, tooMany.Error())
		}
		if err != nil {
			return nil, err
		}
	}
	outliers := make(map[string]eval.Results, len(o.Outliers))
	for i, set := range o.Outliers {
		outliers[set.Name] = found[i]
	}
	if err := settings.MeasureOutliers(report, inlier, outliers); err != nil {
		return nil, err
	}
	err = errors.Join(
		report.Save(filepath.Join(o.Out, "metrics.json")),
		report.SaveMarkdown(filepath.Join(o.Out, "metrics.md")),
		report.SaveTables(filepath.Join(o.Out, "tables")),
		figures.Save(report, filepath.Join(o.Out, "figures"), FolderName))
	if err != nil || o.RunDir == "" || !o.plain() {
		return report, err
	}
	source, err := provenance(o.RunDir, identity.Step, identity.Parameters, 0, append([]*data.Dataset{o.Inlier}, o.Outliers...))
	if err != nil {
		return report, err
	}
	return report, source.save(record)
}

// plain reports whether the results are those of the sets as they are, by the protocol's own
// settings.
func (o Options) plain() bool {
	return o.Corruption == "" && !o.ByImage && (o.Temperature == 0 || o.Temperature == 1)
}

// lock keeps other processes from evaluating into the folder, which it creates if needed. If
// another one does, lock waits for it until ctx ends, or returns an error.
func lock(ctx context.Context, dir string, wait bool) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	l := flock.New(filepath.Join(dir, ".lock"))
	free, err := l.TryLock()
	if err == nil && !free && wait {
		free, err = l.TryLockContext(ctx, time.Second)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: cannot be locked: %w", dir, err)
	}
	if !free {
		return nil, fmt.Errorf("%s: another evaluation is writing into this folder: wait for it, or name another folder", dir)
	}
	return func() { _ = l.Unlock() }, nil
}

// distinctFolders returns an error if the detections of two sets would go into one folder.
func (o Options) distinctFolders() error {
	taken := map[string]string{}
	for _, set := range append([]*data.Dataset{o.Inlier}, o.Outliers...) {
		folder := FolderName(set.Label())
		switch other, twice := taken[folder]; {
		case twice && other == set.Name:
			return fmt.Errorf("two sets are called %s: leave one out, or give them names of their own (NAME=SPEC)", set.Name)
		case twice:
			return fmt.Errorf("the results of %s and %s would share the folder %s: give one a name of its own (NAME=%s)", other, set.Name, folder, cmp.Or(set.Spec, set.Name))
		}
		taken[folder] = set.Name
	}
	return nil
}

// sameCorruption returns an error if the folder holds results of images with another corruption. An
// unreadable report counts as absent.
func (o Options) sameCorruption() error {
	path := filepath.Join(o.Out, "metrics.json")
	before, err := eval.ReadReport(path)
	if err != nil || before.Corruption == o.Corruption {
		return nil
	}
	name := func(corruption string) string {
		if corruption == "" {
			return "clean images"
		}
		return "the corruption " + corruption
	}
	return fmt.Errorf("%s holds results of %s, these are of %s: choose another folder for the results", path, name(before.Corruption), name(o.Corruption))
}

// Load returns what an earlier Run into the folder out left of a set: its annotations, and all
// detections with their scores. It is an error if there are none.
func Load(out string, set *data.Dataset) (eval.Results, error) {
	detections, err := eval.ReadDetections(filepath.Join(out, FolderName(set.Label()), detectionsFile), lenient.New(false))
	return eval.Results{Annotations: Annotations(set), Detections: detections}, err
}

func categoryIDs(set *data.Dataset) []data.ID {
	ids := make([]data.ID, len(set.Categories))
	for i, c := range set.Categories {
		ids[i] = c.ID
	}
	return ids
}

// Annotations returns the ground truth of a set in the form of package eval.
func Annotations(set *data.Dataset) *eval.Annotations {
	a := &eval.Annotations{Absent: map[data.ID]bool{}}
	for _, c := range set.Categories {
		a.Categories = append(a.Categories, eval.Category{ID: c.ID, Name: c.Name})
		if c.Absent {
			a.Absent[c.ID] = true
		}
	}
	for _, image := range set.Images {
		a.ImageIDs = append(a.ImageIDs, image.ID)
		a.Sizes = append(a.Sizes, [2]float64{float64(image.Width), float64(image.Height)})
		for _, o := range image.Instances {
			a.Objects = append(a.Objects, eval.GroundTruth{
				ImageID: image.ID, CategoryID: set.Categories[o.Category].ID, Area: o.Area, Crowd: o.Crowd,
				Box: o.Box.COCO(),
			})
		}
	}
	return a
}

// FolderName returns the folder name for a set's label: characters that a file system may reject
// become "-". It is never empty.
func FolderName(label string) string {
	name := strings.Trim(strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Letter, unicode.Mark, unicode.Number) || r == '.' || r == '_' {
			return r
		}
		return '-'
	}, label), "-.")
	return cmp.Or(name, "set")
}
