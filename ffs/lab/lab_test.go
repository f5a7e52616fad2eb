package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ffslab/ffs/internal/python"
	"ffslab/ffs/internal/remedy"
)

// testEnvironment sets the environment up, or skips where that needs what this machine does not
// have.
func testEnvironment(t *testing.T) *environment {
	t.Helper()
	if _, err := python.Find(t.Context()); err != nil {
		t.Skip(err)
	}
	root, err := FindRoot()
	if err != nil {
		t.Fatal(err)
	}
	env, err := setUp(t.Context(), root, false, os.Stderr)
	if errors.Is(err, python.ErrNoConnection) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return env
}

func TestRunGivesCellsTheirSettings(t *testing.T) {
	env := testEnvironment(t)
	out, runs := t.TempDir(), t.TempDir()
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	var log bytes.Buffer
	results, err := env.run(t.Context(), RunOptions{
		Dir: "testdata", Only: []string{"01"}, Log: &log, Cells: Cells{
			Out: out, Quick: true, RunDir: runs, ID: "digits:val", OOD: []string{"digits:ood-near", "digits:ood-far"}, Env: map[string]string{"EXTRA": "x"},
		},
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, &log)
	}
	if len(results) != 1 || results[0].Cells != 3 || results[0].Notebook != filepath.Join(out, "notebooks", "01_prints.ipynb") {
		t.Errorf("results %+v", results)
	}
	texts := outputs(t, results[0].Notebook)
	want := []string{"hello from Go\ntrue\n", strings.Join([]string{
		`FFSLAB_OUT="` + out + `"`, `FFSLAB_QUICK="1"`, `FFSLAB_RUN="` + runs + `"`, `FFSLAB_ID="digits:val"`,
		`FFSLAB_OOD="digits:ood-near\ndigits:ood-far"`, `FFSLAB_HEADLESS="1"`, `EXTRA="x"`, "root: <nil>", "a remark", "",
	}, "\n"), ""}
	if !slices.Equal(texts, want) {
		t.Errorf("outputs %q, want %q", texts, want)
	}
	if left, _ := os.ReadDir(temporary); len(left) != 0 {
		t.Errorf("left in TMPDIR: %v", left)
	}
	if !strings.Contains(log.String(), "cell 2/3") {
		t.Errorf("progress shows no cells:\n%s", &log)
	}
}

func TestFailingCellsAreNamed(t *testing.T) {
	env := testEnvironment(t)
	for _, test := range []struct {
		notebook string
		timeout  time.Duration
		want     string // of the error
		outputs  []string
	}{
		{notebook: "02_panics", want: "02_panics.ipynb, code cell 2 (var none []int): panic: runtime error: index out of range [3] with length 0", outputs: []string{"before\n"}},
		{notebook: "03_compile", want: "03_compile.ipynb, code cell 1 (undefinedCall()): undefined: undefinedCall"},
		{notebook: "04_shell", want: `04_shell.ipynb, code cell 1 (!echo "no such disk" >&2; exit 4): no such disk`},
		{notebook: "05_hangs", timeout: 3 * time.Second, want: "05_hangs.ipynb, code cell 1 (time.Sleep(time.Hour)): no end within 3 seconds"},
	} {
		out := t.TempDir()
		var log bytes.Buffer
		results, err := env.run(t.Context(), RunOptions{Dir: "testdata", Only: []string{test.notebook}, Cells: Cells{Out: out}, Timeout: test.timeout, Log: &log})
		var failed *CellError
		if !errors.As(err, &failed) || err.Error() != test.want || len(results) != 0 {
			t.Errorf("%s: results %v, error %v, want %s", test.notebook, results, err, test.want)
		}
		// The notebook is written all the same, with what was printed before.
		texts := outputs(t, filepath.Join(out, "notebooks", test.notebook+".ipynb"))
		for i, want := range test.outputs {
			if texts[i] != want {
				t.Errorf("%s: output %d is %q, want %q", test.notebook, i, texts[i], want)
			}
		}
		if !strings.Contains(log.String(), "FAILED") {
			t.Errorf("%s: progress hides the failure:\n%s", test.notebook, &log)
		}
	}
}

