package cli

import (
	"encoding/json"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"ffslab/data"
)

// ffsData runs "ffs data ..." with its words separated by blanks.
func ffsData(t *testing.T, line string) error {
	t.Helper()
	cmd := newRoot()
	cmd.SetArgs(append([]string{"data"}, strings.Fields(line)...))
	return cmd.ExecuteContext(t.Context())
}

// From generated scenes to files, and from those to splits and a sheet: what one command writes the
// next one reads.
func TestDataCommands(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, line := range []string{
		"ls",
		"convert digits:val?n=30&size=128 --out set/digits.json --images pictures",
		"stats coco:set/digits.json,pictures",
		"show coco:set/digits.json,pictures --class 3 -n 4 --columns 2 --out sheet.png",
		"show coco:set/digits.json,pictures --class 3 -n 2 --corruption snow --out snow.png",
		"split coco:set/digits.json,pictures --inlier 0,1,2 --near 3 --far 4,5 --out split",
	} {
		if err := ffsData(t, line); err != nil {
			t.Fatalf("ffs data %s: %v", line, err)
		}
	}
	var report data.SplitReport
	raw, err := os.ReadFile(filepath.Join("split", "split.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &report); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"id": report.ID, "ood": report.OOD, "ood-near": report.Near, "ood-far": report.Far} {
		set, err := data.Open("coco:split/"+name+".json,pictures", data.Options{})
		if err != nil {
			t.Error(err)
		} else if len(set.Images) != want || want == 0 {
			t.Errorf("%s.json holds %d images; the report says %d, which must not be 0", name, len(set.Images), want)
		}
	}
	if report.Images != 30 || report.ID+report.OOD+report.Mixed != 30 || report.Near+report.Far+report.Empty != report.OOD || len(report.Overlaps) != 3 {
		t.Errorf("report %+v does not add up", report)
	}
	sheet, err := os.Open("sheet.png")
	if err != nil {
		t.Fatal(err)
	}
	defer sheet.Close()
	if _, err := png.Decode(sheet); err != nil {
		t.Error(err)
	}
}

// Without a corruption 0 means none, with one the default, and one that is given counts.
func TestCorruptionFlags(t *testing.T) {
	for line, want := range map[string]string{
		"":                                      "",
		"--corruption-level 2":                  "mixed-2",
		"--corruption-level 0":                  "",
		"--corruption fog":                      "fog-3",
		"--corruption fog --corruption-level 5": "fog-5",
		"--corruption fog --corruption-level 0": "",
	} {
		cmd := &cobra.Command{}
		choice := corruptionFlags(cmd)
		if err := cmd.ParseFlags(strings.Fields(line)); err != nil {
			t.Fatal(err)
		}
		if got, err := choice(); err != nil || got.String() != want {
			t.Errorf("%q gave %q and the error %v, want %q", line, got, err, want)
		}
	}
	for line, want := range map[string]string{"--corruption=": "is empty", "--corruption rain": "saturate", "--corruption fog --corruption-level -1": "give 1 to 5"} {
		cmd := &cobra.Command{}
		choice := corruptionFlags(cmd)
		if err := cmd.ParseFlags(strings.Fields(line)); err != nil {
			t.Fatal(err)
		}
		if _, err := choice(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gave the error %v, want %q", line, err, want)
		}
	}
}

func TestDataCommandsRefuse(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("blank.txt", []byte("\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{
		"stats coco_ood_val":                                            "--dataset-dir",
		"convert digits:val?n=2 --out set.json":                         "--images DIR",
		"show digits:val?n=2 --class cat --out a.png":                   "its classes are 0, 1, 2",
		"show digits:val?n=2 -n 1000 --out a.png":                       "from 1 to 200",
		"show digits:val?n=2 --corruption rain --out a.png":             "give one of gaussian_noise",
		"show digits:val?n=2 --corruption-level 6 --out a.png":          "give 1 to 5",
		"split digits:val?n=2 --inlier blank.txt --out split":           "names no class",
		"split digits:val?n=2 --inlier 1 --near 9 --out split":          `it has no class "9"`,
		"split digits:val?n=2 --inlier 1 --words blank.png --out split": "blank.png",
	} {
		if err := ffsData(t, line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ffs data %s gave the error %v, want %q", line, err, want)
		}
	}
	if left, err := filepath.Glob("*.[jp]*"); err != nil || len(left) > 0 {
		t.Errorf("commands that failed have left %v", left)
	}
}
