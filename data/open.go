package data

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// Options tell [Open] what a spec alone does not.
type Options struct {
	DatasetDir string // the folder under which named data sets lie; the forms with a scheme and NAME@ROOT do not use it
}

// Opener opens the data set that arg, the part of a spec after "scheme:", describes.
type Opener func(arg string, opt Options) (*Dataset, error)

type form struct {
	scheme, syntax string
	open           Opener
}

const vocSyntax = "voc:DEVKIT/VOC2007,SPLIT[,IMAGES_DIR][?difficult=crowd|keep|drop]"

var forms = []form{
	{"coco", "coco:ANN.json,IMAGES_DIR", openCOCO},
	{"voc", vocSyntax, openVOC},
	parted("bdd100k:LABELS,IMAGES_DIR", func(p []string) (*Dataset, error) { return ReadBDD100K(p[0], p[1]) }),
	parted("ytvis:INSTANCES.json,IMAGES_DIR,train|val|all", func(p []string) (*Dataset, error) { return ReadYouTubeVIS(p[0], p[1], p[2]) }),
	parted("nuimages:ROOT,VERSION", func(p []string) (*Dataset, error) { return ReadNuImages(p[0], p[1]) }),
	parted("openimages:BOXES.csv,CLASSES.csv,IMAGES_DIR", func(p []string) (*Dataset, error) { return ReadOpenImages(p[0], p[1], p[2]) }),
}

// parted makes the form of a syntax whose parts are separated by commas.
func parted(syntax string, open func(parts []string) (*Dataset, error)) form {
	scheme, _, _ := strings.Cut(syntax, ":")
	count := strings.Count(syntax, ",") + 1
	return form{scheme, syntax, func(arg string, _ Options) (*Dataset, error) {
		parts, err := splitArg(arg, syntax, count, count)
		if err != nil {
			return nil, err
		}
		return open(parts)
	}}
}

// splitArg splits the argument of a spec at its commas into least to most parts, none of them empty.
func splitArg(arg, syntax string, least, most int) ([]string, error) {
	parts := strings.Split(arg, ",")
	if len(parts) < least || len(parts) > most || slices.Contains(parts, "") {
		scheme, _, _ := strings.Cut(syntax, ":")
		return nil, fmt.Errorf("data set %q is not understood: give %s", scheme+":"+arg, syntax)
	}
	return parts, nil
}

// Register makes [Open] understand specs of the form "scheme:...". It is called from the init function of a package that
// provides data sets; syntax is shown to users whose spec is not understood. It panics if the scheme is taken.
func Register(scheme, syntax string, open Opener) {
	if slices.ContainsFunc(forms, func(f form) bool { return f.scheme == scheme }) {
		panic(fmt.Sprintf("data: scheme %q is registered twice", scheme))
	}
	forms = append(forms, form{scheme, syntax, open})
}

// Syntaxes returns the forms of specs that [Open] understands, those with a scheme and without.
func Syntaxes() []string {
	syntaxes := []string{"NAME", "NAME@ROOT"}
	for _, f := range forms {
		syntaxes = append(syntaxes, f.syntax)
	}
	return syntaxes
}

// Open reads the data set that spec describes:
//
//	NAME                            a data set of [Named] whose root is opt.DatasetDir
//	NAME@ROOT                       the same with a root of its own
//	coco:ANN.json,IMAGES_DIR        a COCO annotation file and the folder of its pictures (see [ReadCOCO])
//	voc:DIR,SPLIT                   a folder of PASCAL VOC's layout (see [ReadVOC])
//	bdd100k:LABELS,IMAGES_DIR       BDD100K in Scalabel's form, a file or a folder of files (see [ReadBDD100K])
//	ytvis:ANN.json,IMAGES_DIR,PART  a YouTube-VIS file (see [ReadYouTubeVIS])
//	nuimages:ROOT,VERSION           nuImages' tables (see [ReadNuImages])
//	openimages:BOXES.csv,CLASSES.csv,IMAGES_DIR   Open Images' tables (see [ReadOpenImages])
//	digits:train|val|ood-near|ood-far|mixed   the generated default, where package data/digits is linked in
//	NAME=SPEC                       any of these under a name of its own, of letters, digits, '.', '_' and '-'
//
// Every error is one line that names the file, the record and the fault; for a spec that is not understood it lists the forms that are.
func Open(spec string, opt Options) (*Dataset, error) {
	name, spec := CutName(spec)
	open, err := opener(spec)
	if err != nil {
		return nil, err
	}
	d, err := open(opt)
	if err != nil {
		return nil, oneLine(err)
	}
	if err := d.checkLimits(); err != nil {
		return nil, err
	}
	d.Name, d.Spec = cmp.Or(name, spec), spec
	return d, nil
}

// printableError is an error whose message is one line without control characters. Annotation files are other people's: a name in one may hold
// line breaks, or sequences that steer a terminal, and messages quote names.
type printableError struct {
	message string
	error
}

func (e printableError) Error() string { return e.message }
func (e printableError) Unwrap() error { return e.error }

func oneLine(err error) error {
	message := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '\uFFFD'
		}
		return r
	}, err.Error())
	if message == err.Error() {
		return err
	}
	return printableError{message, err}
}

// opener finds out what a spec names, without opening it.
func opener(spec string) (func(Options) (*Dataset, error), error) {
	if scheme, arg, ok := strings.Cut(spec, ":"); ok {
		for _, f := range forms {
			if f.scheme == scheme {
				return func(opt Options) (*Dataset, error) { return f.open(arg, opt) }, nil
			}
		}
	}
	name, root, rooted := strings.Cut(spec, "@")
	if set, ok := findNamed(name); ok {
		return func(opt Options) (*Dataset, error) {
			if !rooted {
				root = opt.DatasetDir
			}
			if root == "" {
				return nil, fmt.Errorf("data set %s: where is it? Give --dataset-dir ROOT, or %s@ROOT", name, name)
			}
			return set.open(root)
		}, nil
	}
	names := make([]string, len(named))
	for i, set := range named {
		names[i] = set.Name
	}
	return nil, fmt.Errorf("data set %q is not understood: give one of %s; NAME is one of %s", spec, strings.Join(Syntaxes(), ", "), strings.Join(names, ", "))
}

func openCOCO(arg string, _ Options) (*Dataset, error) {
	annotations, images, ok := strings.Cut(arg, ",")
	if !ok || annotations == "" || images == "" {
		return nil, fmt.Errorf("data set \"coco:%s\" is not understood: give coco:ANN.json,IMAGES_DIR (two paths and one comma)", arg)
	}
	return ReadCOCO(annotations, images)
}

func openVOC(arg string, _ Options) (*Dataset, error) {
	arg, options, _ := strings.Cut(arg, "?")
	parts, err := splitArg(arg, vocSyntax, 2, 3)
	if err != nil {
		return nil, err
	}
	values, err := url.ParseQuery(options)
	if err != nil {
		return nil, fmt.Errorf("data set \"voc:%s?%s\": %w", arg, options, err)
	}
	var opt VOCOptions
	for key, value := range values {
		if key != "difficult" || len(value) != 1 {
			return nil, fmt.Errorf("data set \"voc:%s?%s\": there is no option %q but difficult, once", arg, options, key)
		}
		opt.Difficult = Difficult(value[0])
	}
	if len(parts) == 3 {
		opt.ImagesDir = parts[2]
	}
	return ReadVOC(parts[0], parts[1], opt)
}
