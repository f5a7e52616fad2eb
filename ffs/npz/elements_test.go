package npz

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// member is a .npy array of elements as they lie in the file.
func member(t *testing.T, descr, fortran, shape string, elements any, order binary.ByteOrder) []byte {
	t.Helper()
	header := "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': (" + shape + "), }\n"
	content := append(binary.LittleEndian.AppendUint16([]byte(magic+"\x01\x00"), uint16(len(header))), header...)
	content, err := binary.Append(content, order, elements)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestReadsWhatNumPyWrites(t *testing.T) {
	little, big := binary.LittleEndian, binary.BigEndian
	inf := float32(math.Inf(1))
	halves := []uint16{0x3c00, 0xc000, 0x7bff, 0x0001, 0x7c00, 0x8000} // 1, -2, the largest, the least, infinity, -0
	wide := []float32{1, -2, 65504, 1.0 / (1 << 24), inf, float32(math.Copysign(0, -1))}
	for name, c := range map[string]struct {
		content []byte
		want    *Array
	}{
		"float16":            {member(t, "<f2", "False", "6,", halves, little), New(wide, 6)},
		"big float16":        {member(t, ">f2", "False", "6,", halves, big), New(wide, 6)},
		"big float32":        {member(t, ">f4", "False", "2,", []float32{1.5, -2}, big), New([]float32{1.5, -2}, 2)},
		"big float64":        {member(t, ">f8", "False", "1, 2", []float64{1.5, -2}, big), New([]float64{1.5, -2}, 1, 2)},
		"big int32":          {member(t, ">i4", "False", "2,", []int32{1, -7}, big), New([]int32{1, -7}, 2)},
		"big int64":          {member(t, ">i8", "False", "", []int64{1 << 40}, big), New([]int64{1 << 40})},
		"Fortran":            {member(t, "<f4", "True", "2, 3", []float32{1, 4, 2, 5, 3, 6}, little), New([]float32{1, 2, 3, 4, 5, 6}, 2, 3)},
		"Fortran, big":       {member(t, ">i4", "True", "2, 3", []int32{1, 4, 2, 5, 3, 6}, big), New([]int32{1, 2, 3, 4, 5, 6}, 2, 3)},
		"Fortran float16":    {member(t, "<f2", "True", "2, 3", []uint16{halves[0], halves[3], halves[1], halves[4], halves[2], halves[5]}, little), New(wide, 2, 3)},
		"Fortran of three":   {member(t, "|u1", "True", "2, 1, 2, 2", []uint8{1, 5, 3, 7, 2, 6, 4, 8}, little), New([]uint8{1, 2, 3, 4, 5, 6, 7, 8}, 2, 1, 2, 2)},
		"Fortran of one":     {member(t, "|b1", "True", "2,", []bool{true, false}, little), New([]bool{true, false}, 2)},
		"Fortran of nothing": {member(t, "<f4", "True", "0, 99999999999, 99999999999", []float32{}, little), New([]float32{}, 0, 99999999999, 99999999999)},
	} {
		path := filepath.Join(t.TempDir(), "x.npz")
		if err := os.WriteFile(path, archived(t, c.content, uint64(len(c.content))), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := Read(path)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(c.want, got["a"], cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// What a header says of an array that the member has not is an error in every form that is read.
func TestLyingShapesAreErrors(t *testing.T) {
	for _, descr := range []string{"<f2", ">f2", ">f4", ">f8", "|u1"} {
		for _, fortran := range []string{"True", "False"} {
			for _, shape := range []string{"9,", "3, 3", "1099511627775, 1099511627775, 16"} {
				content := member(t, descr, fortran, shape, []uint8{1, 2}, binary.LittleEndian)
				path := filepath.Join(t.TempDir(), "x.npz")
				if err := os.WriteFile(path, archived(t, content, uint64(len(content))), 0o600); err != nil {
					t.Fatal(err)
				}
				if _, err := Read(path); err == nil || !strings.Contains(err.Error(), `"a.npy"`) {
					t.Errorf("%s, Fortran order %s, shape (%s): error %v", descr, fortran, shape, err)
				}
			}
		}
	}
}
