package lab

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTrainingLeavesItsState trains in a cell to the end: the notebook keeps a line, a panel for
// each loss and detections on two images.
func TestTrainingLeavesItsState(t *testing.T) {
	env := testEnvironment(t)
	out := t.TempDir()
	var log bytes.Buffer
	if _, err := env.run(t.Context(), RunOptions{Dir: "testdata/queue", Cells: Cells{Out: out, Quick: true, Train: true}, Log: &log}); err != nil {
		t.Fatalf("%v\n%s", err, &log)
	}
	content, err := os.ReadFile(filepath.Join(out, "notebooks", "01_queue.ipynb"))
	if err != nil {
		t.Fatal(err)
	}
	var notebook struct {
		Cells []struct {
			Outputs []struct {
				Data map[string]any
			}
		}
	}
	if err := json.Unmarshal(content, &notebook); err != nil {
		t.Fatal(err)
	}
	shown := notebook.Cells[0].Outputs
	if len(shown) != 3 {
		t.Fatalf("%d outputs, want line, panels and images", len(shown))
	}
	text := func(i int, kind string) string {
		switch value := shown[i].Data[kind].(type) {
		case string:
			return value
		case []any: // a list of lines
			var b strings.Builder
			for _, line := range value {
				b.WriteString(line.(string))
			}
			return b.String()
		}
		return ""
	}
	if line := text(0, "text/plain"); !strings.HasPrefix(line, "run flow: step 40 of 40 · done in ") {
		t.Errorf("line %q", line)
	}
	if panels := strings.Count(text(1, "text/html"), "<svg"); panels < 6 {
		t.Errorf("%d panels, want one for each loss", panels)
	}
	if images := text(2, "text/html"); !strings.Contains(images, "Validation images after 40 steps") || !strings.Contains(images, "<img") {
		t.Errorf("images: %.300s", images)
	}
}
