package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"ffslab/data"
	"ffslab/ffs/config"
	"ffslab/ffs/internal/jsonfile"
	"ffslab/viz/escape"
)

// holding is "ffs data split" of a set with known and unknown classes.
type holding struct {
	preset  string
	options data.HoldOutOptions
}

func (h *holding) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.Var((*classList)(&h.options.Unknown), "unknown", "classes of the set that the detector must not know, all others being known: a file, or names such as stop,yield; may be repeated")
	flags.Var((*classList)(&h.options.Known), "known", "classes of the set that the detector knows, in its order, all others being unknown, for example car,bus; may be repeated")
	flags.Float64Var(&h.options.Val, "val-share", 0.2, "share of the images with only known objects to hold out in val.json")
	flags.Float64Var(&h.options.Mixed, "mixed-share", 0.5, "share of the images with known and unknown objects to hold out in mixed.json")
	flags.Uint64Var(&h.options.Seed, "seed", 0, "seed of the choice of images")
	flags.StringVar(&h.preset, "config", "aquarium", "preset that config.yaml starts from")
}

func (h *holding) given() bool { return len(h.options.Known)+len(h.options.Unknown) > 0 }

// split divides the set and writes its parts, the configuration and the report into the folder out.
func (h *holding) split(spec string, opt data.Options, out string, asJSON bool) error {
	if _, err := config.Preset(h.preset); err != nil {
		return err
	}
	set, err := openSet(spec, opt)
	if err != nil {
		return err
	}
	printNotes(set)
	held, err := data.HoldOut(set, h.options)
	if err != nil {
		return err
	}
	if err := splitFolder(out, set, "train", "val", "ood", "mixed"); err != nil {
		return err
	}
	specs := map[string]string{}
	for _, part := range []struct {
		name string
		set  *data.Dataset
	}{{"train", held.Train}, {"val", held.Val}, {"ood", held.OOD}, {"mixed", held.Mixed}} {
		if specs[part.name], err = writePart(filepath.Join(out, part.name+".json"), part.set); err != nil {
			return err
		}
	}
	settings := filepath.Join(out, "config.yaml")
	err = errors.Join(
		h.writeConfig(settings, held.Known, specs),
		jsonfile.Write(filepath.Join(out, splitReport), held.Report))
	if err != nil {
		return err
	}
	if asJSON {
		return jsonfile.Print(os.Stdout, held.Report)
	}
	if err := printHoldOut(os.Stdout, held.Report); err != nil {
		return err
	}
	fmt.Printf("next: ffs train --config %s --run RUN, then: ffs eval --run RUN\n", settings)
	return nil
}

// writeConfig writes a configuration that is trained and measured on the parts.
func (h *holding) writeConfig(path string, classes []string, specs map[string]string) error {
	outliers := []string{}
	for _, name := range []string{"ood", "mixed"} {
		if specs[name] != "" {
			outliers = append(outliers, name+"="+specs[name])
		}
	}
	text, err := yaml.Marshal(yaml.MapSlice{
		{Key: "base", Value: h.preset},
		{Key: "model", Value: map[string][]string{"classes": classes}},
		{Key: "data", Value: yaml.MapSlice{{Key: "train", Value: specs["train"]}, {Key: "val", Value: specs["val"]}, {Key: "ood", Value: outliers}}},
	})
	if err != nil {
		return err
	}
	return renameio.WriteFile(path, text, 0o644)
}

// printHoldOut prints where images and objects went, with sums of rows and columns.
func printHoldOut(to io.Writer, r data.HoldOutReport) error {
	escape.Fprintf(to, "%s: known: %s; unknown: %s\n", r.Set, strings.Join(r.Known, ", "), strings.Join(r.Unknown, ", "))
	w := newTabs(to)
	row := func(name string, p data.HoldOutParts) {
		escape.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\n", name, p.Train, p.Val, p.Mixed, p.OOD, p.Left, p.All)
	}
	fmt.Fprintln(w, "\nimages\ttrain\tval\tmixed\tood\tleft out\tall")
	row("with only known objects", r.KnownAlone)
	row("with known and unknown objects", r.Both)
	row("with only unknown objects", r.UnknownAlone)
	row("without objects", r.Empty)
	row("all", r.Images)
	fmt.Fprintln(w, "\nobjects and crowd regions\ttrain\tval\tmixed\tood\tleft out\tall")
	var missing []string
	for _, c := range r.Objects {
		name := c.Class
		if !c.Known {
			name += " (unknown)"
		} else if c.Objects.Train == 0 {
			missing = append(missing, c.Class)
		}
		row(name, c.Objects)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if r.ValOfMixed {
		fmt.Fprintln(to, "\nno image has only known objects: val.json also has the images of mixed.json, without their unknown objects; detections of those count "+
			"against AP, and the outliers of ood.json are compared with all detections there")
	}
	if len(missing) > 0 {
		escape.Fprintf(to, "\nwarning: no object of %s is in train.json: try another --seed or lower shares\n", strings.Join(missing, ", "))
	}
	return nil
}
