package python

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestUnpackVerifies(t *testing.T) {
	archive := filepath.Join(t.TempDir(), "a.whl")
	var content bytes.Buffer
	writer := zip.NewWriter(&content)
	member, err := writer.Create("lib/cpu.so")
	if err != nil {
		t.Fatal(err)
	}
	_, err = member.Write([]byte("library"))
	if err := errors.Join(err, writer.Close(), os.WriteFile(archive, content.Bytes(), 0o644)); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	w := Wheel{File: "a.whl", SHA256: strings.Repeat("0", 64), Member: "lib/cpu.so"}
	if err := w.unpack(archive, dir); err == nil || !strings.Contains(err.Error(), "SHA-256") {
		t.Errorf("wrong hash: %v", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Error("something was unpacked from a file with a wrong hash")
	}
	w.SHA256 = fmt.Sprintf("%x", sha256.Sum256(content.Bytes()))
	if err := w.unpack(archive, dir); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "cpu.so")); err != nil || string(got) != "library" {
		t.Errorf("unpacked %q, %v", got, err)
	}
}
