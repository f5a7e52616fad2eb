package report

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"ffslab/ffs/protocol"
)

// Explorers returns the paths at which notebooks save the explorer of the run in a folder.
func Explorers(run string) []string {
	const name = "04-explorer.html"
	return []string{filepath.Join(run, "figures", name), filepath.Join(run, "..", "..", "figures", name)}
}

// link links to the first of the files that exists and belongs to this run: an explorer names the
// digest of the run's configuration.
func (p *page) link(e *protocol.Evaluation, path string, explorers []string) error {
	digest, err := e.Run.Config.Digest()
	if err != nil {
		return err
	}
	for _, file := range explorers {
		content, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if !bytes.Contains(content, fmt.Appendf(nil, "configuration %.12s", digest)) {
			continue
		}
		from, err := filepath.Abs(filepath.Dir(path))
		if err != nil {
			return err
		}
		to, err := filepath.Abs(file)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(from, to)
		if err != nil {
			return err
		}
		p.Explorer = (&url.URL{Path: filepath.ToSlash(relative)}).String()
		return nil
	}
	return nil
}
