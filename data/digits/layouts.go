package digits

import (
	"bytes"
	"crypto/sha256"
	"encoding/gob"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/renameio/v2"

	"ffslab/data"
	"ffslab/data/cachedir"
)

// remembered is the smallest number of scenes whose boxes are stored in the user's cache folder:
// laying out 12000 scenes takes seconds, and every process that opens them would.
const remembered = 400

// layoutEdition is part of the name of the stored boxes. Raise it whenever the hashes of TestScenes
// change: a program must not use boxes that an older one laid out.
const layoutEdition = 1

// layoutsFile returns the path of the stored boxes of so many scenes, or "" if there is no cache
// folder.
func (g *generator) layoutsFile(scenes int) string {
	name := fmt.Sprintf("%s-v%d-%d-%d-%d-%d-%d.gob", g.version.name, layoutEdition, g.split, g.seed, g.size, g.least, scenes)
	path, err := cachedir.Path("scenes", name)
	if err != nil {
		return ""
	}
	return path
}

// place is an object of a scene as it is stored: its class, and its box x0, y0, x1, y1.
type place [5]uint16

func places(objects []data.Instance) []place {
	all := make([]place, len(objects))
	for i, o := range objects {
		all[i] = place{uint16(o.Category), uint16(o.Box[0]), uint16(o.Box[1]), uint16(o.Box[2]), uint16(o.Box[3])}
	}
	return all
}

// recall returns the objects of all scenes as an earlier process has stored them. It returns nil if
// there are none, if the file is damaged, or if the objects of a few scenes differ from those of
// this program.
func (g *generator) recall(scenes int) [][]data.Instance {
	if scenes < remembered {
		return nil
	}
	content, err := os.ReadFile(g.layoutsFile(scenes))
	if err != nil || len(content) < sha256.Size {
		return nil
	}
	sum, content := content[:sha256.Size], content[sha256.Size:]
	if got := sha256.Sum256(content); !bytes.Equal(got[:], sum) {
		return nil
	}
	var stored [][]place
	if gob.NewDecoder(bytes.NewReader(content)).Decode(&stored) != nil || len(stored) != scenes {
		return nil
	}
	for _, i := range []int{0, scenes / 3, scenes / 2, scenes - 1} {
		if !slices.Equal(stored[i], places(instances(g.layout(i)))) {
			return nil
		}
	}
	all := make([][]data.Instance, scenes)
	for i, objects := range stored {
		for _, o := range objects {
			all[i] = append(all[i], instance(int(o[0]), image.Rect(int(o[1]), int(o[2]), int(o[3]), int(o[4]))))
		}
	}
	return all
}

// remember stores the objects of the scenes, behind their SHA-256. Errors are ignored: the scenes
// are laid out again.
func (g *generator) remember(images []data.Image) {
	path := g.layoutsFile(len(images))
	if len(images) < remembered || path == "" {
		return
	}
	all := make([][]place, len(images))
	for i := range images {
		all[i] = places(images[i].Instances)
	}
	var content bytes.Buffer
	if gob.NewEncoder(&content).Encode(all) == nil && os.MkdirAll(filepath.Dir(path), 0o755) == nil {
		sum := sha256.Sum256(content.Bytes())
		_ = renameio.WriteFile(path, append(sum[:], content.Bytes()...), 0o644)
	}
}
