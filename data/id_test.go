package data_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"ffslab/data"
)

// What a results file says of an image must be what the annotation file said.
func TestIDKeepsItsForm(t *testing.T) {
	for text, want := range map[string]string{
		`0`: `0`, `-7`: `-7`, `7.0`: `7`, `1e3`: `1000`, `1e+18`: `1000000000000000000`, `-1e18`: `-1000000000000000000`, ` 12 `: `12`, `"7"`: `"7"`, `""`: `""`, `"a\u00e9\""`: `"aé\""`, `"null"`: `"null"`,
		`9223372036854775807`: `9223372036854775807`, `-9223372036854775808`: `-9223372036854775808`,
		`340282366920938463463374607431768211455`: `340282366920938463463374607431768211455`,
		`9223372036854775808.0`:                   `9223372036854775808`, `-9223372036854775808.0`: `-9223372036854775808`, `1e22`: `10000000000000000000000`,
	} {
		var id, again data.ID
		if err := json.Unmarshal([]byte(text), &id); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got, err := json.Marshal(id)
		if err != nil || string(got) != want {
			t.Errorf("%s is written as %s, want %s (error %v)", text, got, want, err)
		}
		if err := json.Unmarshal(got, &again); err != nil || again != id {
			t.Errorf("%s is another id when it is read again: %v, %v (error %v)", text, id, again, err)
		}
	}
	for _, text := range []string{`1.5`, `1e999`, `true`, `[1]`, `{}`} {
		var id data.ID
		if err := json.Unmarshal([]byte(text), &id); err == nil {
			t.Errorf("%s is taken for the id %v", text, id)
		}
	}
}

func TestIDIdentityAndOrder(t *testing.T) {
	var ids []data.ID
	if err := json.Unmarshal([]byte(`["b", 10, "10", 340282366920938463463374607431768211455, -340282366920938463463374607431768211455, "a", 9, 0, -3]`), &ids); err != nil {
		t.Fatal(err)
	}
	if ids[1] == ids[2] || ids[1] != 10 || ids[2] != data.TextID("10") || !ids[2].IsText() || ids[3].IsText() {
		t.Errorf("the ids are %v", ids)
	}
	slices.SortFunc(ids, data.ID.Compare)
	if got, want := fmt.Sprint(ids), "[-340282366920938463463374607431768211455 -3 0 9 10 340282366920938463463374607431768211455 10 a b]"; got != want {
		t.Errorf("in order they are %s, want %s", got, want)
	}
	keys, err := json.Marshal(map[data.ID]int{7: 1, data.TextID("cat"): 2})
	if err != nil || string(keys) != `{"7":1,"cat":2}` {
		t.Errorf("as keys they are written as %s (error %v)", keys, err)
	}
}
