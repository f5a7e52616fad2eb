package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ffslab/data"
	"ffslab/ffs/eval"
	"ffslab/ffs/run"
)

// One annotation file of all classes, as the README tells it: split, train, eval, detect, in four
// commands. In the generated scenes known and unknown digits lie together in most pictures.
func TestOneFileOfAllClasses(t *testing.T) {
	t.Chdir(t.TempDir())
	ffs(t, "data convert digits:mixed?n=40&size=128 --out all.json --images pictures")

	ffs(t, "data split coco:all.json,pictures --unknown 6,7,8,9 --val-share 0.5 --config digits --out split")
	ffs(t, "train --config split/config.yaml --run run --set model.backbone.stem_width=8 --set model.backbone.depth=4 --set model.backbone.w_0=8"+
		" --set model.backbone.w_a=12.5 --set model.fpn_channels=16 --set model.roi.fc_dim=16 --set model.flow.hidden=16 --set model.outlier.method=none"+
		" --set model.roi.score_threshold=0.01 --set input.canvases=[[64,64]] --set input.min_size_train=[64] --set input.max_size_train=64"+
		" --set input.min_size_test=64 --set input.max_size_test=64 --set train.max_iter=2 --tensorboard")
	ffs(t, "eval --run run --bootstrap 0 --tensorboard")
	if page := string(read(t, "run/report.html")); !strings.Contains(page, "Run run") || !strings.Contains(page, "mixed") {
		t.Errorf("run/report.html: %.300s", page)
	}
	for _, pattern := range []string{"run/tensorboard/events.out.tfevents.1*", "run/tensorboard/eval/events.out.tfevents.*"} {
		if files, err := filepath.Glob(pattern); err != nil || len(files) != 1 {
			t.Errorf("%s: %v, %v", pattern, files, err)
		}
	}
	pictures, err := filepath.Glob("pictures/*.png")
	if err != nil || len(pictures) != 40 {
		t.Fatal(pictures, err)
	}
	ffs(t, "detect --run run "+pictures[0]+" --out found")

	r, err := run.Open("run")
	if err != nil {
		t.Fatal(err)
	}
	known := []string{"0", "1", "2", "3", "4", "5"}
	if c := r.Config; c.Train.Unknown != data.IgnoreUnknown || !slices.Equal(c.Model.Classes, known) {
		t.Errorf("config.yaml has train.unknown %q and the classes %q", c.Train.Unknown, c.Model.Classes)
	}
	var split data.HoldOutReport
	decode(t, "split/split.json", &split)
	if split.Both.Train == 0 || split.Both.Mixed == 0 || split.KnownAlone.Val == 0 || split.UnknownAlone.OOD == 0 || split.Images.All != 40 {
		t.Fatalf("split %+v: want images of both kinds in train and in mixed", split)
	}
	for name, want := range map[string]int{"train": split.Images.Train, "val": split.Images.Val, "mixed": split.Images.Mixed, "ood": split.Images.OOD} {
		if set, err := data.Open("coco:split/"+name+".json,pictures", data.Options{}); err != nil || len(set.Images) != want {
			t.Errorf("%s.json: %v; want %d images", name, err, want)
		}
	}
	var report struct {
		OOD map[string]struct {
			Protocol eval.Protocol `json:"protocol"`
			Objects  *eval.Objects `json:"objects"`
		} `json:"ood"`
	}
	decode(t, "run/eval/metrics.json", &report)
	mixed, measured := report.OOD["mixed"]
	if !measured || mixed.Protocol != eval.ByObjects || mixed.Objects == nil {
		t.Fatalf("the evaluation has %+v, want the set mixed by its objects", report.OOD)
	}
	wantKnown, wantUnknown := 0, 0
	for _, c := range split.Objects {
		if c.Known {
			wantKnown += c.Objects.Mixed
		} else {
			wantUnknown += c.Objects.Mixed
		}
	}
	if n := mixed.Objects; n.Known != wantKnown || n.Unknown != wantUnknown {
		t.Errorf("objects %+v, want %d known and %d unknown", n, wantKnown, wantUnknown)
	}
	if _, err := os.Stat(filepath.Join("found", "detections.json")); err != nil {
		t.Error(err)
	}

	// The other treatments are a flag away, and an inlier set with unknown objects is none.
	for line, want := range map[string]string{
		"train --config split/config.yaml --run other --unknown refuse":  `none of the model's classes`,
		"train --config split/config.yaml --run other --unknown forget":  "train.unknown: forget must be ignore, crowd, drop or refuse",
		"train --run run --resume --unknown drop":                        "--unknown cannot be given with --resume",
		"eval --run run --id coco:split/mixed.json,pictures":             "as an outlier set",
		"data split coco:all.json,pictures --out s":                      "at least one of the flags",
		"data split coco:all.json,pictures --unknown 8 --near 9 --out s": "--near has no meaning with",
		"data split coco:all.json,pictures --inlier 8 --seed 1 --out s":  "--seed has no meaning with --inlier",
	} {
		if text := fails(t, line); !strings.Contains(text, want) {
			t.Errorf("ffs %s: %q, want %q", line, text, want)
		}
	}
}

// decode reads a JSON file.
func decode(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}
