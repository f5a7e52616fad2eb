package checkpoint

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/gomlx/compute/dtypes"
)

// A safetensors file is the length of a JSON header in 8 bytes, the header, and one buffer; the
// header gives each tensor's type, shape and place in the buffer. See
// https://github.com/huggingface/safetensors.

var safeTypes = map[string]dtypes.DType{
	"F64": dtypes.Float64, "F32": dtypes.Float32, "F16": dtypes.Float16, "BF16": dtypes.BFloat16,
	"I64": dtypes.Int64, "I32": dtypes.Int32, "I16": dtypes.Int16, "I8": dtypes.Int8,
	"U64": dtypes.Uint64, "U32": dtypes.Uint32, "U16": dtypes.Uint16, "U8": dtypes.Uint8, "BOOL": dtypes.Bool,
}

// metadataKey is the header's entry that is not a tensor but a map of strings.
const metadataKey = "__metadata__"

// maxHeader bounds the header, as the format itself does (100 MB there); a tensor takes about 100
// bytes of it.
const maxHeader = 16 << 20

type safeEntry struct {
	DType   string `json:"dtype"`
	Shape   []int  `json:"shape"`
	Offsets [2]int `json:"data_offsets"`
}

// looksLikeSafeTensors tells by the header's opening brace. A header that is longer than the file
// still counts, for the error's sake, as long as no other format could have that beginning.
func looksLikeSafeTensors(data []byte) bool {
	return len(data) > 8 && data[8] == '{' && binary.LittleEndian.Uint64(data) < 1<<32
}

func decodeSafeTensors(data []byte) (*File, error) {
	length, data := binary.LittleEndian.Uint64(data), data[8:]
	if length > maxHeader {
		return nil, fmt.Errorf("safetensors: a header of %d bytes, more than the %d allowed", length, maxHeader)
	}
	if length > uint64(len(data)) {
		return nil, fmt.Errorf("safetensors: truncated: a header of %d bytes, %d left", length, len(data))
	}
	header, buffer := data[:length], data[length:]
	f := &File{Format: SafeTensors, Values: map[string]any{}}
	if err := f.readHeader(header, buffer); err != nil {
		return nil, fmt.Errorf("safetensors: %w", err)
	}
	if len(f.Tensors) == 0 {
		return nil, errors.New("safetensors: holds no tensors")
	}
	if err := f.verify(); err != nil {
		return nil, err
	}
	return f, nil
}

// readHeader adds the header's tensors in the order of the header, and checks that they fill the
// buffer without gap or overlap.
func (f *File) readHeader(header, buffer []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(header))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return errors.New("the header is not a JSON object")
	}
	seen := map[string]bool{}
	var spans [][2]int
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return fmt.Errorf("header: %w", err)
		}
		name := token.(string) // the decoder lets nothing else be a key
		if seen[name] {
			return fmt.Errorf("two entries are named %q", printable(name))
		}
		seen[name] = true
		if name == metadataKey {
			err = f.readMetadata(decoder)
		} else {
			var span [2]int
			span, err = f.readEntry(decoder, name, buffer)
			spans = append(spans, span)
		}
		if err != nil {
			return fmt.Errorf("entry %q: %w", printable(name), err)
		}
	}
	if _, err := decoder.Token(); err != nil {
		return fmt.Errorf("header: %w", err)
	}
	slices.SortFunc(spans, func(a, b [2]int) int { return slices.Compare(a[:], b[:]) })
	end := 0
	for _, span := range spans {
		if span[0] != end {
			return fmt.Errorf("tensors overlap or leave a gap at byte %d of the data", min(span[0], end))
		}
		end = span[1]
	}
	if end != len(buffer) {
		return fmt.Errorf("%d bytes of data, want %d", len(buffer), end)
	}
	return nil
}

func (f *File) readMetadata(decoder *json.Decoder) error {
	var metadata map[string]string
	if err := decoder.Decode(&metadata); err != nil {
		return err
	}
	for key, value := range metadata {
		f.Values[key] = value
	}
	return nil
}

func (f *File) readEntry(decoder *json.Decoder, name string, buffer []byte) (span [2]int, err error) {
	var e safeEntry
	if err := decoder.Decode(&e); err != nil {
		return span, err
	}
	dtype, ok := safeTypes[e.DType]
	if !ok {
		return span, fmt.Errorf("element type %q is not supported: save the weights as float32, float16 or bfloat16", printable(e.DType))
	}
	if len(e.Shape) > maxRank {
		return span, fmt.Errorf("%d dimensions", len(e.Shape))
	}
	if e.Offsets[0] < 0 || e.Offsets[1] < e.Offsets[0] || e.Offsets[1] > len(buffer) {
		return span, fmt.Errorf("data_offsets %v lie outside the %d bytes of data", e.Offsets, len(buffer))
	}
	t, err := NewTensor(name, dtype, e.Shape, slices.Clip(buffer[e.Offsets[0]:e.Offsets[1]]))
	if err != nil {
		return span, err
	}
	f.Tensors = append(f.Tensors, t)
	return e.Offsets, nil
}
