package npz

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// archived returns an archive with one stored member that claims to be as large as size says.
func archived(t testing.TB, content []byte, size uint64) []byte {
	t.Helper()
	var file bytes.Buffer
	archive := zip.NewWriter(&file)
	w, err := archive.CreateRaw(&zip.FileHeader{Name: "a.npy", CompressedSize64: uint64(len(content)), UncompressedSize64: size})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func npy(shape string) []byte {
	header := "{'descr': '<f4', 'fortran_order': False, 'shape': (" + shape + "), }\n"
	return append(binary.LittleEndian.AppendUint16([]byte(magic+"\x01\x00"), uint16(len(header))), header+"12345678"...)
}

// An archive that claims more than it has costs no memory.
func TestHugeClaims(t *testing.T) {
	for name, shape := range map[string]string{
		"more than any memory": "1000000000000,",
		"much memory":          "4000000000,",
		"product overflows":    "1099511627775, 1099511627775, 16",
		"overflow to nothing":  "274877906944, 67108864",
	} {
		path := filepath.Join(t.TempDir(), "x.npz")
		if err := os.WriteFile(path, archived(t, npy(shape), 1<<62), 0o600); err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Read(path)
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), `"a.npy"`) {
			t.Errorf("%s: error %v does not name file and member", name, err)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 {
			t.Errorf("%s: %d MB were taken", name, used>>20)
		}
	}
}

// FuzzRead reads the content as the member of an archive. Run it with
//
//	go test ./ffs/npz -fuzz FuzzRead -fuzztime 1m -fuzzminimizetime 10x
func FuzzRead(f *testing.F) {
	path := filepath.Join(f.TempDir(), "x.npz")
	f.Add(npy("2,"), uint64(200))
	f.Add(npy("1, 2"), uint64(1<<63))
	f.Add(npy("0, 99999999999"), uint64(200))
	f.Add(npy(""), uint64(200))
	f.Add([]byte("\x93NUMPY\x03\x00\xff\xff\xff\xff"), uint64(1<<60))
	f.Fuzz(func(t *testing.T, content []byte, size uint64) {
		if err := os.WriteFile(path, archived(t, content, size), 0o600); err != nil {
			t.Fatal(err)
		}
		arrays, err := Read(path)
		if err != nil {
			if !strings.HasPrefix(err.Error(), path) {
				t.Errorf("error %v does not begin with the file", err)
			}
			return
		}
		for name, array := range arrays {
			if got := len(array.Float64s()); got != array.Size() {
				t.Errorf("%s: %d elements in shape %v", name, got, array.Shape)
			}
		}
	})
}
