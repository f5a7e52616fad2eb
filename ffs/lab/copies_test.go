package lab

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCopiesStay(t *testing.T) {
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "lab")
	write := func(dir, name, content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const original = `{"cells": [{"cell_type": "code", "source": ["a"]}]}`
	write(from, "01_same.ipynb", original)
	write(from, "02_changed.ipynb", original)
	var log bytes.Buffer
	if err := copyNotebooks(from, to, &log); err != nil || log.Len() > 0 {
		t.Fatalf("%v\n%s", err, &log)
	}
	executed := `{"cells": [{"cell_type": "code", "source": "a", "outputs": [{"text": "1"}]}]}`
	write(to, "01_same.ipynb", executed)
	write(to, "02_changed.ipynb", strings.Replace(executed, `"a"`, `"b"`, 1))
	if err := copyNotebooks(from, to, &log); err != nil {
		t.Fatal(err)
	}
	if said := log.String(); strings.Contains(said, "01_same") || !strings.Contains(said, "02_changed.ipynb: your copy is kept") {
		t.Errorf("said %q, want a line about the changed copy", said)
	}
	if kept, err := os.ReadFile(filepath.Join(to, "01_same.ipynb")); err != nil || string(kept) != executed {
		t.Errorf("a copy was written over: %s, %v", kept, err)
	}
}

func TestPortIsReserved(t *testing.T) {
	first, err := reservePort(0)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	taken := first.Addr().(*net.TCPAddr).Port
	if _, err := reservePort(taken); err == nil || !strings.Contains(err.Error(), "in use: choose another one with --port") {
		t.Errorf("a port that is taken: %v", err)
	}
	second, err := reservePort(0)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if second.Addr().(*net.TCPAddr).Port == taken {
		t.Error("one port was given twice")
	}
}

func TestCellsOfFoldersThatAreNotThere(t *testing.T) {
	for want, cells := range map[string]Cells{
		"run folder":   {RunDir: filepath.Join(t.TempDir(), "none")},
		"study folder": {Studies: []string{t.TempDir()}},
		"zoo:none":     {RunDir: "zoo:none"},
	} {
		if _, err := cells.environment(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %s", cells, err, want)
		}
	}
}
