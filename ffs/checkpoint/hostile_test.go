package checkpoint

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func testFiles(t testing.TB) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for _, pattern := range []string{"testdata/*.pth", "testdata/*.pkl"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			files[filepath.Base(path)] = data
		}
	}
	if len(files) < 14 {
		t.Fatalf("only %d test files", len(files))
	}
	return files
}

func TestEveryTruncationIsAnError(t *testing.T) {
	for name, data := range testFiles(t) {
		step := 1 + len(data)/2000
		for n := 0; n < len(data); n += step {
			if _, err := Decode(data[:n]); err == nil {
				t.Errorf("%s: its first %d of %d bytes were accepted", name, n, len(data))
				break
			}
		}
	}
}

func TestDamagedElementsAreAnError(t *testing.T) {
	data := bytes.Clone(testFiles(t)["detector.pth"])
	f, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	f.Tensors[10].Bytes()[3] ^= 1 // a view of data
	if _, err := Decode(data); err == nil || !strings.Contains(err.Error(), "checksum") {
		t.Errorf("a flipped bit in a tensor: %v", err)
	}
}

// program is a pickle that starts with protocol 2 and stops after the given instructions.
func program(instructions ...string) []byte {
	return []byte("\x80\x02" + strings.Join(instructions, "") + ".")
}

func u32(n uint32) string { return string(binary.LittleEndian.AppendUint32(nil, n)) }

func text(s string) string { return "X" + u32(uint32(len(s))) + s }

