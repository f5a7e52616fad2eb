package explore

import (
	"testing"

	"ffslab/ffs/eval"
	"ffslab/viz/escape/hostile"
)

func TestHostileNamesStayNames(t *testing.T) {
	for _, table := range []*Table{
		{Table: &eval.Table{Head: []string{"run", hostile.Name}, Rows: [][]string{{"a", "1"}}}},
		{Table: &eval.Table{Head: []string{"run", "AP"}, Rows: [][]string{{hostile.Name, "1"}}}},
		{Table: newTable("run", "AP").Table, Note: "Inlier set: " + hostile.Name},
	} {
		hostile.Markdown(t, table.String())
		hostile.Terminal(t, table.String())
	}
}
