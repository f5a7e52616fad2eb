// Package tensorboard writes event files of trainings and evaluations, which TensorBoard shows and
// Weights & Biases imports.
//
// They lie in the folder tensorboard of a run: "tensorboard --logdir runs" shows every run under
// its name. Evaluations have a subfolder eval, which TensorBoard takes for a part of the same
// session of hyperparameters.
package tensorboard

import (
	"bufio"
	"encoding/binary"
	"hash/crc32"
	"io"
	"math"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"ffslab/ffs/tensorboard/event"
	"ffslab/viz"
)

// writer writes the records of an event file.
type writer struct{ out *bufio.Writer }

// newWriter returns a writer that has written the head of a file.
func newWriter(w io.Writer) (writer, error) {
	to := writer{bufio.NewWriter(w)}
	return to, to.write(&event.Event{What: &event.Event_FileVersion{FileVersion: "brain.Event:2"}})
}

// values writes the values of a step.
func (w writer) values(step int, values ...*event.Value) error {
	return w.write(&event.Event{Step: int64(step), What: &event.Event_Summary{Summary: &event.Summary{Value: values}}})
}

// write writes a record: its length and its content, each with a checksum. The event gets the
// current time.
func (w writer) write(e *event.Event) error {
	now := time.Now()
	e.WallTime = float64(now.UnixMicro()) / 1e6
	content, err := proto.Marshal(e)
	if err != nil {
		return err
	}
	head := binary.LittleEndian.AppendUint64(nil, uint64(len(content)))
	head = binary.LittleEndian.AppendUint32(head, checksum(head))
	for _, part := range [][]byte{head, content, binary.LittleEndian.AppendUint32(nil, checksum(content))} {
		if _, err := w.out.Write(part); err != nil {
			return err
		}
	}
	return nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksum returns the checksum of TFRecord files, a masked CRC-32C.
func checksum(data []byte) uint32 {
	sum := crc32.Checksum(data, castagnoli)
	return (sum>>15 | sum<<17) + 0xa282ead8
}

// scalar returns a value of a curve.
func scalar(tag string, value float64) *event.Value {
	return &event.Value{Tag: tag, Value: &event.Value_SimpleValue{SimpleValue: float32(value)}}
}

// Width in pixels and JPEG quality of images.
const (
	imageWidth   = 1400
	imageQuality = 88
)

// imageOf returns a figure as an image.
func imageOf(tag string, figure *viz.Figure) (*event.Value, error) {
	content, size, err := figure.JPEG(imageWidth, imageQuality)
	if err != nil {
		return nil, err
	}
	return &event.Value{Tag: tag, Value: &event.Value_Image{Image: &event.Image{
		Height: int32(size.Y), Width: int32(size.X), Colorspace: 3, EncodedImageString: content,
	}}}, nil
}

// bins is the number of buckets of a histogram, all of the same width.
const bins = 40

// histogram returns the distribution of the finite values, or nil if there are none.
func histogram(tag string, values []float64) *event.Value {
	values = slices.DeleteFunc(slices.Clone(values), func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) })
	if len(values) == 0 {
		return nil
	}
	h := &event.Histogram{
		Min: slices.Min(values), Max: slices.Max(values), Num: float64(len(values)), BucketLimit: make([]float64, bins), Bucket: make([]float64, bins),
	}
	width := (h.Max - h.Min) / bins
	if width == 0 {
		width = 1
	}
	for i := range h.BucketLimit {
		h.BucketLimit[i] = h.Min + width*float64(i+1)
	}
	for _, v := range values {
		h.Sum, h.SumSquares = h.Sum+v, h.SumSquares+v*v
		h.Bucket[min(int((v-h.Min)/width), bins-1)]++
	}
	return &event.Value{Tag: tag, Value: &event.Value_Histo{Histo: h}}
}
