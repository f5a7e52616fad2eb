package data

import (
	"bufio"
	_ "embed" // the word list
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
)

//go:embed words.txt
var wordList string

// Words knows which class names mean the same and which classes are alike, across data sets. It
// compares names without regard to case, and treats "_" and "-" as blanks.
type Words struct {
	same   map[string]string // representative of words that mean the same
	senses []sense
	kinds  map[string][]string // what a word is a kind of, by representatives
	groups []*wordGroup
}

// sense is the meaning of an ambiguous word in a set that has one of some other words.
type sense struct {
	word, meaning string
	beside        []string
}

type wordGroup struct {
	names   []string // a class with such a name can be any of the members
	members map[string]bool
}

// DefaultWords returns the built-in list: the classes of PASCAL VOC, COCO, BDD100K, nuImages,
// YouTube-VIS and most of Open Images.
var DefaultWords = sync.OnceValue(func() *Words {
	w, err := ParseWords(strings.NewReader(wordList))
	if err != nil {
		panic("data: words.txt: " + err.Error()) // a test parses it
	}
	return w
})

// ParseWords parses a word list with these kinds of lines:
//
//	# a comment
//	same WORD: WORD, WORD            all words mean the same
//	kind WORD: WORD, WORD            the words after the colon are kinds of the first
//	sense WORD, OTHER: WORD, WORD    WORD means OTHER in a set that has a word after the colon and
//	                                 no class called OTHER
//	group NAME, NAME: WORD, WORD     similar things; a class called NAME may be any of them
//
// Groups with the same first NAME are joined. A kind belongs to the groups of what it is a kind of.
// The error names the line.
func ParseWords(r io.Reader) (*Words, error) {
	w := &Words{same: map[string]string{}, kinds: map[string][]string{}}
	lines := bufio.NewScanner(r)
	number := 1
	for ; lines.Scan(); number++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		head, list, _ := strings.Cut(line, ":")
		kind, names, _ := strings.Cut(head, " ")
		heads, words := splitWords(names), splitWords(list)
		if most := map[string]int{"same": 1, "kind": 1, "sense": 2}[kind]; len(heads) == 0 || len(words) == 0 || most > 0 && len(heads) != most {
			kind = ""
		}
		switch kind {
		case "same":
			for _, word := range words {
				w.same[word] = heads[0]
			}
		case "kind":
			for _, word := range words {
				w.kinds[word] = append(w.kinds[word], heads[0])
			}
		case "sense":
			w.senses = append(w.senses, sense{heads[0], heads[1], words})
		case "group":
			w.group(heads, words)
		default:
			return nil, fmt.Errorf("line %d: write \"same WORD: WORD, ...\", \"kind WORD: WORD, ...\", \"sense WORD, OTHER: WORD, ...\" or \"group NAME: WORD, ...\"", number)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("line %d: %w", number, err)
	}
	return w, nil
}

// group adds to the group of the first name.
func (w *Words) group(names, members []string) {
	at := slices.IndexFunc(w.groups, func(g *wordGroup) bool { return g.names[0] == names[0] })
	if at < 0 {
		at = len(w.groups)
		w.groups = append(w.groups, &wordGroup{members: map[string]bool{}})
	}
	g := w.groups[at]
	for _, name := range names {
		if !slices.Contains(g.names, name) {
			g.names = append(g.names, name)
		}
	}
	for _, word := range members {
		g.members[word] = true
	}
}

// plainWord returns the form in which names are compared.
func plainWord(name string) string {
	return strings.ToLower(strings.Join(strings.FieldsFunc(name, func(r rune) bool { return r == ' ' || r == '_' || r == '-' || r == '\t' }), " "))
}

// splitWords splits at commas and drops empty words.
func splitWords(list string) []string {
	var words []string
	for word := range strings.SplitSeq(list, ",") {
		if word = plainWord(word); word != "" {
			words = append(words, word)
		}
	}
	return words
}

// meanings returns the representative of a word, followed by all that it is a kind of.
func (w *Words) meanings(name string) []string {
	stand := func(word string) string {
		if other, ok := w.same[word]; ok {
			return other
		}
		return word
	}
	all := []string{stand(plainWord(name))}
	for i := 0; i < len(all); i++ {
		for _, wider := range w.kinds[all[i]] {
			if wider = stand(wider); !slices.Contains(all, wider) {
				all = append(all, wider)
			}
		}
	}
	return all
}

// Sense returns the meaning of a class name in a set with the given classes: another word for some
// ambiguous words, and the name itself for others.
func (w *Words) Sense(name string, classes []string) string {
	has := func(word string) bool {
		return slices.ContainsFunc(classes, func(c string) bool { return plainWord(c) == word })
	}
	for _, s := range w.senses {
		if plainWord(name) == s.word && !has(s.meaning) && slices.ContainsFunc(s.beside, has) {
			return s.meaning
		}
	}
	return name
}

// Same returns the first of the candidates that an object of the class name is or may be, and why:
// the names are equal or mean the same, one is a kind of the other, or one is a general term for
// the other. Equal names come first. ok is false if there is none.
func (w *Words) Same(name string, candidates []string) (candidate, why string, ok bool) {
	for _, c := range candidates {
		if plainWord(c) == plainWord(name) {
			return c, "the same name", true
		}
	}
	mine := w.meanings(name)
	for _, c := range candidates {
		other := w.meanings(c)
		switch {
		case mine[0] == other[0]:
			return c, "another word for it", true
		case slices.Contains(mine, other[0]):
			return c, "a kind of it", true
		case slices.Contains(other, mine[0]):
			return c, "it is a kind of this", true
		}
	}
	for _, c := range candidates {
		other := w.meanings(c)
		for _, g := range w.groups {
			if slices.Contains(g.names, mine[0]) && g.holds(other) || slices.Contains(g.names, other[0]) && g.holds(mine) {
				return c, "a general term", true
			}
		}
	}
	return "", "", false
}

// holds reports whether one of the meanings is a member or a name of the group.
func (g *wordGroup) holds(meanings []string) bool {
	return slices.ContainsFunc(meanings, func(m string) bool { return g.members[m] || slices.Contains(g.names, m) })
}

// Alike returns the first group that the class name shares with one of the others, or "". known
// reports whether the name is in any group.
func (w *Words) Alike(name string, others []string) (group string, known bool) {
	mine := w.meanings(name)
	for _, g := range w.groups {
		if !g.holds(mine) {
			continue
		}
		known = true
		if slices.ContainsFunc(others, func(o string) bool { return g.holds(w.meanings(o)) }) {
			return g.names[0], true
		}
	}
	return "", known
}
