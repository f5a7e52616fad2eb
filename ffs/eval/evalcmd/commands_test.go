package evalcmd

import (
	"bytes"
	stdcmp "cmp"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func run(command *cobra.Command, arguments ...string) (string, error) {
	var out bytes.Buffer
	command.SetOut(&out)
	command.SetErr(&out)
	command.SilenceUsage, command.SilenceErrors = true, true
	command.SetArgs(arguments)
	err := command.Execute()
	return out.String(), err
}

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

const truth = `{"images": [{"id": 1}], "categories": [{"id": 3, "name": "cat"}, {"id": 4, "name": "dog"}],
"annotations": [{"image_id": 1, "category_id": 3, "bbox": [0, 0, 10, 10], "area": 100, "iscrowd": 0}]}`

func TestCocoEval(t *testing.T) {
	gt := write(t, "gt.json", truth)
	dt := write(t, "dt.json", `[{"image_id": 1, "category_id": 3, "bbox": [0, 0, 10, 10], "score": 0.5}]`)
	out, err := run(CocoEval(), "--gt", gt, "--dt", dt, "--bootstrap", "20", "--json")
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	want := map[string]any{
		"stats": map[string]any{
			"AP": 1., "AP50": 1., "AP75": 1., "AP_small": 1., "AP_medium": -1., "AP_large": -1.,
			"AR1": 1., "AR10": 1., "AR100": 1., "AR_small": 1., "AR_medium": -1., "AR_large": -1.,
		},
		"per_class": map[string]any{
			"3": map[string]any{"ap": 1., "ap50": 1., "ap75": 1., "ap_small": 1., "ap_medium": -1., "ap_large": -1., "ar100": 1., "n_objects": 1.},
			"4": map[string]any{"ap": -1., "ap50": -1., "ap75": -1., "ap_small": -1., "ap_medium": -1., "ap_large": -1., "ar100": -1., "n_objects": 0.},
		},
		"per_size": []any{
			map[string]any{"size": "small", "ap": 1., "ap50": 1., "ap75": 1., "ar100": 1., "n_objects": 1.},
			map[string]any{"size": "medium", "ap": -1., "ap50": -1., "ap75": -1., "ar100": -1., "n_objects": 0.},
			map[string]any{"size": "large", "ap": -1., "ap50": -1., "ap75": -1., "ar100": -1., "n_objects": 0.},
		},
		"calibration": map[string]any{
			"n": 1., "ece": 0.5, "bins": []any{map[string]any{"low": 0.5, "high": 0.55, "n": 1., "score": 0.5, "precision": 1.}},
		},
		"ci95":                      map[string]any{"AP": []any{1., 1.}, "AP50": []any{1., 1.}},
		"score_threshold":           (0.5 - 1) / 2, // the class without objects counts -1 in the original's convention
		"score_threshold_annotated": 0.5,
		"score_threshold_sound":     0.5,
		"classes_without_objects":   []any{"dog"},
		"voc": map[string]any{"ap": 1., "ap11": 1., "per_class": map[string]any{
			"3": map[string]any{"ap": 1., "ap11": 1.}, "4": map[string]any{"ap": -1., "ap11": -1.},
		}},
	}
	// The means of many equal numbers may be off in the last bits.
	rounded := cmp.Comparer(func(a, b float64) bool { return a-b < 1e-12 && b-a < 1e-12 })
	if diff := cmp.Diff(want, got, rounded); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}

	out, err = run(CocoEval(), "--gt", gt, "--dt", dt)
	if err != nil || !strings.Contains(out, "cat   3  100.00  100.00") || !strings.Contains(out, "0.5000 (sound)") || !strings.Contains(out, "ECE 50.00 (1 detections") {
		t.Errorf("error %v, text %s", err, out)
	}
}