func TestInterruptEndsTheKernel(t *testing.T) {
	env := testEnvironment(t)
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	begin := time.Now()
	_, err := env.run(ctx, RunOptions{Dir: "testdata", Only: []string{"05"}, Cells: Cells{Out: t.TempDir()}, Log: new(bytes.Buffer)})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	if elapsed := time.Since(begin); elapsed > stopWait {
		t.Errorf("stopping took %s", elapsed)
	}
	commands, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range commands {
		if command, _ := os.ReadFile(path); bytes.Contains(command, []byte(temporary)) {
			t.Errorf("still running: %q", command)
		}
	}
}

// outputs returns what each code cell of an executed notebook wrote to its streams.
func outputs(t *testing.T, path string) []string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var notebook struct {
		Cells []struct {
			Type    string `json:"cell_type"`
			Outputs []struct {
				Text []string
			}
		}
	}
	if err := json.Unmarshal(content, &notebook); err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, cell := range notebook.Cells {
		if cell.Type != "code" {
			continue
		}
		text := ""
		for _, output := range cell.Outputs {
			text += strings.Join(output.Text, "")
		}
		texts = append(texts, text)
	}
	return texts
}

func TestNotebooksChosen(t *testing.T) {
	for _, test := range []struct {
		only []string
		want []string
		err  string
	}{
		{only: []string{"02", "01"}, want: []string{"01_prints.ipynb", "02_panics.ipynb"}},
		{only: []string{"0", "01_prints.ipynb"}, want: []string{"01_prints.ipynb", "02_panics.ipynb", "03_compile.ipynb", "04_shell.ipynb", "05_hangs.ipynb"}},
		{only: []string{"01", "7"}, err: `no notebook begins with "7": there are 01_prints.ipynb, `},
	} {
		got, err := Notebooks("testdata", test.only)
		if test.err != "" {
			if err == nil || !strings.HasPrefix(err.Error(), test.err) {
				t.Errorf("%q: error %v, want %s", test.only, err, test.err)
			}
			continue
		}
		if err != nil || !slices.Equal(baseNames(got), test.want) {
			t.Errorf("%q: %q, %v, want %q", test.only, got, err, test.want)
		}
	}
}

func TestKernelSpecFaults(t *testing.T) {
	place := func(name string, mode os.FileMode) string {
		root := filepath.Join(t.TempDir(), name)
		dir := filepath.Join(root, "notebooks", "kernels", kernelName)
		err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, "kernel.json"), nil, 0o644), os.WriteFile(filepath.Join(dir, "run"), nil, mode))
		if err != nil {
			t.Fatal(err)
		}
		return root
	}
	for _, test := range []struct{ root, fault string }{
		{place("good name", 0o755), ""},
		{place("a,b", 0o755), "comma"},
		{place("plain", 0o644), "not executable"},
		{t.TempDir(), "is missing"},
	} {
		err := checkKernel(test.root)
		var known *remedy.Error
		switch {
		case test.fault == "" && err != nil:
			t.Errorf("%s: %v", test.root, err)
		case test.fault != "" && (!errors.As(err, &known) || !strings.Contains(known.Fault, test.fault) || known.Remedy == ""):
			t.Errorf("%s: %v, want a fault with %q and a remedy", test.root, err, test.fault)
		}
	}
}

func TestMissingCompilerIsNamed(t *testing.T) {
	t.Setenv("CC", "no-such-compiler")
	if err := checkCompiler(t.Context()); err == nil || !strings.Contains(err.Error(), "no-such-compiler") || !strings.Contains(err.Error(), "apt install") {
		t.Errorf("without the compiler: %v", err)
	}
	t.Setenv("CC", "")
	t.Setenv("CGO_ENABLED", "0")
	if err := checkCompiler(t.Context()); err == nil || !strings.Contains(err.Error(), "unset CGO_ENABLED") {
		t.Errorf("without cgo: %v", err)
	}
}

func TestDoctorNamesMissingPython(t *testing.T) {
	t.Setenv(python.PathEnv, "/no/such/python")
	check := checkPython(t.Context())
	if check.Status != Failure || !strings.Contains(check.Remedy, python.PathEnv) {
		t.Errorf("%+v", check)
	}
}
