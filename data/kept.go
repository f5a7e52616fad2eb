package data

import (
	"bytes"
	"encoding/json"

	"github.com/go-json-experiment/json/jsontext"

	"ffslab/data/lenient"
)

// Kept holds the content of a record in a COCO annotation file that a [Dataset] does not hold:
// segmentations, keypoints, attributes, licences. [Options.Keep] makes the reader keep it,
// [WriteCOCO] writes it. A nil *Kept holds nothing.
type Kept struct {
	id         ID // of an annotation, if identified
	identified bool
	members    []keptMember
}

type keptMember struct {
	key   string
	value jsontext.Value // on one line
}

// newKept returns an empty record, or nil unless keep.
func newKept(keep bool) *Kept {
	if !keep {
		return nil
	}
	return &Kept{}
}

// take keeps the next value of j under a key, or skips it if k is nil. It does not keep null.
func (k *Kept) take(j *lenient.JSON, key []byte) {
	if k == nil {
		j.Skip()
		return
	}
	name := string(key) // copy, since the next read overwrites key
	k.add(name, j.Value())
}

// takeText keeps a text that was already read.
func (k *Kept) takeText(key []byte, text string) {
	if k == nil || text == "" {
		return
	}
	if value, err := json.Marshal(text); err == nil {
		k.add(string(key), value)
	}
}

func (k *Kept) add(key string, value []byte) {
	v := jsontext.Value(bytes.Clone(value))
	if len(v) > 0 && v.Compact(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) == nil {
		k.members = append(k.members, keptMember{key, v})
	}
}

// appendTo adds the members to the JSON object in text.
func (k *Kept) appendTo(text []byte) ([]byte, error) {
	if k == nil || len(k.members) == 0 {
		return text, nil
	}
	text = text[:len(text)-1] // without the closing brace
	for _, m := range k.members {
		key, err := json.Marshal(m.key)
		if err != nil {
			return nil, err
		}
		if text[len(text)-1] != '{' {
			text = append(text, ',')
		}
		text = append(append(append(text, key...), ':'), m.value...)
	}
	return append(text, '}'), nil
}
