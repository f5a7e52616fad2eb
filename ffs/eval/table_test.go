package eval

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTableForms(t *testing.T) {
	table := NewTable("set", "AUROC ↑")
	table.Add("a_b|c, 5 %", "66.67")
	for form, texts := range map[string][2]string{
		"Markdown": {table.Markdown(), "| set         | AUROC ↑ |\n|:------------|--------:|\n| a_b\\|c, 5 % |   66.67 |\n"},
		"CSV":      {table.CSV(), "set,AUROC ↑\n\"a_b|c, 5 %\",66.67\n"},
		"LaTeX": {table.LaTeX(), "\\begin{tabular}{lr}\n\\toprule\nset & AUROC $\\uparrow$ \\\\\n\\midrule\n" +
			"a\\_b|c, 5 \\% & 66.67 \\\\\n\\bottomrule\n\\end{tabular}\n"},
	} {
		if diff := cmp.Diff(texts[1], texts[0]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", form, diff)
		}
	}
}

func TestSaveTables(t *testing.T) {
	inlier, outlier := protocolSets()
	report, err := Evaluate(inlier, map[string]Results{"zoo": outlier}, Settings{Bootstrap: Bootstrap{Resamples: 20}})
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "tables")
	if err := report.SaveTables(dir); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, f.Name())
	}
	var want []string
	for _, name := range strings.Fields("calibration classes confusion detection detection_voc open_set_by_own_score open_set_by_proposal reliability scores_by_own_score scores_by_proposal sizes") {
		want = append(want, name+".csv", name+".tex")
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	confusion, err := os.ReadFile(filepath.Join(dir, "confusion.csv"))
	if err != nil {
		t.Fatal(err)
	}
	// Its energy of 5 is under that of the inliers.
	if diff := cmp.Diff("outlier set,object,number,taken for no class,called unknown,cat,dog\nzoo,zebra,2,1,1,1,0\n", string(confusion)); diff != "" {
		t.Errorf("confusion.csv (-want +got):\n%s", diff)
	}
}
