package data

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"

	"ffslab/data/lenient"
)

// Options are options of [Open] besides the spec.
type Options struct {
	DatasetDir string // folder of named data sets; not used by forms with a scheme and NAME@ROOT

	Strict  bool // fail on what would be mended
	SkipBad bool // leave out images that cannot be used (see [BadImages]), and list them in Dataset.Skipped
	Check   bool // decode all pictures, not only their headers
	Keep    bool // keep other content of COCO files for [WriteCOCO]; it is most of such a file and takes memory
	// Progress, if not nil, is called with the number of pictures whose headers were read, by one
	// goroutine at a time.
	Progress func(done, total int)
}

// Opener opens the data set that arg describes, the part of a spec after "scheme:".
type Opener func(arg string, opt Options) (*Dataset, error)

type form struct {
	scheme, syntax string
	open           Opener
}

const vocSyntax = "voc:DEVKIT/VOC2007,SPLIT[,IMAGES_DIR][?difficult=crowd|keep|drop]"

var forms = []form{
	{"coco", "coco:ANN.json,IMAGES_DIR", openCOCO},
	parted("yolo:DATA.yaml,train|val|test", func(p []string, opt Options) (*Dataset, error) { return ReadYOLO(p[0], p[1], opt) }),
	{"voc", vocSyntax, openVOC},
	{"images", "images:DIR", ReadImages},
	parted("bdd100k:LABELS,IMAGES_DIR", func(p []string, opt Options) (*Dataset, error) { return ReadBDD100K(p[0], p[1], opt) }),
	parted("ytvis:INSTANCES.json,IMAGES_DIR,train|val|all", func(p []string, opt Options) (*Dataset, error) { return ReadYouTubeVIS(p[0], p[1], p[2], opt) }),
	parted("nuimages:ROOT,VERSION", func(p []string, opt Options) (*Dataset, error) { return ReadNuImages(p[0], p[1], opt) }),
	parted("openimages:BOXES.csv,CLASSES.csv,IMAGES_DIR", func(p []string, opt Options) (*Dataset, error) { return ReadOpenImages(p[0], p[1], p[2], opt) }),
}

// parted returns the form of a syntax whose parts are separated by commas.
func parted(syntax string, open func(parts []string, opt Options) (*Dataset, error)) form {
	scheme, _, _ := strings.Cut(syntax, ":")
	count := strings.Count(syntax, ",") + 1
	return form{scheme, syntax, func(arg string, opt Options) (*Dataset, error) {
		parts, err := splitArg(arg, syntax, count, count)
		if err != nil {
			return nil, err
		}
		return open(parts, opt)
	}}
}

// splitArg splits the argument of a spec at commas into least to most parts, none of them empty.
func splitArg(arg, syntax string, least, most int) ([]string, error) {
	parts := strings.Split(arg, ",")
	if len(parts) < least || len(parts) > most || slices.Contains(parts, "") {
		scheme, _, _ := strings.Cut(syntax, ":")
		return nil, fmt.Errorf("data set %q is not understood: give %s", scheme+":"+arg, syntax)
	}
	return parts, nil
}

// Register makes [Open] accept specs of the form "scheme:...". Call it in the init function of a
// package that provides data sets. syntax is shown to users whose spec is not understood. Register
// panics if the scheme is taken.
func Register(scheme, syntax string, open Opener) {
	if slices.ContainsFunc(forms, func(f form) bool { return f.scheme == scheme }) {
		panic(fmt.Sprintf("data: scheme %q is registered twice", scheme))
	}
	forms = append(forms, form{scheme, syntax, open})
}

// Syntaxes returns the forms of specs that [Open] accepts.
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
//	coco:ANN.json,IMAGES_DIR        a COCO file and the folder of its pictures (see [ReadCOCO])
//	yolo:DATA.yaml,SPLIT            ultralytics' layout (see [ReadYOLO])
//	voc:DIR,SPLIT                   VOC's layout, or XML files beside pictures (see [ReadVOC])
//	images:DIR                      a folder of pictures without labels (see [ReadImages])
//	bdd100k:LABELS,IMAGES_DIR       a file or folder in Scalabel's form (see [ReadBDD100K])
//	ytvis:ANN.json,IMAGES_DIR,PART  a YouTube-VIS file (see [ReadYouTubeVIS])
//	nuimages:ROOT,VERSION           nuImages' tables (see [ReadNuImages])
//	openimages:BOXES.csv,CLASSES.csv,IMAGES_DIR   Open Images' tables (see [ReadOpenImages])
//	digits:train|val|ood-near|ood-far|mixed   generated, if package data/digits is linked in
//	NAME=SPEC                       any of these under a name of letters, digits, '.', '_' and '-'
//
// What can be meant is mended in memory, and every kind of mending told once in Notes, with its
// number and the first record, unless opt.Strict makes it an error. For all forms: text files may
// be compressed by gzip, in UTF-16 or begin with a byte order mark; boxes over the edge of their
// image are clipped, those outside or without area left out; pictures are found by names with
// backslashes, with leading folders that are not there, in another case or with another extension.
// All pictures' headers are read, in parallel, and compared with the annotations: see [BadImages].
// What was seen of large sets is remembered in the user's cache folder ($FFSLAB_CACHE) for as long
// as a file keeps its size and time.
//
// Every error names the file, the record and the fault, and lists all faults of a file, at most 20;
// for a spec that is not understood it lists the forms that are.
func Open(spec string, opt Options) (*Dataset, error) {
	name, spec := CutName(spec)
	open, err := opener(spec)
	if err != nil {
		return nil, err
	}
	d, err := open(opt)
	if err != nil {
		return nil, printable(err)
	}
	if err := d.checkLimits(); err != nil {
		return nil, err
	}
	d.Name, d.Spec = cmp.Or(name, spec), spec
	return d, nil
}