// torchZip wraps a data.pkl and one storage of 4 bytes as torch.save does.
func torchZip(t *testing.T, pickle []byte, method uint16, storage []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, entry := range []struct {
		name   string
		data   []byte
		method uint16
	}{{"archive/data.pkl", pickle, zip.Store}, {"archive/data/0", storage, method}} {
		// As torch does, with sizes and checksum in the local header.
		e, err := w.CreateHeader(&zip.FileHeader{Name: entry.name, Method: entry.method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Write(entry.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// oneTensor is a state dict of one tensor over storage "0" of count elements.
func oneTensor(count, offset, size, stride uint32) []byte {
	return program("}", text("w"), "ctorch._utils\n_rebuild_tensor_v2\n", "(",
		"(", text("storage"), "ctorch\nFloatStorage\n", text("0"), text("cpu"), "J"+u32(count), "tQ",
		"J"+u32(offset), "J"+u32(size), "\x85", "J"+u32(stride), "\x85", "\x89", "N", "tR", "s")
}

func TestHostileFilesAreRefusedCheaply(t *testing.T) {
	four := make([]byte, 4)
	million := strings.Repeat("x", 1<<20)
	array := func(shape, data string) []byte {
		return program("}", text("w"), "cnumpy.core.multiarray\n_reconstruct\n", "cnumpy\nndarray\n", "K\x00\x85", "C\x01b", "\x87R",
			"(K\x01", shape, "cnumpy\ndtype\n", text("f4"), "\x85R", "\x89", data, "tb", "s")
	}
	tests := []struct {
		name string
		data []byte
		want string // in the error
	}{
		{"string of 4 GB", program("X" + u32(1<<32-1)), "truncated"},
		{"bytes of 2^63", program("\x8e" + "\xff\xff\xff\xff\xff\xff\xff\x7f"), "truncated"},
		{"number of 4 GB", program("\x8b" + u32(1<<32-1)), "truncated"},
		{"memo never set", program("j" + u32(1<<31)), "memo"},
		{"pop from the empty stack", program("0"), "0x30"},
		{"tuple of nothing", program("\x87"), "underflow"},
		{"call below a mark", program("ccollections\nOrderedDict\n", ")", "(", "R"), "underflow"},
		{"append to a number", program("K\x01", "K\x02", "a"), "not a list"},
		{"items of a list", program("]", "K\x01", "K\x02", "s"), "not a dictionary"},
		{"call of a string", program(text("eval"), ")", "R"), "not a constructor"},
		{"call of a storage type", program("ctorch\nFloatStorage\n", ")", "R"), "not a constructor"},
		{"dotted name", program("ctorch\n_utils._rebuild_tensor_v2.__globals__\n"), "__globals__"},
		{"name with control characters", program("c\x1b[2Jos\nsystem\n"), `\x1b[2Jos.system`},
		{"instance of another class", program("cnumpy.core.multiarray\n_reconstruct\n", "ccollections\nOrderedDict\n", "K\x00\x85", "C\x01b", "\x87R"), "numpy.ndarray"},
		{"object array", program("cnumpy\ndtype\n", text("O8"), "\x85R"), "O8"},
		{"array larger than its bytes", array("K\x02\x85", "C\x04"+string(four)), "does not hold"},
		{"array of gigabytes", array("J"+u32(1<<30)+"\x85", "C\x04"+string(four)), "does not hold"},
		{"array of overflowing shape", array("(J"+u32(1<<30)+"J"+u32(1<<30)+"J"+u32(1<<30)+"t", "C\x04"+string(four)), "does not hold"},
		{"array of negative shape", array("J"+u32(1<<32-1)+"\x85", "C\x04"+string(four)), "does not hold"},
		{"bytearray of 2^63", program("\x96" + "\xff\xff\xff\xff\xff\xff\xff\x7f"), "truncated"},
		{"buffer outside the file", program("\x97"), "0x97"},
		{"ten million lists", []byte("\x80\x02" + strings.Repeat("]", 10<<20)), "instructions"},
		{"one string decoded often", program(text(million), "q\x00", strings.Repeat("c_codecs\nencode\nh\x00"+text("latin1")+"\x86R", 1000)), "more bytes"},
		{"list that contains itself", program("}", text("l"), "]q\x00", "h\x00", "a", "s"), "no named tensors"},
		{"not a dictionary", program("K\x01"), "no dictionary"},
		{"storage outside a torch file", program("(", text("storage"), "tQ"), "persistent"},
		{"storage larger than its entry", torchZip(t, oneTensor(1<<30, 0, 1<<30, 1), zip.Store, four), "want 1073741824 elements"},
		{"view beyond its storage", torchZip(t, oneTensor(1, 1, 1, 1), zip.Store, four), "beyond"},
		{"stride beyond its storage", torchZip(t, oneTensor(1, 0, 2, 1<<30), zip.Store, four), "beyond"},
		{"stride 0 to gigabytes", torchZip(t, oneTensor(1, 0, 1<<30, 0), zip.Store, four), "far larger"},
		{"negative stride", torchZip(t, oneTensor(1, 0, 1, 1<<32-1), zip.Store, four), "negative"},
		{"compressed entry", torchZip(t, oneTensor(1<<28, 0, 1, 1), zip.Deflate, make([]byte, 1<<20)), "compressed"},
		{"entry missing", torchZip(t, bytes.Replace(oneTensor(1, 0, 1, 1), []byte(text("0")), []byte(text("7")), 1), zip.Store, four), `storage "7" is missing`},
		{"safetensors header of 4 GB", []byte("\xff\xff\xff\xff\x00\x00\x00\x00{"), "header"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := Decode(test.data)
			runtime.ReadMemStats(&after)
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.ContainsAny(err.Error(), "\x1b\n") {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 400<<20 {
				t.Errorf("allocated %d MB", used>>20)
			}
		})
	}
}

func TestSharedListsDoNotUnfold(t *testing.T) {
	// Thirty lists, each holding the one before twice: 2^30 leaves.
	lists := "]]q\x00a"
	for i := range 30 {
		lists += fmt.Sprintf("](h%ch%ceq%ca", i, i, i+1)
	}
	data := torchZip(t, bytes.Replace(oneTensor(1, 0, 1, 1), []byte("}"), []byte("}"+text("bomb")+lists+"s"), 1), zip.Store, make([]byte, 4))
	f, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Tensors) != 1 || len(f.Values) != 0 {
		t.Errorf("%d tensors and values %v, want 1 and none", len(f.Tensors), f.Values)
	}
}

func FuzzDecode(f *testing.F) {
	for name, data := range testFiles(f) {
		if name != "detector.pth" { // too large to be mutated well
			f.Add(data)
		}
	}
	for _, object := range []string{
		items(text("model"), items(text("w"), call(name("numpy._core.numeric", "_frombuffer"), "\x96\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x3f"+
			call(name("numpy", "dtype"), text("f4")+"\x89\x88")+number(1)+"\x85"+text("C"))), text("args"), with(instance(name("argparse", "Namespace"), ""), items())),
		with(instance(name("mine", "Net"), ""), items(text("_parameters"), items(), text("_modules"), items(text("a"), instance(name("mine", "Net"), "")))),
		call(name("collections", "OrderedDict"), "]]("+text("a")+number(2)+"ea"),
	} {
		f.Add(program(object))
	}
	f.Add([]byte("\x38\x00\x00\x00\x00\x00\x00\x00" + `{"w":{"dtype":"F16","shape":[2,1],"data_offsets":[0,4]}} 1234`))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Decode(data)
		if err != nil {
			return
		}
		for _, tensor := range file.Tensors[:min(len(file.Tensors), 16)] {
			if got, want := len(tensor.Bytes()), tensor.Size()*tensor.DType.Size(); got != want {
				t.Errorf("%q: %d bytes, want %d", tensor.Name, got, want)
			}
			_, _ = tensor.Float32()
			_, _ = tensor.Int64()
		}
	})
}
