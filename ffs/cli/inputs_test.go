package cli

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ffslab/data/wholefile"
	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/zoo"
)

// What a command reads, and what it has not written, stays as it is.
func TestInputsAreSpared(t *testing.T) {
	picture := scoredRun(t)
	images := filepath.Dir(picture)
	ffs(t, "data convert digits2:val?n=8 --out all/train.json --images all/pics")
	first, err := filepath.Glob("all/pics/*.png")
	if err != nil || len(first) != 8 {
		t.Fatalf("%v, %v", first, err)
	}
	photo, err := os.ReadFile(picture)
	err = errors.Join(err, os.Mkdir("mine", 0o755), os.WriteFile("mine/config.yaml", []byte("mine\n"), 0o644), os.WriteFile("photo.png", photo, 0o644))
	if err != nil {
		t.Fatal(err)
	}
	all := "coco:all/train.json,all/pics "
	for line, want := range map[string]string{
		"data convert " + all + "--out all/train.json":                                         "all/train.json would be replaced",
		"data show " + all + "--out " + first[0]:                                               first[0] + " would be replaced",
		"data split " + all + "--unknown 5 --out all":                                          "all/train.json would be replaced",
		"data split " + all + "--unknown 5 --out mine":                                         "mine/config.yaml is there and of no earlier split",
		"data split " + all + "--inlier 0,1 --out mine":                                        "mine/config.yaml is there",
		"features --run run --data coco:gt.json," + images + " --objects --detections --out .": "choose one",
		"features --run run --data gt=coco:gt.json," + images + " --detections --out .":        "gt.json would be replaced",
		"detect --run run all/pics --out all/pics":                                             "--out all/pics is the folder of the pictures",
		"detect --run run photo.png --out .":                                                   "photo.png would be replaced",
	} {
		before := snapshot(t)
		cmd := newRoot()
		cmd.SetArgs(strings.Fields(line))
		if err := cmd.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ffs %s: error %v, want %q", line, err, want)
		}
		if after := snapshot(t); after != before {
			t.Errorf("ffs %s has changed files", line)
		}
	}
	ffs(t, "data split "+all+"--unknown 5 --out new")
	ffs(t, "data split "+all+"--unknown 4 --out new") // one of its own is replaced
}

// snapshot is the content of all small files in the working directory.
func snapshot(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(".", func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() && filepath.Ext(path) != ".safetensors" {
			var text []byte
			text, err = os.ReadFile(path)
			all.WriteString(path + "\n" + string(text))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// The evaluation that a detector of the zoo comes with stays. What is made of it lies elsewhere, in
// folders that are made.
func TestZooKeepsItsEvaluation(t *testing.T) {
	testkit.Backend(t) // before the folder of what it needs changes
	t.Setenv("FFSLAB_CACHE", t.TempDir())
	t.Chdir(t.TempDir())
	dir, err := zoo.Folder("zoo:digits-flow")
	if err != nil {
		t.Fatal(err)
	}
	before, err := wholefile.Digest(filepath.Join(dir, "eval", "metrics.json"))
	if err != nil {
		t.Fatal(err)
	}
	ffs(t, "eval --run zoo:digits-flow --id digits2:val?n=3 --ood digits2:ood-near?n=3 --bootstrap 0 --scores own")
	ffs(t, "sample --run zoo:digits-flow -n 5")
	ffs(t, "export --run zoo:digits-flow --out new1/a.safetensors")
	ffs(t, "export --run zoo:digits-flow --out new2/a.zip")
	ffs(t, "data show digits2:val -n 2 --out new3/a.png")
	for _, path := range []string{"new1/a.safetensors", "new2/a.zip", "new3/a.png", "out/eval-digits-flow/report.html", "out/samples-digits-flow.csv", "out/samples-digits-flow.npz"} {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
	if after, err := wholefile.Digest(filepath.Join(dir, "eval", "metrics.json")); err != nil || after != before {
		t.Errorf("the evaluation in %s has changed: %v", dir, err)
	}
}
