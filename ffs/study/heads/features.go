package heads

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"ffslab/data"
	"ffslab/ffs/eval"
	"ffslab/ffs/features"
	"ffslab/ffs/infer"
	"ffslab/ffs/npz"
	"ffslab/ffs/protocol"
)

// extracted is what the detector says, once for all heads.
type extracted struct {
	// pool are the proposals that heads are trained on, fit the annotated objects that scores are
	// fitted on, and detections, for each set, those that count, in the order of kept.
	pool       *pool
	fit        *features.Table
	detections []*features.Table
	kept       *protocol.Evaluation
	// from identifies all of it.
	from protocol.Provenance
}

// extract returns the features, those that are kept or else new ones.
func (o Options) extract(ctx context.Context) (*extracted, error) {
	images := spread(o.Training, o.Images)
	from, err := protocol.ProvenanceOf(o.Run.Run, 0, append([]*data.Dataset{images}, o.Sets...)...)
	if err != nil {
		return nil, err
	}
	e := &extracted{from: from}
	if e.pool, err = o.proposals(ctx, images); err != nil {
		return nil, err
	}
	if err := e.readEvaluation(o, o.Run.Path("eval")); err != nil {
		out := filepath.Join(o.Out, "eval")
		o.Progress(fmt.Sprintf("evaluation in %s, because that of the run does not serve: %v", out, err))
		if _, err := protocol.EvaluateRun(ctx, protocol.EvaluationOptions{
			Run: o.Run, Sets: o.Sets, Scores: o.scores(), Train: o.Training, Out: out, Backend: o.Backend,
		}); err != nil {
			return nil, err
		}
		return e, e.readEvaluation(o, out)
	}
	return e, nil
}

// readEvaluation reads what "ffs eval" has left in a folder. It is an error if that is of other
// weights or sets, or without features.
func (e *extracted) readEvaluation(o Options, out string) error {
	whole, err := protocol.ReadEvaluation(o.Run, o.Sets, out)
	if err != nil {
		return err
	}
	if whole.Report.Subject == nil || whole.Report.Subject.Weights != e.from.Weights || whole.Report.ScoreThreshold == nil {
		return fmt.Errorf("%s: it is about other weights, or nothing was detected: train the detector longer", out)
	}
	e.kept, e.detections = &protocol.Evaluation{Run: o.Run, Report: whole.Report, Sets: o.Sets}, nil
	for i, set := range o.Sets {
		if i > 0 && whole.Report.Outliers[set.Name] == nil {
			return fmt.Errorf("%s: %s is not measured", out, set.Name)
		}
		entries, err := eval.ByProposal.Entries(whole.Detections[i], *whole.Report.ScoreThreshold)
		if err != nil {
			return err
		}
		table, err := features.Read(filepath.Join(out, protocol.FolderName(set.Label()), "features.npz"))
		if err != nil {
			return err
		}
		if len(entries) == 0 || !slices.Equal(table.Detections, entries) {
			return fmt.Errorf("%s: %s: the features are not of the detections that count, or there are none", out, set.Name)
		}
		kept := make([]eval.Detection, len(entries))
		for j, entry := range entries {
			kept[j] = whole.Detections[i][entry]
		}
		e.kept.Detections, e.detections = append(e.kept.Detections, kept), append(e.detections, table)
	}
	e.fit, err = features.Read(filepath.Join(out, "fit.npz"))
	return err
}

// spread returns a set of n of the images, evenly; the set itself if it has no more, or n is 0.
func spread(set *data.Dataset, n int) *data.Dataset {
	if n <= 0 || len(set.Images) <= n {
		return set
	}
	part := *set
	part.Images = nil
	for i := range n {
		part.Images = append(part.Images, set.Images[i*len(set.Images)/n])
	}
	return &part
}

// pool holds proposals of training images: features [n, dim] and classes [n], and which rows are of
// inlier objects, which background.
type pool struct {
	dim                    int
	features               []float32
	classes                []int32
	foreground, background []int
}

// proposals returns those of the images, which lie in the study's folder or are extracted.
func (o Options) proposals(ctx context.Context, images *data.Dataset) (*pool, error) {
	dir := filepath.Join(o.Out, "features")
	path, record := filepath.Join(dir, "proposals.npz"), filepath.Join(dir, "proposals.npz.json")
	from, err := protocol.ProvenanceOf(o.Run.Run, 0, images)
	if err != nil {
		return nil, err
	}
	if from.Matches(record) {
		if arrays, err := npz.Read(path); err == nil {
			return newPool(arrays, len(o.Config.Model.Classes))
		}
	}
	o.Progress(fmt.Sprintf("features of the proposals of %d training images", len(images.Images)))
	backend, err := o.Backend()
	if err != nil {
		return nil, err
	}
	model, err := infer.Open(backend, o.Run.Dir)
	if err != nil {
		return nil, err
	}
	defer model.Close()
	rows, classes, err := model.ProposalFeatures(ctx, images)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%s: no proposals in %d images", images.Name, len(images.Images))
	}
	arrays := npz.Arrays{
		"features": npz.New(slices.Concat(rows...), len(rows), len(rows[0])), "classes": npz.New(classes, len(classes)),
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if err := from.Keep(record, func() error { return npz.Write(path, arrays) }); err != nil {
		return nil, err
	}
	return newPool(arrays, len(o.Config.Model.Classes))
}

func newPool(arrays npz.Arrays, background int) (*pool, error) {
	p := &pool{dim: arrays["features"].Shape[1], features: arrays["features"].Float32s()}
	for i, class := range arrays["classes"].Ints() {
		p.classes = append(p.classes, int32(class))
		if class == background {
			p.background = append(p.background, i)
		} else {
			p.foreground = append(p.foreground, i)
		}
	}
	if len(p.foreground) == 0 || len(p.background) == 0 {
		return nil, fmt.Errorf("%d foreground and %d background proposals: heads need both: take more training images",
			len(p.foreground), len(p.background))
	}
	return p, nil
}

// draw returns the rows of a step, with replacement: features [n, dim] and classes [n], the first
// foreground of inlier objects.
func (p *pool) draw(seed int64, step, n, foreground int) (features []float32, classes []int32) {
	r := data.RandomStream(uint64(seed), uint64(step))
	features, classes = make([]float32, 0, n*p.dim), make([]int32, 0, n)
	for i := range n {
		from := p.background
		if i < foreground {
			from = p.foreground
		}
		row := from[r.IntN(len(from))]
		features, classes = append(features, p.features[row*p.dim:(row+1)*p.dim]...), append(classes, p.classes[row])
	}
	return features, classes
}
