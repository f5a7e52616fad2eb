package data

import (
	"fmt"
	"slices"
	"strings"
)

// Options tell [Open] what a spec alone does not.
type Options struct {
	DatasetDir string // the folder under which named data sets lie; the forms "coco:" and "digits:" do not use it
}

// Opener opens the data set that arg, the part of a spec after "scheme:", describes.
type Opener func(arg string, opt Options) (*Dataset, error)

type form struct {
	scheme, syntax string
	open           Opener
}

var forms = []form{{scheme: "coco", syntax: "coco:ANN.json,IMAGES_DIR", open: openCOCO}}

// Register makes [Open] understand specs of the form "scheme:...". It is called from the init function of a package that
// provides data sets; syntax is shown to users whose spec is not understood. It panics if the scheme is taken.
func Register(scheme, syntax string, open Opener) {
	if slices.ContainsFunc(forms, func(f form) bool { return f.scheme == scheme }) {
		panic(fmt.Sprintf("data: scheme %q is registered twice", scheme))
	}
	forms = append(forms, form{scheme, syntax, open})
}

// Open reads the data set that spec describes:
//
//	coco:ANN.json,IMAGES_DIR        a COCO annotation file and the folder of its pictures (see [ReadCOCO])
//	digits:train|val|ood-near|ood-far   the generated default, where package data/digits is linked in
//
// Every error is one line that names the file, the record and the fault; for a spec that is not understood it lists the forms that are.
func Open(spec string, opt Options) (*Dataset, error) {
	scheme, arg, ok := strings.Cut(spec, ":")
	if ok {
		for _, f := range forms {
			if f.scheme != scheme {
				continue
			}
			d, err := f.open(arg, opt)
			if err != nil {
				return nil, err
			}
			d.Name = spec
			return d, nil
		}
	}
	syntaxes := make([]string, len(forms))
	for i, f := range forms {
		syntaxes[i] = f.syntax
	}
	return nil, fmt.Errorf("data set %q is not understood: give one of %s", spec, strings.Join(syntaxes, ", "))
}

func openCOCO(arg string, _ Options) (*Dataset, error) {
	annotations, images, ok := strings.Cut(arg, ",")
	if !ok || annotations == "" || images == "" {
		return nil, fmt.Errorf("data set \"coco:%s\" is not understood: give coco:ANN.json,IMAGES_DIR (two paths and one comma)", arg)
	}
	return ReadCOCO(annotations, images)
}
