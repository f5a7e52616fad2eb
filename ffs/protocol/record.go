package protocol

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"ffslab/data"
	"ffslab/ffs/eval"
)

// record is the file to which the detections of a set are appended as they come. Its first line
// says what they were made from; every other line holds a batch of images. A line that a kill cut
// off lacks its end and is removed.
type record struct {
	path string
	file *os.File
	// found holds the detections of the file by image id.
	found map[data.ID][]eval.Detection
	// note says what was in the file, for the user; it may be empty.
	note string
}

type recordHead struct {
	MadeFrom *source `json:"made_from"`
}

// recordBegin is the beginning of every record.
const recordBegin = `{"made_from":`

type batchRecord struct {
	Images []imageRecord `json:"images"`
}

type imageRecord struct {
	ID         data.ID          `json:"id"`
	Detections []eval.Detection `json:"detections"`
}

// openRecord opens the record at path to complete it. A record that was made from something else is
// started again. A file that is no record, or that is damaged other than by being cut off, is an
// error that names the file and the line.
func openRecord(path string, from source, set *data.Dataset) (*record, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	r := &record{path: path, file: file, found: map[data.ID][]eval.Detection{}}
	end, err := r.read(from, set)
	if err == nil {
		err = r.truncate(end)
	}
	if err == nil && end == 0 {
		err = r.writeLine(recordHead{&from})
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return r, nil
}

// read reads the whole lines and returns where they end, 0 if the file is to be started again.
func (r *record) read(from source, set *data.Dataset) (end int64, err error) {
	known := make(map[data.ID]bool, len(set.Images))
	for _, image := range set.Images {
		known[image.ID] = true
	}
	lines := bufio.NewReaderSize(r.file, 1<<20)
	for number := 1; ; number++ {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF { // a line without an end was cut off
			if begin := []byte(recordBegin); number == 1 && !bytes.HasPrefix(line, begin) && !bytes.HasPrefix(begin, line) {
				return 0, r.foreign()
			}
			break
		}
		if err != nil {
			return 0, fmt.Errorf("%s: %w", r.path, err)
		}
		if number == 1 {
			var head recordHead
			if err := json.Unmarshal(line, &head); err != nil || head.MadeFrom == nil {
				return 0, r.foreign()
			}
			if what := from.differs(*head.MadeFrom); what != "" {
				r.note = fmt.Sprintf("the unfinished detections in %s are of another evaluation (different: %s) and are made again", r.path, what)
				return 0, nil
			}
		} else if err := r.readBatch(line, known); err != nil {
			return 0, fmt.Errorf("%s:%d: %w: the file is damaged: remove it to detect again", r.path, number, err)
		}
		end += int64(len(line))
	}
	if len(r.found) > 0 {
		r.note = fmt.Sprintf("%d of %d images were done by an earlier evaluation that was stopped", len(r.found), len(set.Images))
	}
	return end, nil
}

// foreign is the error for a file that must not be overwritten.
func (r *record) foreign() error {
	return fmt.Errorf("%s is no record of an evaluation: move it away, or write the results to another folder", r.path)
}

func (r *record) readBatch(line []byte, known map[data.ID]bool) error {
	var batch batchRecord
	if err := json.Unmarshal(line, &batch); err != nil {
		return err
	}
	if len(batch.Images) == 0 {
		return errors.New("no images")
	}
	for _, image := range batch.Images {
		if _, twice := r.found[image.ID]; twice || !known[image.ID] {
			return fmt.Errorf("image %v is not one of the set, or occurs twice", image.ID)
		}
		for _, d := range image.Detections {
			if d.ImageID != image.ID {
				return fmt.Errorf("image %v holds a detection of image %v", image.ID, d.ImageID)
			}
		}
		r.found[image.ID] = image.Detections
	}
	return nil
}

// truncate removes what follows end and moves there.
func (r *record) truncate(end int64) error {
	if err := r.file.Truncate(end); err != nil {
		return err
	}
	_, err := r.file.Seek(end, io.SeekStart)
	return err
}

func (r *record) add(batch []imageRecord) error {
	if err := r.writeLine(batchRecord{batch}); err != nil {
		return err
	}
	for _, image := range batch {
		r.found[image.ID] = image.Detections
	}
	return nil
}

// writeLine writes in one call, so that after a kill the line is whole or lacks its end.
func (r *record) writeLine(v any) error {
	var line bytes.Buffer
	if err := json.NewEncoder(&line).Encode(v); err != nil { // Encode ends the line
		return fmt.Errorf("%s: %w", r.path, err)
	}
	_, err := r.file.Write(line.Bytes())
	return err
}

// close may be called twice.
func (r *record) close() error {
	if r.file == nil {
		return nil
	}
	err := r.file.Close()
	r.file = nil
	return err
}
