package explore

import (
	"testing"

	"ffslab/viz/escape/hostile"
)

func TestHostileNamesStayNames(t *testing.T) {
	for _, table := range []*Table{
		{Head: []string{"run", hostile.Name}, Rows: [][]string{{"a", "1"}}},
		{Head: []string{"run", "AP"}, Rows: [][]string{{hostile.Name, "1"}}},
		{Head: []string{"run", "AP"}, Note: "Inlier set: " + hostile.Name},
	} {
		hostile.Markdown(t, table.String())
		hostile.Terminal(t, table.String())
	}
}
