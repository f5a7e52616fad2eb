package npz

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/bits"
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

const magic = "\x93NUMPY"

var (
	descrField = regexp.MustCompile(`'descr':\s*'([^']*)'`)
	orderField = regexp.MustCompile(`'fortran_order':\s*(True|False)`)
	shapeField = regexp.MustCompile(`'shape':\s*\(([^)]*)\)`)
)

// descriptors maps NumPy's names of the element types that are written to empty slices of the Go
// types.
var descriptors = map[string]any{
	"<f4": []float32{}, "<f8": []float64{}, "<i4": []int32{}, "<i8": []int64{}, "|u1": []uint8{}, "|b1": []bool{},
}

// maxHeader exceeds any header that NumPy writes; it warns beyond 10000 bytes.
const maxHeader = 1 << 20

// readArray reads one .npy stream that claims to have size bytes. It allocates memory as data
// arrive, since an archive may claim any size and its members any shape.
func readArray(r io.Reader, size uint64) (*Array, error) {
	var prefix struct {
		Magic        [6]byte
		Major, Minor uint8
	}
	if err := binary.Read(r, binary.LittleEndian, &prefix); err != nil || string(prefix.Magic[:]) != magic {
		return nil, fmt.Errorf("not a .npy array")
	}
	headerLength, err := readHeaderLength(r, prefix.Major)
	if err != nil {
		return nil, err
	}
	if uint64(headerLength) > min(size, maxHeader) {
		return nil, fmt.Errorf("its header claims %d bytes, the member has %d", headerLength, size)
	}
	header := make([]byte, headerLength)
	if _, err := io.ReadFull(r, header); err != nil {
		return nil, fmt.Errorf("truncated header: %w", err)
	}
	descr, shape, fortran, err := parseHeader(string(header))
	if err != nil {
		return nil, err
	}
	read, known := readers[descr]
	if !known {
		return nil, fmt.Errorf("element type %q is not one of float16, float32, float64, int32, int64, uint8, bool: save x.astype(\"float32\")", descr)
	}
	count, fits := uint64(1), true
	for _, d := range shape {
		high, low := bits.Mul64(count, uint64(d))
		count, fits = low, fits && high == 0
	}
	high, length := bits.Mul64(count, read.size)
	if !fits || high != 0 || length > min(size, math.MaxInt64) {
		return nil, fmt.Errorf("shape %v is larger than the member's %d bytes", shape, size)
	}
	data, err := read.elements(r, int(count), shape, fortran)
	if err != nil {
		return nil, err
	}
	return &Array{Shape: shape, Data: data}, nil
}

// chunk is the number of elements to convert at a time. Converting all at once would double the
// memory of a large array.
const chunk = 1 << 16

func readChunks[T any](r io.Reader, order binary.ByteOrder, count int) ([]T, error) {
	data := make([]T, 0, min(count, chunk))
	part := make([]T, min(count, chunk))
	for len(data) < count {
		part = part[:min(len(part), count-len(data))]
		if err := binary.Read(r, order, part); err != nil {
			return nil, fmt.Errorf("truncated data: less than %d of %d elements: %w", len(data)+len(part), count, err)
		}
		data = append(data, part...)
	}
	return data, nil
}

func readHeaderLength(r io.Reader, major uint8) (uint32, error) {
	if major == 1 {
		var n uint16
		err := binary.Read(r, binary.LittleEndian, &n)
		return uint32(n), err
	}
	var n uint32
	err := binary.Read(r, binary.LittleEndian, &n)
	return n, err
}

func parseHeader(header string) (descr string, shape []int, fortran bool, err error) {
	d, o, s := descrField.FindStringSubmatch(header), orderField.FindStringSubmatch(header), shapeField.FindStringSubmatch(header)
	if d == nil || o == nil || s == nil {
		return "", nil, false, fmt.Errorf("header %q lacks descr, fortran_order or shape", strings.TrimSpace(header))
	}
	shape = []int{}
	for _, field := range strings.Split(s[1], ",") {
		field = strings.TrimSpace(field)
		if field == "" {
			continue
		}
		n, err := strconv.ParseUint(field, 10, 40)
		if err != nil {
			return "", nil, false, fmt.Errorf("shape (%s): %w", s[1], err)
		}
		shape = append(shape, int(n))
	}
	return d[1], shape, o[1] == "True", nil
}

func writeArray(w io.Writer, a *Array) error {
	descr := ""
	for name, empty := range descriptors {
		if reflect.TypeOf(empty) == reflect.TypeOf(a.Data) {
			descr = name
		}
	}
	if descr == "" {
		return fmt.Errorf("element type %T cannot be written", a.Data)
	}
	if n := reflect.ValueOf(a.Data).Len(); n != a.Size() {
		return fmt.Errorf("%d elements do not fill shape %v", n, a.Shape)
	}
	dims := make([]string, len(a.Shape))
	for i, d := range a.Shape {
		dims[i] = strconv.Itoa(d) + ","
	}
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, strings.Join(dims, " "))
	// The format wants the data to start at a multiple of 64 bytes.
	padding := 64 - (len(magic)+4+len(header)+1)%64
	header += strings.Repeat(" ", padding%64) + "\n"
	var b bytes.Buffer
	b.WriteString(magic + "\x01\x00")
	if err := binary.Write(&b, binary.LittleEndian, uint16(len(header))); err != nil {
		return err
	}
	b.WriteString(header)
	if _, err := w.Write(b.Bytes()); err != nil {
		return err
	}
	data := reflect.ValueOf(a.Data)
	for from := 0; from < data.Len(); from += chunk {
		if err := binary.Write(w, binary.LittleEndian, data.Slice(from, min(from+chunk, data.Len())).Interface()); err != nil {
			return err
		}
	}
	return nil
}
