// Package lenient reads the text of annotation files as tools write it: with a byte order mark, in
// UTF-16, compressed, with numbers written as text, with true for 1. It mends in memory what has a
// clear meaning. [Findings] count every kind of mending and keep every fault, so that a reader can
// report all of them at once.
package lenient

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// Kind is a kind of fault that can be mended.
type Kind struct {
	Told  string // what was done, following a count: "boxes over the edge of their image were clipped"
	Fault string // the fault of one record, for strict readers: "the box reaches over the edge of its image"
}

// MaxListed is the number of faults that an [Error] lists.
const MaxListed = 20

// Findings hold kinds of mending with their counts, and faults. Create them with [New].
type Findings struct {
	File string // the file being read, which is named with every fault and first record

	strict bool
	kinds  []*Kind // in the order in which they occurred
	count  map[*Kind]int
	first  map[*Kind]string
	faults []string // the first MaxListed
	total  int
}

// New returns empty findings. If strict, everything that would be mended is a fault.
func New(strict bool) *Findings {
	return &Findings{strict: strict, count: map[*Kind]int{}, first: map[*Kind]string{}}
}

// Mend counts a record that was mended. place names the record; it is called only for the first one
// of a kind.
func (f *Findings) Mend(kind *Kind, place func() string) {
	if f.strict {
		if f.total < MaxListed {
			f.Fail("%s: %s", place(), kind.Fault)
		} else {
			f.total++
		}
		return
	}
	f.Tell(kind, place)
}

// Tell counts a record that is worth a note although strict readers accept it too.
func (f *Findings) Tell(kind *Kind, place func() string) {
	if f.count[kind] == 0 {
		f.kinds = append(f.kinds, kind)
		f.first[kind] = f.in(Printable(place()))
	}
	f.count[kind]++
}

// Count returns how many records of a kind were counted.
func (f *Findings) Count(kind *Kind) int { return f.count[kind] }

// Fail adds a fault that cannot be mended, formatted by fmt.Sprintf.
func (f *Findings) Fail(format string, arguments ...any) {
	if f.total++; f.total <= MaxListed {
		f.faults = append(f.faults, f.in(Printable(fmt.Sprintf(format, arguments...))))
	}
}

// Failed reports whether there is a fault.
func (f *Findings) Failed() bool { return f.total > 0 }

// Total returns the number of faults.
func (f *Findings) Total() int { return f.total }

// Notes returns a sentence for every kind of mending: the count, what was done, and the first
// record.
func (f *Findings) Notes() []string {
	var notes []string
	for _, kind := range f.kinds {
		note := fmt.Sprintf("%d %s", f.count[kind], kind.Told)
		if first := f.first[kind]; first != "" {
			note += "; the first: " + first
		}
		notes = append(notes, note)
	}
	return notes
}

// Err returns an [*Error] with the faults, or nil.
func (f *Findings) Err() error {
	if f.total == 0 {
		return nil
	}
	return &Error{Faults: f.faults, Total: f.total}
}

// clone returns independent findings.
func (f *Findings) clone() Findings {
	c := *f
	c.count, c.first = maps.Clone(f.count), maps.Clone(f.first)
	c.kinds, c.faults = slices.Clone(f.kinds), slices.Clone(f.faults)
	return c
}

func (f *Findings) in(text string) string {
	if f.File == "" {
		return text
	}
	if text == "" {
		return Printable(f.File)
	}
	return Printable(f.File) + ": " + text
}

// Error says what is wrong with an annotation file, one fault a line.
type Error struct {
	Faults []string // at most MaxListed, without control characters
	Total  int      // number of faults
}

// Error returns the fault, or the number of faults and a list.
func (e *Error) Error() string {
	if e.Total == 1 {
		return e.Faults[0]
	}
	list := fmt.Sprintf("%d faults:\n  %s", e.Total, strings.Join(e.Faults, "\n  "))
	if more := e.Total - len(e.Faults); more > 0 {
		list += fmt.Sprintf("\n  and %d more", more)
	}
	return list
}

// Printable replaces control characters. Names in annotation files of other people may hold line
// breaks, or sequences that control a terminal, and messages quote names.
func Printable(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}
