package registry

import (
	"strings"
	"testing"
)

var parts = New[int]("part")

// register stands for a package's Register.
func register(name string, part int) { parts.Add(name, part) }

func TestRegistry(t *testing.T) {
	register("b", 2)
	register("a", 1)
	if got, err := parts.Get("b"); err != nil || got != 2 {
		t.Errorf("%d, %v", got, err)
	}
	if _, err := parts.Get("c"); err == nil || err.Error() != `no part is called "c"; there are a, b` {
		t.Errorf("error %v", err)
	}
	if origin := parts.Origin("a"); origin != "ffslab/ffs/internal/registry" {
		t.Errorf("registered by %q", origin)
	}
	for name, want := range map[string]string{"a": `the part "a" is registered already, by `, "": "without a name"} {
		func() {
			defer func() {
				fault, _ := recover().(string)
				if !strings.Contains(fault, want) || strings.Count(fault, "registry_test.go:") != 1+strings.Count(want, "already") {
					t.Errorf("%q panics with %q", name, fault)
				}
			}()
			register(name, 3)
		}()
	}
}
