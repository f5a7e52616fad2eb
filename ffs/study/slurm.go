package study

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"

	"github.com/google/renameio/v2"

	"ffslab/data/wholefile"
	"ffslab/ffs/device"
	"ffslab/ffs/internal/cache"
	"ffslab/ffs/run"
)

// Slurm submits the cells as an array job, one cell for each task, followed by a job that writes
// the tables whether or not the cells have finished. It copies the program into the folder of the
// study, since nodes may have no Go. All nodes must see that folder, the data and the cache under
// the same paths.
//
// The index in the array claims a cell: Slurm runs a task once at a time, on any node, and Launch
// submits nothing while an array of the study is in the queue. Slurm does not rely on file locks,
// which some file systems keep for one node only.
type Slurm struct {
	// Options are given to sbatch for all jobs, for example "--partition=gpu --gres=gpu:1
	// --time=12:00:00".
	Options string
	// Parallel is the number of tasks at a time; 0 means as many as Slurm allows.
	Parallel int
	// Note, if not nil, is called with what was submitted.
	Note func(message string)
}

//go:embed slurm.sh
var slurmText string

var slurmTemplate = template.Must(template.New("slurm.sh").Funcs(template.FuncMap{"quote": quote, "line": quoteOption}).Parse(slurmText))

// Script returns the script of both jobs. Its comment says how to submit it.
func (s Slurm) Script(job Job) (string, error) {
	work, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for what, line := range map[string]string{"options for sbatch": s.Options, "the study's folder": job.Dir, "the working folder": work, "the data folder": job.Data} {
		if strings.ContainsAny(line, "\r\n") {
			return "", fmt.Errorf("%s %q: it contains a line break, which ends a line of Slurm's options: remove it", what, line)
		}
	}
	kept, err := cache.Dir()
	if err != nil {
		return "", err
	}
	var text strings.Builder
	err = slurmTemplate.Execute(&text, map[string]any{
		"Name": jobName(job.Dir), "Array": s.array(job), "Script": scriptPath(job.Dir), "Options": s.Options, "Work": work,
		"Output": strings.ReplaceAll(filepath.Join(job.Dir, cellsDir), "%", "%%") + "/slurm-%j.out", "Data": job.Data,
		"Environment": append([]string{cache.DirEnv + "=" + quote(kept), run.CommitEnv + "=" + quote(run.Commit())}, inherited()...),
		"Command":     append([]string{programPath(job.Dir)}, job.Args...), "Logs": filepath.Join(job.Dir, cellsDir), "Cells": job.Cells,
		"CellFlag": CellFlag, "TablesFlag": TablesFlag,
	})
	return text.String(), err
}

// Launch submits the jobs and returns. It is an error if an array of the study is already in the
// queue, unless its tables were not submitted, for example because of a kill; then Launch submits
// the tables.
func (s Slurm) Launch(ctx context.Context, job Job) (over bool, err error) {
	script, err := s.Script(job)
	if err != nil {
		return false, err
	}
	name := jobName(job.Dir)
	queued, err := inQueue(ctx, name+"-cells", name+"-tables")
	if err != nil {
		return false, err
	}
	array := queued[name+"-cells"]
	if array != "" && queued[name+"-tables"] != "" {
		return false, fmt.Errorf("%s: the study is already in Slurm's queue, as job %s: wait for it, or end it with: scancel %s", job.Dir, array, array)
	}
	if array == "" {
		if err := install(job.Program, programPath(job.Dir)); err != nil {
			return false, err
		}
		if err := os.MkdirAll(filepath.Join(job.Dir, cellsDir), 0o755); err != nil {
			return false, err
		}
		if err := renameio.WriteFile(scriptPath(job.Dir), []byte(script), 0o755); err != nil {
			return false, err
		}
		if array, err = sbatch(ctx, "--job-name="+name+"-cells", "--array="+s.array(job), scriptPath(job.Dir)); err != nil {
			return false, err
		}
		s.note(fmt.Sprintf("submitted: job %s, runs: %d", array, len(job.Cells)))
	}
	tables, err := sbatch(ctx, "--job-name="+name+"-tables", "--dependency=afterany:"+array, scriptPath(job.Dir))
	if err != nil {
		return false, fmt.Errorf("the cells are submitted as job %s, the tables are not: %w: run the same command to submit them", array, err)
	}
	s.note(fmt.Sprintf("submitted: job %s, the tables after job %s", tables, array))
	return false, nil
}

