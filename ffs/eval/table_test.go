package eval

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ffslab/viz/escape/hostile"
)

func TestTableForms(t *testing.T) {
	table := NewTable("set", "AUROC ↑")
	table.Add("a_b|c, 5 %", "66.67")
	for form, texts := range map[string][2]string{
		"Markdown": {table.Markdown(), "| set         | AUROC ↑ |\n|:------------|--------:|\n| a_b\\|c, 5 % |   66.67 |\n"},
		"CSV":      {table.CSV(), "set,AUROC ↑\n\"a_b|c, 5 %\",66.67\n"},
		"LaTeX": {table.LaTeX(), "\\begin{tabular}{lr}\n\\toprule\nset & AUROC $\\uparrow$ \\\\\n\\midrule\n" +
			"a\\_b\\textbar{}c, 5 \\% & 66.67 \\\\\n\\bottomrule\n\\end{tabular}\n"},
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

func TestHostileNamesStayNames(t *testing.T) {
	table := NewTable("class", hostile.Name)
	table.Add(hostile.Name, "1")
	table.Add("2", hostile.Name)
	hostile.Markdown(t, table.Markdown())
	hostile.Terminal(t, table.Markdown())
	hostile.CSV(t, table.CSV())
	hostile.LaTeX(t, table.LaTeX())
	if rows := strings.Count(table.Markdown(), "\n"); rows != 4 {
		t.Errorf("%d lines, want the head, its rule and two rows:\n%s", rows, table.Markdown())
	}
}

// The classes' and the sets' names go through the whole report.
func TestHostileNamesInTheReport(t *testing.T) {
	inlier, outlier := protocolSets()
	for _, set := range []*Results{&inlier, &outlier} {
		for i := range set.Annotations.Categories {
			set.Annotations.Categories[i].Name = hostile.Name + set.Annotations.Categories[i].Name
		}
	}
	report, err := Evaluate(inlier, map[string]Results{hostile.Name: outlier}, Settings{})
	if err != nil {
		t.Fatal(err)
	}
	report.Corruption, report.Recommended = hostile.Name, hostile.Name
	report.NotMeasured = map[string]string{hostile.Name: "no " + hostile.Name}
	report.Outliers[hostile.Name].Groups = map[string]*Outcome{hostile.Name: {Scores: map[string]Separation{hostile.Name: {}}}}
	report.Subject = &Subject{Run: hostile.Name, Commit: hostile.Name, Inlier: Set{Label: hostile.Name, Spec: hostile.Name + "inlier"},
		Outliers: []Set{{Name: hostile.Name, Label: hostile.Name, Spec: hostile.Name + "outlier"}}}
	for name, write := range map[string]func(io.Writer) error{"summary": report.WriteSummary, "report": report.WriteMarkdown} {
		var text strings.Builder
		if err := write(&text); err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) {
			hostile.Markdown(t, text.String())
			hostile.Terminal(t, text.String())
		})
	}
	dir := t.TempDir()
	if err := report.SaveTables(dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"classes", "confusion", "scores_by_proposal", "open_set_by_own_score", "which_score"} {
		t.Run(name, func(t *testing.T) {
			for extension, check := range map[string]func(testing.TB, string){".csv": hostile.CSV, ".tex": hostile.LaTeX} {
				text, err := os.ReadFile(filepath.Join(dir, name+extension))
				if err != nil {
					t.Fatal(err)
				}
				check(t, string(text))
			}
		})
	}
}
