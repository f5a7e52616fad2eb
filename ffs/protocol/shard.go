package protocol

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"ffslab/data"
	"ffslab/ffs/eval"
	"ffslab/ffs/infer"
)

// Shard is one of Count parts of an evaluation; Index counts from 1. Parts consist of whole
// batches, so that every image is detected together with the same images, and gets the same
// numbers, as in an undivided evaluation. The zero Shard is the whole.
type Shard struct{ Index, Count int }

// ParseShard parses a shard such as "2/8".
func ParseShard(text string) (Shard, error) {
	var s Shard
	var rest string
	if n, _ := fmt.Sscanf(text+" .", "%d/%d %s", &s.Index, &s.Count, &rest); n != 3 || rest != "." || s.Index < 1 || s.Index > s.Count {
		return s, fmt.Errorf("shard %q: want INDEX/COUNT, for example 2/8, from 1/8 to 8/8", text)
	}
	return s, nil
}

// RunShard detects on the shard's images of every set and leaves the detections in a record in the
// folder of the set. Run with the same options then reads the records of all shards, detects what
// is missing, and writes the same bytes as an undivided evaluation. Shards may run at the same
// time, on several machines that share the folder; in the file of features, which they share, each
// image has its own place. Only one process may run a shard at a time. The same call continues a
// shard that was stopped.
func RunShard(ctx context.Context, o Options, s Shard) error {
	if err := errors.Join(o.distinctFolders(), o.sameCorruption()); err != nil {
		return err
	}
	if o.Note == nil {
		o.Note = func(string) {}
	}
	o.shard = s
	identity, err := o.Model.Identity()
	if err != nil {
		return err
	}
	ids := categoryIDs(o.Inlier)
	for _, set := range append([]*data.Dataset{o.Inlier}, o.Outliers...) {
		if err := o.detectShard(ctx, identity, set, ids); err != nil {
			return fmt.Errorf("%s: %w", set.Name, err)
		}
	}
	return nil
}

// detectShard completes the record of the shard.
func (o Options) detectShard(ctx context.Context, identity infer.Identity, set *data.Dataset, ids []data.ID) (err error) {
	folder := filepath.Join(o.Out, FolderName(set.Label()))
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	from, err := sourceOf(identity, set, ids)
	if err != nil {
		return err
	}
	if finished, err := from.finished(folder); err != nil || finished {
		return err
	}
	log, err := openRecord(filepath.Join(folder, o.shardFile()), from, set)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.close()) }()
	if log.note != "" {
		o.Note(set.Name + ": " + log.note)
	}
	return o.complete(ctx, log, set, ids)
}

// shardFiles matches the records of shards, featureShardFiles those with stored features.
const (
	shardFiles        = "detections.shard-*-of-*.jsonl"
	featureShardFiles = "detections.shard-*-of-*.features.jsonl"
	featureShardEnd   = ".features.jsonl"
)

// shardFile returns the name of the shard's record.
func (o Options) shardFile() string {
	name := fmt.Sprintf("detections.shard-%d-of-%d", o.shard.Index, o.shard.Count)
	if len(o.Scores) > 0 {
		return name + featureShardEnd
	}
	return name + ".jsonl"
}

// elsewhere returns the indices of the images of the set that are not the shard's.
func (o Options) elsewhere(set *data.Dataset) (map[int]bool, error) {
	others := map[int]bool{}
	if o.shard.Count == 0 {
		return others, nil
	}
	batches, err := o.Model.Batches(set)
	if err != nil {
		return nil, err
	}
	for n, batch := range batches {
		if n%o.shard.Count == o.shard.Index-1 {
			continue
		}
		for _, i := range batch {
			others[i] = true
		}
	}
	return others, nil
}

// takeIn adds the images that the record lacks from the records of shards. It returns the files of
// these, which can be removed once the detections are written. It notes and keeps records of
// another evaluation, and those without features if they are needed.
func (r *record) takeIn(from source, set *data.Dataset, features bool, note func(string)) (taken []string, err error) {
	paths, err := filepath.Glob(filepath.Join(filepath.Dir(r.path), shardFiles))
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		if features && !strings.HasSuffix(path, featureShardEnd) {
			note(set.Name + ": " + path + ": left out: it was made with --scores own, without the features that other scores need")
			continue
		}
		shard := &record{path: path, found: map[data.ID][]eval.Detection{}}
		if shard.file, err = os.Open(path); errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return nil, err
		}
		end, err := shard.read(from, set)
		if err := errors.Join(err, shard.close()); err != nil {
			return nil, err
		}
		if end == 0 {
			if shard.note != "" {
				note(set.Name + ": " + path + ": left out: " + shard.note)
			}
			continue
		}
		taken = append(taken, path)
		var batch []imageRecord
		for _, image := range set.Images {
			detections, here := shard.found[image.ID]
			if _, already := r.found[image.ID]; here && !already {
				batch = append(batch, imageRecord{ID: image.ID, Detections: detections})
			}
		}
		if len(batch) == 0 {
			continue
		}
		if err := r.add(batch); err != nil {
			return nil, err
		}
		note(fmt.Sprintf("%s: %d of %d images come from %s", set.Name, len(batch), len(set.Images), filepath.Base(path)))
	}
	return taken, nil
}