// printableError is an error whose message has no control characters. Names in annotation files of
// other people may hold line breaks, or sequences that control a terminal, and messages quote
// names.
type printableError struct {
	message string
	error
}

func (e printableError) Error() string { return e.message }
func (e printableError) Unwrap() error { return e.error }

// printable makes an error printable. Lists of faults, which already are, keep their lines.
func printable(err error) error {
	var faults *lenient.Error
	var bad *BadImages
	if errors.As(err, &faults) || errors.As(err, &bad) {
		return err
	}
	if message := lenient.Printable(err.Error()); message != err.Error() {
		return printableError{message, err}
	}
	return err
}

func opener(spec string) (func(Options) (*Dataset, error), error) {
	if scheme, arg, ok := strings.Cut(spec, ":"); ok {
		for _, f := range forms {
			if f.scheme == scheme {
				return func(opt Options) (*Dataset, error) {
					d, err := f.open(arg, opt)
					if d == nil && err == nil {
						err = fmt.Errorf("form of data %q: its opener returned neither a data set nor an error", scheme)
					}
					return d, err
				}, nil
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
				return nil, fmt.Errorf("data set %s: its folder is not known: give --dataset-dir ROOT, or %s@ROOT", name, name)
			}
			return set.open(root, opt)
		}, nil
	}
	if name, _, given := strings.Cut(spec, "="); given && !strings.ContainsAny(name, ":@/\\") {
		return nil, fmt.Errorf("%q is not a valid name of a set: give NAME=SPEC with a NAME of the characters a-z, A-Z, 0-9, \".\", \"_\" and \"-\"", name)
	}
	if form := meantForm(spec); form != "" {
		return nil, fmt.Errorf("data set %q is not understood: do you mean %s?", spec, form)
	}
	names := make([]string, len(named))
	for i, set := range named {
		names[i] = set.Name
	}
	return nil, fmt.Errorf("data set %q is not understood: give one of %s; NAME is one of %s", spec, strings.Join(Syntaxes(), ", "), strings.Join(names, ", "))
}

// meantForm returns the form of a spec that lacks its scheme or the part behind it, or "".
func meantForm(spec string) string {
	for _, f := range forms {
		if f.scheme == spec {
			return f.syntax
		}
	}
	path, _, _ := strings.Cut(spec, ",")
	info, err := os.Stat(path)
	switch extension := strings.TrimSuffix(path, ".gz"); {
	case err == nil && info.IsDir():
		return fmt.Sprintf("images:%s, voc:%[1]s,SPLIT or another form for a folder", path)
	case strings.HasSuffix(extension, ".json"):
		return fmt.Sprintf("coco:%s,IMAGES_DIR", path)
	case strings.HasSuffix(extension, ".yaml"), strings.HasSuffix(extension, ".yml"):
		return fmt.Sprintf("yolo:%s,train|val|test", path)
	}
	return ""
}

func openCOCO(arg string, opt Options) (*Dataset, error) {
	annotations, images, ok := strings.Cut(arg, ",")
	for i, c := range arg { // the path may hold commas, too
		if c == ',' && isFile(arg[:i]) {
			annotations, images = arg[:i], arg[i+1:]
			break
		}
	}
	if !ok || annotations == "" || images == "" {
		return nil, fmt.Errorf("data set \"coco:%s\" is not understood: give coco:ANN.json,IMAGES_DIR (two paths and one comma)", arg)
	}
	return ReadCOCO(annotations, images, opt)
}

func openVOC(arg string, options Options) (*Dataset, error) {
	arg, query, _ := strings.Cut(arg, "?")
	parts, err := splitArg(arg, vocSyntax, 2, 3)
	if err != nil {
		return nil, err
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, fmt.Errorf("data set \"voc:%s?%s\": %w", arg, query, err)
	}
	var opt VOCOptions
	for key, value := range values {
		if key != "difficult" || len(value) != 1 {
			return nil, fmt.Errorf("data set \"voc:%s?%s\": there is no option %q but difficult, once", arg, query, key)
		}
		opt.Difficult = Difficult(value[0])
	}
	if len(parts) == 3 {
		opt.ImagesDir = parts[2]
	}
	return ReadVOC(parts[0], parts[1], opt, options)
}
