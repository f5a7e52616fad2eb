// Package lenient reads the text of annotation files as people's tools write it: with a byte order mark, in UTF-16, compressed, with numbers
// written as text, with true for 1. What can be meant is mended in memory; [Findings] counts every kind of mending and keeps every fault, so that
// a reader can tell all of them at once.
package lenient

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// Kind is a kind of fault that is mended.
type Kind struct {
	Told  string // what was done about it, as it follows a count: "boxes over the edge of their image were clipped"
	Fault string // the fault of one record, for a reader that mends nothing: "the box reaches over the edge of its image"
}

// MaxListed is how many faults an [Error] lists.
const MaxListed = 20

// Findings are what reading has met: kinds of mending with their numbers, and faults. Make them with [New].
type Findings struct {
	File string // the file that is being read; every fault and first record is told with it

	strict bool
	kinds  []*Kind // in the order in which they were met
	count  map[*Kind]int
	first  map[*Kind]string
	faults []string // the first MaxListed
	total  int
}

// New returns empty findings. If strict, whatever would be mended is a fault.
func New(strict bool) *Findings {
	return &Findings{strict: strict, count: map[*Kind]int{}, first: map[*Kind]string{}}
}

// Strict reports whether nothing is mended.
func (f *Findings) Strict() bool { return f.strict }

// Mend counts a record that was mended. place says which one it is; it is called for the first record of a kind alone.
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

// Tell counts a record of which something is to be told, though a strict reader accepts it, too.
func (f *Findings) Tell(kind *Kind, place func() string) {
	if f.count[kind] == 0 {
		f.kinds = append(f.kinds, kind)
		f.first[kind] = f.in(printable(place()))
	}
	f.count[kind]++
}

// Count returns how many records of a kind were mended or told.
func (f *Findings) Count(kind *Kind) int { return f.count[kind] }

// Fail keeps a fault that cannot be mended, which fmt.Sprintf says.
func (f *Findings) Fail(format string, arguments ...any) {
	if f.total++; f.total <= MaxListed {
		f.faults = append(f.faults, f.in(printable(fmt.Sprintf(format, arguments...))))
	}
}

// Failed reports whether there is a fault.
func (f *Findings) Failed() bool { return f.total > 0 }

// Total returns the number of faults.
func (f *Findings) Total() int { return f.total }

// Notes returns a sentence for every kind of mending: how often, what was done, and the first record that needed it.
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

// Err returns an [*Error] with the faults, nil if there are none.
func (f *Findings) Err() error {
	if f.total == 0 {
		return nil
	}
	return &Error{Faults: f.faults, Total: f.total}
}

// clone returns findings that change apart from f.
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
		return printable(f.File)
	}
	return printable(f.File) + ": " + text
}

// Error says what is wrong with an annotation file: every fault in a line of its own.
type Error struct {
	Faults []string // at most MaxListed, without control characters
	Total  int      // how many there are
}

// Error returns the fault, or their number and a list.
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

// printable replaces control characters. Annotation files are other people's: a name in one may hold line breaks, or sequences that steer a
// terminal, and messages quote names.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}
