package data

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"sync"
)

// ID is the id of an image or a category in its annotation file: an integer (0 is an ordinary one)
// or a text. IDs can be compared with == and be map keys. They are written as JSON in the form in
// which they were read, so that a results file has the ids of the annotation file.
//
// An integer is itself: ID(7), or the constant 7. A text, made by [TextID] or read from JSON, is
// represented by a number that is valid only in this process: print an ID with %v, and order IDs
// with [ID.Compare]. The text "7" and the integer 7 are different ids, as in Python.
type ID int64

// Texts are numbered from the least int64 on, as they occur. No integer id is below firstInteger:
// integers of a file that are, or that do not fit into 64 bits, are kept by their digits, like
// texts.
const (
	firstText    = ID(math.MinInt64)
	firstInteger = firstText + 1<<40
)

// idText is what an ID below firstInteger represents.
type idText struct {
	text   string
	digits bool // an integer of many digits, not a text
}

var idTexts struct {
	sync.RWMutex
	texts []idText
	ids   map[idText]ID
}

// TextID returns the ID of a text. Equal texts have equal IDs.
func TextID(text string) ID { return numberText(idText{text: text}) }

func numberText(t idText) ID {
	idTexts.RLock()
	id, known := idTexts.ids[t]
	idTexts.RUnlock()
	if known {
		return id
	}
	idTexts.Lock()
	defer idTexts.Unlock()
	if id, known := idTexts.ids[t]; known {
		return id
	}
	if idTexts.ids == nil {
		idTexts.ids = map[idText]ID{}
	}
	id = firstText + ID(len(idTexts.texts))
	idTexts.texts = append(idTexts.texts, t)
	idTexts.ids[t] = id
	return id
}

// text returns what the ID represents, unless it is an integer that represents itself.
func (id ID) text() (idText, bool) {
	if id >= firstInteger {
		return idText{}, false
	}
	idTexts.RLock()
	defer idTexts.RUnlock()
	if i := int64(id - firstText); i < int64(len(idTexts.texts)) {
		return idTexts.texts[i], true
	}
	return idText{}, false
}

// String returns the digits of an integer, or the text.
func (id ID) String() string {
	if t, ok := id.text(); ok {
		return t.text
	}
	return strconv.FormatInt(int64(id), 10)
}

// IsText reports whether the id is a text.
func (id ID) IsText() bool {
	t, ok := id.text()
	return ok && !t.digits
}

// Other returns the integer with the digits of a text, or the text with the digits of an integer,
// which a file that writes an id in both ways may mean. ok is false for other texts.
func (id ID) Other() (other ID, ok bool) {
	if !id.IsText() {
		return TextID(id.String()), true
	}
	other, ok = parseID([]byte(id.String()))
	return other, ok && !other.IsText()
}

// Compare orders integers by value and, after them, texts by their characters, as pycocotools does.
func (id ID) Compare(other ID) int {
	if id >= firstInteger && other >= firstInteger {
		return cmp.Compare(id, other)
	}
	switch text, otherText := id.IsText(), other.IsText(); {
	case text && otherText:
		return cmp.Compare(id.String(), other.String())
	case text:
		return 1
	case otherText:
		return -1
	}
	return id.integer().Cmp(other.integer())
}

// integer returns the value of an id that is not a text.
func (id ID) integer() *big.Int {
	v, _ := new(big.Int).SetString(id.String(), 10)
	return v
}

// MarshalJSON writes the id as in the annotation file.
func (id ID) MarshalJSON() ([]byte, error) {
	if t, ok := id.text(); ok && !t.digits {
		return json.Marshal(t.text)
	}
	return []byte(id.String()), nil
}

// MarshalText writes the id as the key of a JSON object.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalJSON reads an integer (7, and 7.0 or 1e+18 as table programs write it) or a text.
func (id *ID) UnmarshalJSON(token []byte) error {
	parsed, ok := parseID(token)
	if !ok {
		return fmt.Errorf("%.40s is not an id: want an integer or a text", token)
	}
	*id = parsed
	return nil
}

func parseID(token []byte) (ID, bool) {
	token = bytes.TrimSpace(token)
	if len(token) == 0 {
		return 0, false
	}
	if token[0] == '"' {
		var text string
		if json.Unmarshal(token, &text) != nil {
			return 0, false
		}
		return TextID(text), true
	}
	if token[0] != '-' && (token[0] < '0' || token[0] > '9') {
		return 0, false
	}
	if v, err := strconv.ParseInt(string(token), 10, 64); err == nil && ID(v) >= firstInteger {
		return ID(v), true
	}
	if bytes.ContainsAny(token, ".eE") {
		v, err := strconv.ParseFloat(string(token), 64)
		if err != nil || v != math.Trunc(v) {
			return 0, false
		}
		if v >= float64(firstInteger) && v < 1<<63 {
			return ID(v), true
		}
		whole, _ := new(big.Float).SetFloat64(v).Int(nil) // Python's integer of the same value
		return numberText(idText{whole.String(), true}), true
	}
	return numberText(idText{string(token), true}), true
}
