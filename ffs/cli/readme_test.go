package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

const repository = "../.."

// documents are the paths of all Markdown files of the repository.
func documents(t *testing.T) []string {
	t.Helper()
	var paths []string
	err := filepath.WalkDir(repository, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && (strings.HasPrefix(entry.Name(), ".") && entry.Name() != ".." || entry.Name() == "out") {
			return filepath.SkipDir
		}
		if err == nil && filepath.Ext(path) == ".md" && !strings.Contains(path, "results") {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil || len(paths) < 5 {
		t.Fatalf("%d documents: %v", len(paths), err)
	}
	return paths
}

func readText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestREADMEIsShort(t *testing.T) {
	lines := strings.Split(strings.TrimSuffix(readText(t, filepath.Join(repository, "README.md")), "\n"), "\n")
	if len(lines) > 150 {
		t.Errorf("the README has %d lines, at most 150 are read", len(lines))
	}
	for i, line := range lines {
		if len([]rune(line)) > 100 && !strings.HasPrefix(line, "|") && !strings.HasPrefix(line, "    ") {
			t.Errorf("line %d has %d characters", i+1, len([]rune(line)))
		}
	}
}

// TestREADMEShowsTheExample compares the README's Go code with the Example that is run.
func TestREADMEShowsTheExample(t *testing.T) {
	shown := regexp.MustCompile("(?s)```go\n(.*?)```").FindStringSubmatch(readText(t, filepath.Join(repository, "README.md")))
	if shown == nil {
		t.Fatal("the README shows no Go code")
	}
	path := filepath.Join(repository, "ffs", "example_test.go")
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	source := readText(t, path)
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == "Example" {
			body := source[files.Position(f.Body.Lbrace).Offset+2 : files.Position(f.Body.Rbrace).Offset]
			body, _, _ = strings.Cut(body, "\t// Output:")
			body = regexp.MustCompile(`(?m)^\t`).ReplaceAllString(body, "")
			if diff := cmp.Diff(body, shown[1]); diff != "" {
				t.Errorf("the README's Go code (-tested +shown):\n%s", diff)
			}
			return
		}
	}
	t.Error("there is no Example")
}

// TestDocumentedCommandsExist finds each command line of the documents among the commands, and its
// flags among theirs.
func TestDocumentedCommandsExist(t *testing.T) {
	line := regexp.MustCompile("(?m)(?:^    go run (?:\\./ffs|\\.) |^    ffs |`ffs |`go run \\./ffs )([^`\n]*)")
	quoted := regexp.MustCompile(`"[^"]*"`)
	found := 0
	for _, path := range documents(t) {
		for _, match := range line.FindAllStringSubmatch(readText(t, path), -1) {
			words := strings.Fields(quoted.ReplaceAllString(strings.Split(match[1], " # ")[0], "value"))
			cmd, _, err := newRoot().Find(words)
			if err != nil || cmd.HasSubCommands() && len(words) > 0 && cmd.Name() == "ffs" {
				t.Errorf("%s: there is no command %q", path, match[1])
				continue
			}
			found++
			for _, word := range words {
				name, isFlag := strings.CutPrefix(strings.Trim(word, "[].,"), "--")
				name, _, _ = strings.Cut(name, "=")
				if isFlag && cmd.Flags().Lookup(name) == nil && cmd.InheritedFlags().Lookup(name) == nil {
					t.Errorf("%s: %q: the command has no flag --%s", path, match[1], name)
				}
			}
		}
	}
	if found < 30 {
		t.Errorf("%d commands were found in the documents: does the pattern still fit?", found)
	}
}

func TestEveryCommandExplainsItself(t *testing.T) {
	var visit func(words []string, cmd *cobra.Command)
	visit = func(words []string, cmd *cobra.Command) {
		root := newRoot()
		root.SetArgs(append(words, "--help"))
		root.SetOut(io.Discard)
		if err := root.Execute(); err != nil {
			t.Errorf("%v --help: %v", words, err)
		}
		if cmd.Short == "" {
			t.Errorf("%v has no summary", words)
		}
		for _, sub := range cmd.Commands() {
			visit(append(words[:len(words):len(words)], sub.Name()), sub)
		}
	}
	visit(nil, newRoot())
}

// TestLinksOfDocuments follows every relative link, and the heading behind "#".
func TestLinksOfDocuments(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	for _, path := range documents(t) {
		for _, match := range link.FindAllStringSubmatch(readText(t, path), -1) {
			target, heading, _ := strings.Cut(match[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			file := filepath.Join(filepath.Dir(path), filepath.FromSlash(target))
			if target == "" {
				file = path
			}
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s: the link %s leads nowhere", path, match[1])
			} else if heading != "" && !hasHeading(readText(t, file), heading) {
				t.Errorf("%s: the link %s names no heading", path, match[1])
			}
		}
	}
}

func hasHeading(text, anchor string) bool {
	for line := range strings.Lines(text) {
		if title, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && strings.HasPrefix(line, "#") {
			kept := regexp.MustCompile(`[^\p{L}\p{N}\- ]`).ReplaceAllString(strings.ToLower(strings.TrimSpace(title)), "")
			if strings.ReplaceAll(kept, " ", "-") == anchor {
				return true
			}
		}
	}
	return false
}