func (s Slurm) note(message string) {
	if s.Note != nil {
		s.Note(message)
	}
}

// array returns the range of indices of the cells.
func (s Slurm) array(job Job) string {
	indices := fmt.Sprintf("0-%d", len(job.Cells)-1)
	if s.Parallel > 0 {
		indices += fmt.Sprintf("%%%d", s.Parallel)
	}
	return indices
}

func programPath(dir string) string { return filepath.Join(dir, "bin", "ffs") }
func scriptPath(dir string) string  { return filepath.Join(dir, "slurm.sh") }

var unfitForNames = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// jobName returns the name by which the jobs of a study are found in the queue: the name of its
// folder and a digest of its path.
func jobName(dir string) string {
	return fmt.Sprintf("ffs-%s-%.4x", unfitForNames.ReplaceAllString(filepath.Base(dir), "-"), sha256.Sum256([]byte(dir)))
}

// inQueue returns the ids of the user's waiting and running jobs with the given names.
func inQueue(ctx context.Context, names ...string) (map[string]string, error) {
	out, err := slurm(ctx, "squeue", "--me", "--noheader", "--format=%F %j", "--name="+strings.Join(names, ","))
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for line := range strings.Lines(out) {
		if id, name, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			found[name] = id
		}
	}
	return found, nil
}

func sbatch(ctx context.Context, args ...string) (string, error) {
	out, err := slurm(ctx, "sbatch", append([]string{"--parsable"}, args...)...)
	id, _, _ := strings.Cut(strings.TrimSpace(out), ";") // the name of a cluster may follow
	if err == nil && id == "" {
		err = errors.New("sbatch: it printed no job id: see squeue --me")
	}
	return id, err
}

// slurm runs a Slurm command and returns its output. The error includes its error output.
func slurm(ctx context.Context, name string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, name, args...)
	var out, said bytes.Buffer
	c.Stdout, c.Stderr = &out, &said
	err := c.Run()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return "", fmt.Errorf("%w: is Slurm installed here? On a cluster, run this on the login node", err)
	case err != nil:
		return "", fmt.Errorf("%s: %w: %s", name, err, strings.Join(strings.Fields(said.String()), " "))
	}
	return out.String(), nil
}

// install replaces the program in one step. Processes that run the old one continue.
func install(program, path string) error {
	from, err := os.Open(program)
	if err != nil {
		return err
	}
	defer from.Close()
	info, err := from.Stat()
	if err != nil {
		return err
	}
	if there, err := os.Stat(path); err == nil && os.SameFile(info, there) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return wholefile.Write(path, 0o755, func(to io.Writer) error {
		_, err := io.Copy(to, from)
		return err
	})
}

// inherited returns assignments of the environment variables that a computation depends on, which
// sbatch --export=NONE would drop.
func inherited() []string {
	var kept []string
	for _, name := range device.Variables {
		if value, ok := os.LookupEnv(name); ok {
			kept = append(kept, name+"="+quote(value))
		}
	}
	return kept
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:=@%+-]+$`) // quote commas, which look like mistakes in a list of words

func quote(word string) string {
	return strings.NewReplacer("$", `\$`, "`", "\\`").Replace(quoteOption(word))
}

// quoteOption quotes a value for a line of #SBATCH.
func quoteOption(value string) string {
	if plainWord.MatchString(value) {
		return value
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}