// Scores in percent have an AP, but no calibration error.
func TestCocoEvalOfScoresInPercent(t *testing.T) {
	dt := write(t, "dt.json", `[{"image_id": 1, "category_id": 3, "bbox": [0, 0, 10, 10], "score": 66.5}]`)
	out, err := run(CocoEval(), "--gt", write(t, "gt.json", truth), "--dt", dt)
	if err != nil || strings.Contains(out, "ECE ") || !strings.Contains(out, "cat   3  100.00") {
		t.Errorf("error %v, text %s", err, out)
	}
}

func TestOodEval(t *testing.T) {
	id, ood := write(t, "id.txt", "1\n2\n3\n"), write(t, "ood.txt", "2\n0.5\n")
	out, err := run(OodEval(), "--id", id, "--ood", ood, "--json")
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]float64
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	want := map[string]float64{"auroc": 0.75, "aupr": 1./3 + 2./9 + 1./4, "fpr95": 0.5, "fpr95_strict": 0.5, "n_id": 3, "n_ood": 2,
		"aupr_out": 1./2 + 2./4/2, "detection_error": (0 + 1./2) / 2}
	rounded := cmp.Comparer(func(a, b float64) bool { return a-b < 1e-12 && b-a < 1e-12 })
	if diff := cmp.Diff(want, got, rounded); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
	out, err = run(OodEval(), "--id", id, "--ood", ood)
	if err != nil || !strings.HasPrefix(out, "AUROC          75.00 %\n") {
		t.Errorf("error %v, text %s", err, out)
	}
}

// What two files of scores have no use for is not ignored, whichever flag it is.
func TestOodEvalOfScoresRefusesOtherFlags(t *testing.T) {
	id, ood := write(t, "id.txt", "1\n2\n3\n"), write(t, "ood.txt", "2\n0.5\n")
	values := map[string]string{"bool": "true", "int": "10", "uint64": "3"}
	tested := 0
	OodEval().LocalFlags().VisitAll(func(f *pflag.Flag) {
		if slices.Contains([]string{"id", "ood", "id-gt", "json"}, f.Name) {
			return
		}
		tested++
		argument := "--" + f.Name + "=" + stdcmp.Or(values[f.Value.Type()], "x")
		_, err := run(OodEval(), "--id", id, "--ood", ood, argument)
		if err == nil || !strings.Contains(err.Error(), "give none of --"+f.Name+";") || !strings.Contains(err.Error(), "--id-gt") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v", argument, err)
		}
	})
	if tested < 7 {
		t.Errorf("%d flags tested", tested)
	}
	_, err := run(OodEval(), "--id", id, "--ood", ood, "--out", "x", "--strict")
	if err == nil || !strings.Contains(err.Error(), "--out, --strict") {
		t.Errorf("error %v, want both flags", err)
	}
	if _, err := run(OodEval(), "--id", id, "--ood", ood, "--ood", ood); err == nil || !strings.Contains(err.Error(), "one --ood, not 2") {
		t.Errorf("error %v", err)
	}
}

// Every fault is one line naming the file.
func TestCommandsRefuse(t *testing.T) {
	gt := write(t, "gt.json", truth)
	dt := write(t, "dt.json", `[{"image_id": 8, "category_id": 3, "bbox": [0, 0, 10, 10], "score": 0.5}]`)
	scores, empty := write(t, "id.txt", "1\n"), write(t, "ood.txt", "")
	tests := []struct {
		command   *cobra.Command
		arguments []string
		want      string
	}{
		{CocoEval(), []string{"--gt", gt, "--dt", dt}, dt + ": none of the 1 detections is on an image and of a category of the annotations (image_id 8, category_id 3 and so on); is " + gt + " its annotation file?"},
		{CocoEval(), []string{"--gt", dt, "--dt", dt}, dt + ": "},
		{CocoEval(), []string{"--gt", gt}, `required flag(s) "dt" not set`},
		{CocoEval(), []string{"--gt", gt, "--dt", "none.json"}, "open none.json: "},
		{OodEval(), []string{"--id", scores, "--ood", empty}, empty + ": no scores"},
	}
	for _, test := range tests {
		_, err := run(test.command, test.arguments...)
		if err == nil || !strings.HasPrefix(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v: error %v, want %s", test.arguments, err, test.want)
		}
	}
}
