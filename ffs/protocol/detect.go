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

// Files in the folder of a set. While the model runs there is the record; once it is through, the detections and what they are from.
const (
	detectionsFile = "detections.json"
	sourceFile     = "source.json"
	recordFile     = "detections.partial.jsonl"
)

// detect returns the model's detections on a set and sees to it that they are in the set's folder: those that lie there from the same model and set are
// used, those of an interrupted evaluation are completed. In memory there are the detections, and a few pictures at a time.
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
		o.Note(fmt.Sprintf("%s: the detections of an earlier evaluation are used (remove %s to detect anew)", set.Name, filepath.Join(folder, sourceFile)))
		o.progress(set, len(set.Images), len(set.Images))
		return Load(o.Out, set)
	}

	outdated := []string{featuresFile}
	switch {
	case len(o.Scores) == 0:
		outdated = append(outdated, allFeaturesFile)
	case !exists(folder, allFeaturesFile):
		outdated = append(outdated, recordFile) // its images have no features, nor have those of shards
		shards, err := filepath.Glob(filepath.Join(folder, featureShardFiles))
		if err != nil {
			return results, err
		}
		for _, path := range shards {
			o.Note(set.Name + ": " + path + ": left out: the features of its detections are missing, which the scores need")
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
	defer log.close()
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
	for _, image := range set.Images { // in the set's order, whatever the batches were
		results.Detections = append(results.Detections, log.found[image.ID]...)
		delete(log.found, image.ID) // so that there are never two copies of all
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

// complete runs the model on the images that the record lacks, and adds them to it.
func (o Options) complete(ctx context.Context, log *record, set *data.Dataset, ids []data.ID) error {
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
		defer file.close()
	}
	err = o.Model.DetectRest(ctx, set, ids, done, func(batch []infer.ImageDetections) error {
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
		o.Note(fmt.Sprintf("%s: stopped after %d of %d images: the same command goes on from there", set.Name, len(log.found), total))
	}
	return err
}

func (o Options) progress(set *data.Dataset, done, total int) {
	if o.Progress != nil {
		o.Progress(set.Name, done, total)
	}
}
