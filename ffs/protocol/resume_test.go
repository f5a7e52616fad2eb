package protocol

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/go-cmp/cmp"

	"ffslab/data"
	"ffslab/ffs/eval"
	"ffslab/ffs/infer"
	"ffslab/ffs/internal/tiny"
)

// sixImages are two batches, of four and of two.
func sixImages(t *testing.T, out string) Options {
	t.Helper()
	o := options(t)
	o.Inlier, o.Out = tiny.Squares("squares:val", 6, "red", "blue"), out
	return o
}

// countRenders counts how often each picture is looked at.
func countRenders(set *data.Dataset) []int {
	counts := make([]int, len(set.Images))
	for i := range set.Images {
		render := set.Images[i].Render
		set.Images[i].Render = func() (*data.Pixels, error) { counts[i]++; return render() }
	}
	return counts
}

// files returns what an evaluation has written, by path under the folder.
func files(t *testing.T, out string) map[string]string {
	t.Helper()
	content := map[string]string{}
	err := filepath.WalkDir(out, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(out, path)
		content[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// TestStoppedEvaluationsContinue stops evaluations of the inlier set after its first batch, in two
// ways, and takes them up.
func TestStoppedEvaluationsContinue(t *testing.T) {
	whole := sixImages(t, t.TempDir())
	if _, err := Run(t.Context(), whole); err != nil {
		t.Fatal(err)
	}
	want := files(t, whole.Out)
	partial := filepath.Join("squares-val", recordFile)
	if _, there := want[partial]; there || len(want["squares-val/detections.json"]) < 100 {
		t.Fatalf("files of a finished evaluation: %d, with %s: %t", len(want), partial, there)
	}

	for name, stop := range map[string]func(t *testing.T, out string){"cancelled": cancelled, "killed": killed} {
		t.Run(name, func(t *testing.T) {
			out := t.TempDir()
			stop(t, out)
			left := files(t, out)
			if lines := strings.Count(left[partial], "\n"); lines != 2 {
				t.Fatalf("the record has %d lines, want its head and one batch:\n%.200s", lines, left[partial])
			}
			if _, there := left["squares-val/detections.json"]; there {
				t.Error("there are detections of a set that was not finished")
			}
			// A kill in the middle of a line leaves this.
			if err := os.WriteFile(filepath.Join(out, partial), []byte(left[partial]+`{"images":[{"id":5,"dete`), 0o644); err != nil {
				t.Fatal(err)
			}

			o := sixImages(t, out)
			renders := countRenders(o.Inlier)
			var notes, progress []string
			o.Note = func(message string) { notes = append(notes, message) }
			o.Progress = func(set string, done, total int) { progress = append(progress, fmt.Sprint(set, " ", done, "/", total)) }
			if _, err := Run(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, files(t, out)); diff != "" {
				t.Errorf("files (-not stopped +continued):\n%s", diff)
			}
			if diff := cmp.Diff([]string{"squares:val: 4 of 6 images were done by an earlier evaluation that was stopped"}, notes); diff != "" {
				t.Errorf("notes (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{"squares:val 4/6", "squares:val 5/6", "squares:val 6/6"}, progress[:3]); diff != "" {
				t.Errorf("progress (-want +got):\n%s", diff)
			}
			// Three pictures are looked at to recognise the set.
			if diff := cmp.Diff([]int{1, 0, 1, 0, 2, 1}, renders); diff != "" {
				t.Errorf("how often the pictures were looked at (-want +got):\n%s", diff)
			}
		})
	}
}

func cancelled(t *testing.T, out string) {
	o := sixImages(t, out)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o.Progress = func(_ string, done, _ int) {
		if done == 4 {
			cancel()
		}
	}
	var notes []string
	o.Note = func(message string) { notes = append(notes, message) }
	if _, err := Run(ctx, o); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want the context's", err)
	}
	if diff := cmp.Diff([]string{"squares:val: stopped after 4 of 6 images: run the same command to continue"}, notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}

const killedOut = "FFSLAB_TEST_KILLED_OUT"

func killed(t *testing.T, out string) {
	child := exec.Command(os.Args[0], "-test.run=^TestKilledHelper$")
	child.Env = append(os.Environ(), killedOut+"="+out, "TMPDIR="+t.TempDir()) // it cannot clear up after itself
	text, err := child.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Exited() {
		t.Fatalf("the child was not killed: %v\n%s", err, text)
	}
}

// TestKilledHelper is no test: it is the process that TestStoppedEvaluationsContinue lets be
// killed.
func TestKilledHelper(t *testing.T) {
	out := os.Getenv(killedOut)
	if out == "" {
		t.Skip("only as a child of another test")
	}
	o := sixImages(t, out)
	o.Progress = func(_ string, done, _ int) {
		if done == 4 {
			self, err := os.FindProcess(os.Getpid())
			if err == nil {
				err = self.Kill()
			}
			t.Fatalf("still alive: %v", err)
		}
	}
	Run(t.Context(), o)
}

// TestFinishedDetectionsAreUsedAgain evaluates anew at another temperature, then after the
// detections were changed, then of another checkpoint, then on other pictures.
func TestFinishedDetectionsAreUsedAgain(t *testing.T) {
	out := t.TempDir()
	run := func(change func(*Options)) (renders []int, notes string, report *eval.Report) {
		t.Helper()
		o := sixImages(t, out)
		change(&o)
		renders = countRenders(o.Inlier)
		var all []string
		o.Note = func(message string) { all = append(all, message) }
		report, err := Run(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		return renders, strings.Join(all, "\n"), report
	}
	anew, sampled := []int{2, 1, 2, 1, 2, 1}, []int{1, 0, 1, 0, 1, 0}
	none := func(*Options) {}
	renders, notes, first := run(none)
	if diff := cmp.Diff(anew, renders); diff != "" || notes != "" {
		t.Errorf("the first time: notes %q, looks at pictures (-want +got):\n%s", notes, diff)
	}
	renders, notes, warm := run(func(o *Options) { o.Temperature, o.Bootstrap.Resamples = 2, 10 })
	if diff := cmp.Diff(sampled, renders); diff != "" || strings.Count(notes, "using the detections of an earlier evaluation") != 2 {
		t.Errorf("at another temperature: notes %q, looks at pictures (-want +got):\n%s", notes, diff)
	}
	if warm.MAP != first.MAP || warm.UnknownThresholds["energy"] == first.UnknownThresholds["energy"] || len(warm.UnknownThresholds) != 5 || warm.MAPIntervals == nil {
		t.Errorf("at another temperature: %+v and thresholds %v, before %v", warm.MAPIntervals, warm.UnknownThresholds, first.UnknownThresholds)
	}

	path := filepath.Join(out, "squares-val", detectionsFile)
	written, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, bytes.Replace(written, []byte(`"score":0.`), []byte(`"score":0.9`), 1), 0o644); err != nil {
		t.Fatal(err)
	}
	if renders, _, _ = run(none); !cmp.Equal(anew, renders) {
		t.Errorf("after a change of the file pictures were looked at %v times, want %v", renders, anew)
	}
	if again, err := os.ReadFile(path); err != nil || !bytes.Equal(again, written) {
		t.Errorf("error %v, or the changed file has stayed", err)
	}
	inverted := func(o *Options) {
		for i := range o.Inlier.Images {
			render := o.Inlier.Images[i].Render
			o.Inlier.Images[i].Render = func() (*data.Pixels, error) {
				p, err := render()
				for i := range p.Data {
					p.Data[i] ^= 0xff
				}
				return p, err
			}
		}
	}
	if renders, _, _ = run(inverted); !cmp.Equal(anew, renders) {
		t.Errorf("of inverted pictures some were looked at %v times, want %v", renders, anew)
	}
	if renders, _, _ = run(none); !cmp.Equal(anew, renders) {
		t.Errorf("back at the first pictures some were looked at %v times, want %v", renders, anew)
	}
	other := func(o *Options) {
		m := *o.Model
		m.Step = 5
		o.Model = &m
	}
	if renders, _, _ = run(other); !cmp.Equal(anew, renders) {
		t.Errorf("of another checkpoint pictures were looked at %v times, want %v", renders, anew)
	}
}

func TestRecordsThatCannotBeContinued(t *testing.T) {
	set := tiny.Squares("squares", 3, "red")
	from := source{Identity: infer.Identity{Step: 7, Parameters: "p"}, Set: "squares", Images: 3}
	path := filepath.Join(t.TempDir(), recordFile)
	open := func() (*record, error) { return openRecord(path, from, set) }
	r, err := open()
	if err != nil {
		t.Fatal(err)
	}
	d := eval.Detection{ImageID: 2, CategoryID: 1, Box: [4]float64{1, 2, 3, 4}, Score: 0.1, Logits: []float64{0.1, -3}, Scores: map[string]float64{"nll": 1e-7}}
	if err := errors.Join(r.add([]imageRecord{{2, []eval.Detection{d}}, {3, nil}}), r.close(), r.close()); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}

	// Wherever it is cut off it opens, without the line that is not whole.
	head := bytes.IndexByte(whole, '\n') + 1
	for cut := range len(whole) + 1 {
		write(string(whole[:cut]))
		r, err := open()
		if err != nil {
			t.Fatalf("cut off after %d bytes: %v", cut, err)
		}
		want := map[data.ID][]eval.Detection{}
		if cut == len(whole) {
			want = map[data.ID][]eval.Detection{2: {d}, 3: nil}
		}
		if diff := cmp.Diff(want, r.found); diff != "" {
			t.Errorf("cut off after %d bytes (-want +got):\n%s", cut, diff)
		}
		r.close()
		if left, _ := os.ReadFile(path); cut < len(whole) && !bytes.Equal(left, whole[:head]) {
			t.Errorf("cut off after %d bytes: %q is left", cut, left)
		}
	}

	batch := string(whole[head:])
	for content, want := range map[string]string{
		"my own notes":         " is no record of an evaluation: move it away, or write the results to another folder",
		"my\nown\nnotes":       " is no record of an evaluation: move it away, or write the results to another folder",
		`{"images":[]}`:        " is no record of an evaluation: move it away, or write the results to another folder",
		"{}\n":                 " is no record of an evaluation: move it away, or write the results to another folder",
		"HEAD{nonsense\n":      ":2: invalid character 'n' looking for beginning of object key string: the file is damaged: remove it to detect again",
		"HEAD{}\n":             ":2: no images: the file is damaged: remove it to detect again",
		"HEAD" + batch + batch: ":3: image 2 is not one of the set, or occurs twice: the file is damaged: remove it to detect again",
		"HEAD" + strings.Replace(batch, `"id":2`, `"id":4`, 1): ":2: image 4 is not one of the set, or occurs twice: the file is damaged: remove it to detect again",
		"HEAD" + strings.Replace(batch, `"id":2`, `"id":1`, 1): ":2: image 1 holds a detection of image 2: the file is damaged: remove it to detect again",
		"HEAD" + strings.Replace(batch, `"score":0.1,`, "", 1): ":2: want image_id, category_id, score and a bbox of four numbers: the file is damaged: remove it to detect again",
	} {
		content = strings.Replace(content, "HEAD", string(whole[:head]), 1)
		write(content)
		if _, err := open(); err == nil || err.Error() != path+want {
			t.Errorf("error %v, want %s%s", err, path, want)
		}
		if left, _ := os.ReadFile(path); string(left) != content {
			t.Errorf("a refused file was changed to %q", left)
		}
	}

	// Another evaluation's is begun anew, and what differs is said.
	write(string(whole))
	from.Step, from.Code = 8, "abc"
	if r, err = open(); err != nil {
		t.Fatal(err)
	}
	defer r.close()
	if want := "the unfinished detections in " + path + " are of another evaluation (different: the checkpoint, the code) and are made again"; r.note != want || len(r.found) != 0 {
		t.Errorf("note %q and %d images, want %q and none", r.note, len(r.found), want)
	}
}

func TestRunRefusesAFolderInUse(t *testing.T) {
	o := sixImages(t, t.TempDir())
	other := flock.New(filepath.Join(o.Out, ".lock"))
	if ok, err := other.TryLock(); !ok || err != nil {
		t.Fatal(ok, err)
	}
	defer other.Unlock()
	if _, err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "another evaluation is writing into this folder") {
		t.Errorf("error %v, want one that names the other evaluation", err)
	}
}

// Notebooks that evaluate the same run at the same time share the work.
func TestAnEvaluationWaitsForAnother(t *testing.T) {
	o := sixImages(t, t.TempDir())
	o.wait = true
	other := flock.New(filepath.Join(o.Out, ".lock"))
	if ok, err := other.TryLock(); !ok || err != nil {
		t.Fatal(ok, err)
	}
	released := make(chan struct{})
	time.AfterFunc(50*time.Millisecond, func() {
		close(released)
		_ = other.Unlock()
	})
	_, err := Run(t.Context(), o)
	select {
	case <-released:
	default:
		t.Error("did not wait")
	}
	if err != nil {
		t.Error(err)
	}
}

// TestGroups: a horse is near a dog, a pizza is far, and a puppy is no outlier.
func TestGroups(t *testing.T) {
	set := &data.Dataset{Name: "mixed", Categories: []data.Category{{ID: 1, Name: "horse"}, {ID: 2, Name: "pizza"}, {ID: 3, Name: "puppy"}}}
	for i, category := range []int{0, 1, 1, 2} {
		set.Images = append(set.Images, data.Image{ID: data.ID(10 + i), Instances: []data.Instance{{Category: category}}})
	}
	var notes []string
	o := Options{Inlier: &data.Dataset{Categories: []data.Category{{ID: 1, Name: "dog"}, {ID: 2, Name: "bus"}}}, Note: func(m string) { notes = append(notes, m) }}
	if diff := cmp.Diff(map[string][]data.ID{"near": {10}, "far": {11, 12}}, o.groups(set, unknownIn(set, o.Inlier).Known)); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
	want := []string{`mixed: 1 objects of the class "puppy" may be of the inlier class "dog" (a kind of it) and count as unknown here: "ffs data split" makes a set without them`}
	if diff := cmp.Diff(want, notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
	set.Images = set.Images[1:3]
	if groups := o.groups(set, unknownIn(set, o.Inlier).Known); groups != nil {
		t.Errorf("far outliers alone are divided: %v", groups)
	}

	set.Categories[1].Name, set.Categories[2].Name, notes = "dog", "pizza", nil
	set.Images = append(set.Images, data.Image{ID: 20, Instances: []data.Instance{{Category: 0}}})
	if groups := o.groups(set, unknownIn(set, o.Inlier).Known); groups != nil {
		t.Errorf("a set with dogs in it is divided: %v", groups)
	}
	if diff := cmp.Diff([]string{"mixed holds objects of inlier classes too (dog: 2): it is measured object by object"}, notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}
