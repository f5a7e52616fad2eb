package features

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/google/renameio/v2"
	"golang.org/x/image/draw"

	"ffslab/viz/escape"
)

// ThumbSide is the side of an image in the Projector's sprite, in pixels. MaxProjected is the
// largest number of rows that are written, spread evenly; the sprite then has a side of 3200
// pixels, and TensorBoard accepts 8192.
const (
	ThumbSide    = 32
	MaxProjected = 10_000
)

// WriteProjector writes the features for TensorBoard's Embedding Projector into the folder, for
// "tensorboard --logdir DIR": tensors.tsv, metadata.tsv with the given columns, which have a value
// for each row, and projector_config.pbtxt. tensors.tsv and metadata.tsv can also be loaded into
// projector.tensorflow.org. If picture is not nil, sprite.png shows the image that it returns for
// each row; for nil it leaves a gap.
func (t *Table) WriteProjector(dir string, names []string, columns [][]string, picture func(row int) (image.Image, error)) error {
	if t.Features == nil || t.Features.Rows == 0 {
		return fmt.Errorf("%s: no features for the Projector", t.From)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	rows := make([]int, min(t.Features.Rows, MaxProjected))
	for i := range rows {
		rows[i] = i * t.Features.Rows / len(rows)
	}
	var tensors strings.Builder
	for _, i := range rows {
		for j, v := range t.Features.Row(i) {
			if j > 0 {
				tensors.WriteByte('\t')
			}
			tensors.WriteString(strconv.FormatFloat(float64(v), 'g', 6, 32))
		}
		tensors.WriteByte('\n')
	}
	files := map[string][]byte{"tensors.tsv": []byte(tensors.String())}
	config := "embeddings {\n  tensor_name: \"features\"\n  tensor_path: \"tensors.tsv\"\n"
	if len(columns) > 0 {
		files["metadata.tsv"] = metadataOf(rows, names, columns)
		config += "  metadata_path: \"metadata.tsv\"\n"
	}
	if picture != nil {
		sprite, err := spriteOf(rows, picture)
		if err != nil {
			return err
		}
		files["sprite.png"] = sprite
		config += fmt.Sprintf("  sprite {\n    image_path: \"sprite.png\"\n    single_image_dim: %d\n    single_image_dim: %d\n  }\n", ThumbSide, ThumbSide)
	}
	files["projector_config.pbtxt"] = []byte(config + "}\n")
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := renameio.WriteFile(path, content, 0o644); err != nil {
			return fmt.Errorf("writing %s: %w", path, err)
		}
	}
	return nil
}

// metadataOf returns the metadata of the given rows. The Projector wants a head for several columns
// and none for a single one.
func metadataOf(rows []int, names []string, columns [][]string) []byte {
	var b bytes.Buffer
	write := func(cell func(column int) string) {
		for c := range columns {
			if c > 0 {
				b.WriteByte('\t')
			}
			b.WriteString(escape.Line(cell(c))) // tabs and line breaks have no quotes here
		}
		b.WriteByte('\n')
	}
	if len(columns) > 1 {
		write(func(c int) string { return names[c] })
	}
	for _, i := range rows {
		write(func(c int) string { return columns[c][i] })
	}
	return b.Bytes()
}

// spriteOf arranges the images in a square, row by row, as the Projector wants them.
func spriteOf(rows []int, picture func(row int) (image.Image, error)) ([]byte, error) {
	perLine := int(math.Ceil(math.Sqrt(float64(len(rows)))))
	sprite := image.NewRGBA(image.Rect(0, 0, perLine*ThumbSide, perLine*ThumbSide))
	for n, row := range rows {
		img, err := picture(row)
		if err != nil {
			return nil, err
		}
		if img == nil {
			continue
		}
		corner := image.Pt(n%perLine*ThumbSide, n/perLine*ThumbSide)
		draw.ApproxBiLinear.Scale(sprite, image.Rectangle{corner, corner.Add(image.Pt(ThumbSide, ThumbSide))}, img, img.Bounds(), draw.Src, nil)
	}
	var b bytes.Buffer
	err := png.Encode(&b, sprite)
	return b.Bytes(), err
}
