//go:build cgo && linux

package device

import (
	"crypto/sha256"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"ffslab/ffs/internal/cache"
)

// factorEnv makes TestMultiply a process of TestProgramsAreKeptForTheNextProcess.
const factorEnv = "FFSLAB_TEST_FACTOR"

// TestMultiply prints a number times the factor, by a program that holds the factor.
func TestMultiply(t *testing.T) {
	factor, err := strconv.ParseFloat(os.Getenv(factorEnv), 64)
	if err != nil {
		t.Skip("is run by TestProgramsAreKeptForTheNextProcess")
	}
	backend, err := Open(quiet())
	if err != nil {
		t.Fatal(err)
	}
	if kept[0] != nil {
		kept[0].worth = 0
	}
	product, err := graph.CallOnce(backend, func(x *graph.Node) *graph.Node { return graph.MulScalar(x, factor) }, float32(7))
	if err != nil {
		t.Fatal(err)
	}
	os.Stdout.WriteString("product " + strconv.Itoa(int(tensors.ToScalar[float32](product))) + "\n")
}

// A program that was found is the one that is in the file: with the files of two programs exchanged
// each computes what the other should.
func TestProgramsAreKeptForTheNextProcess(t *testing.T) {
	backend, err := Open(quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Finalize()
	description := Describe(backend)
	if description.Platform != "cpu" || description.Plugin == "" {
		t.Skipf("only programs of XLA's CPU plugin are kept; this is %+v", description)
	}
	dir := t.TempDir()
	product := func(factor string, environment ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestMultiply$", "-test.v")
		cmd.Env = append(os.Environ(), cache.DirEnv+"="+dir, PluginEnv+"="+description.Plugin, factorEnv+"="+factor, KeepEnv+"=", "XLA_FLAGS=", "GOMLX_BACKEND=xla:cpu")
		cmd.Env = append(cmd.Env, environment...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		_, rest, _ := strings.Cut(string(out), "product ")
		number, _, _ := strings.Cut(rest, "\n")
		return number
	}
	files := func() []string {
		matches, err := filepath.Glob(filepath.Join(dir, "compiled", "*"))
		if err != nil {
			t.Fatal(err)
		}
		return matches
	}
	check := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	// The first process also checks the plugin, whose programs are kept if the machine is slow.
	check("once, compiled", product("1"), "7")
	before := files()
	fileOf := func(factor, want string) string {
		t.Helper()
		check(factor+" times, compiled", product(factor), want)
		added := slices.DeleteFunc(files(), func(path string) bool { return slices.Contains(before, path) })
		if len(added) != 1 {
			t.Fatalf("files after a new program: %v, before it: %v", added, before)
		}
		before = append(before, added...)
		return added[0]
	}
	twice, thrice := fileOf("2", "14"), fileOf("3", "21")
	read := func(path string) []byte {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	write := func(path string, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	right := read(twice)
	write(twice, read(thrice))
	check("twice, from the other's file", product("2"), "21")
	check("twice, compiled against the file", product("2", KeepEnv+"=off"), "14")

	garbage := []byte("not a program")
	sum := sha256.Sum256(garbage)
	for name, damaged := range map[string][]byte{"cut off": right[:len(right)/2], "no program": append(sum[:], garbage...)} {
		write(twice, damaged)
		check("twice, "+name, product("2"), "14")
		if len(read(twice)) < len(right)/2+1 {
			t.Errorf("%s: the file is not replaced", name)
		}
	}
}
