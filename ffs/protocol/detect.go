package protocol

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"ffslab/data"
	"ffslab/ffs/eval"
	"ffslab/ffs/infer"
)

// Files in the folder of a set. While the model runs, the record grows; then the detections and
// their source replace it.
const (
	detectionsFile = "detections.json"
	sourceFile     = "source.json"
	recordFile     = "detections.partial.jsonl"
)

// detect returns the model's detections on a set and stores them in the folder of the set. It uses
// those that lie there from the same model and set, and completes those of an interrupted
// evaluation. Memory holds all detections, but only a few images.
func (o Options) detect(ctx context.Context, identity infer.Identity, set *data.Dataset, ids []data.ID) (eval.Results, error) {
	results := eval.Results{Annotations: Annotations(set)}
	folder := filepath.Join(o.Out, FolderName(set.Label()))
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return results, err
	}
	from, err := sourceOf(identity, set, ids)
	if err != nil {
		return results, fmt.Errorf("%s: %w", set.Name, err)
	}
	if finished, err := from.finished(folder); err != nil {
		return results, err
	} else if finished && (len(o.Scores) == 0 || exists(folder, featuresFile) || exists(folder, allFeaturesFile)) {
		o.Note(fmt.Sprintf("%s: using the detections of an earlier evaluation (remove %s to detect again)", set.Name, filepath.Join(folder, sourceFile)))
		o.progress(set, len(set.Images), len(set.Images))
		return Load(o.Out, set)
	}

	outdated := []string{featuresFile}
	switch {
	case len(o.Scores) == 0:
		outdated = append(outdated, allFeaturesFile)
	case !exists(folder, allFeaturesFile):
		outdated = append(outdated, recordFile) // neither its images nor those of shards have features
		shards, err := filepath.Glob(filepath.Join(folder, featureShardFiles))
		if err != nil {
			return results, err
		}
		for _, path := range shards {
			o.Note(set.Name + ": " + path + ": left out: it lacks the features of its detections, which the scores need")
			outdated = append(outdated, filepath.Base(path))
		}
	}
	if err := forget(folder, outdated...); err != nil {
		return results, err
	}
	log, err := openRecord(filepath.Join(folder, recordFile), from, set)
	if err != nil {
		return results, err
	}
	defer func() { _ = log.close() }() // after an error; the end closes it too
	if log.note != "" {
		o.Note(set.Name + ": " + log.note)
	}
	shards, err := log.takeIn(from, set, len(o.Scores) > 0, o.Note)
	if err != nil {
		return results, err
	}
	if err := o.complete(ctx, log, set, ids); err != nil {
		return results, fmt.Errorf("%s: %w", set.Name, err)
	}
	count := 0
	for _, detections := range log.found {
		count += len(detections)
	}
	results.Detections = make([]eval.Detection, 0, count)
	for _, image := range set.Images { // batches may be in another order
		results.Detections = append(results.Detections, log.found[image.ID]...)
		delete(log.found, image.ID) // never hold two copies of all detections
	}
	path := filepath.Join(folder, detectionsFile)
	if err := eval.WriteDetections(path, results.Detections); err != nil {
		return results, err
	}
	if err := from.save(folder); err != nil {
		return results, err
	}
	err = errors.Join(log.close(), os.Remove(log.path))
	for _, path := range shards {
		err = errors.Join(err, os.Remove(path))
	}
	return results, err
}

// complete runs the model on the images that the record lacks and adds their detections to it.
func (o Options) complete(ctx context.Context, log *record, set *data.Dataset, ids []data.ID) (err error) {
	done, err := o.elsewhere(set)
	if err != nil {
		return err
	}
	total := len(set.Images) - len(done)
	for i, image := range set.Images {
		if _, ok := log.found[image.ID]; ok {
			done[i] = true
		}
	}
	if len(log.found) > 0 {
		o.progress(set, len(log.found), total)
	}
	var file *featureFile
	if len(o.Scores) > 0 {
		if file, err = openFeatureFile(filepath.Dir(log.path), o.Model.Config.Model.ROI.FeatureDim(), len(set.Images)); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, file.close()) }()
	}
	err = o.Model.DetectRemaining(ctx, set, ids, done, func(batch []infer.ImageDetections) error {
		entries := make([]imageRecord, len(batch))
		for i, found := range batch {
			entries[i] = imageRecord{ID: set.Images[found.Index].ID, Detections: found.Detections}
			if file == nil {
				continue
			}
			if err := file.add(found.Index, found.Detections, found.Features); err != nil {
				return err
			}
		}
		if err := log.add(entries); err != nil {
			return err
		}
		for i := range batch {
			o.progress(set, len(log.found)-len(batch)+1+i, total)
		}
		return nil
	})
	if err != nil && ctx.Err() != nil {
		o.Note(fmt.Sprintf("%s: stopped after %d of %d images: run the same command to continue", set.Name, len(log.found), total))
	}
	return err
}

func (o Options) progress(set *data.Dataset, done, total int) {
	if o.Progress != nil {
		o.Progress(set.Name, done, total)
	}
}
