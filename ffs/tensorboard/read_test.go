package tensorboard

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"google.golang.org/protobuf/proto"

	"ffslab/ffs/tensorboard/event"
)

// errDamaged is the error of a record that does not agree with its checksum.
var errDamaged = errors.New("damaged record")

// read returns the events of a file.
func read(r io.Reader) ([]*event.Event, error) {
	var events []*event.Event
	part := func(n uint64) ([]byte, error) {
		data := make([]byte, n+4)
		if _, err := io.ReadFull(r, data); err != nil {
			return nil, err
		}
		if checksum(data[:n]) != binary.LittleEndian.Uint32(data[n:]) {
			return nil, fmt.Errorf("%w after %d events", errDamaged, len(events))
		}
		return data[:n], nil
	}
	for {
		head, err := part(8)
		if errors.Is(err, io.EOF) {
			return events, nil
		}
		if err != nil {
			return nil, err
		}
		content, err := part(binary.LittleEndian.Uint64(head))
		if err != nil {
			return nil, err
		}
		e := &event.Event{}
		if err := proto.Unmarshal(content, e); err != nil {
			return nil, err
		}
		events = append(events, e)
	}
}
