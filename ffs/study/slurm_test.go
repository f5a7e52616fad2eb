package study

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// commands puts shell scripts in front of the path, by their names.
func commands(t *testing.T, bodies map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for name, body := range bodies {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+body), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// awkward is a job whose folder's name and arguments have all that shells take for something else.
func awkward(t *testing.T) Job {
	dir := filepath.Join(t.TempDir(), `it's "a" $study, 50%`)
	if err := os.MkdirAll(filepath.Join(dir, cellsDir), 0o755); err != nil {
		t.Fatal(err)
	}
	return Job{Dir: dir, Cells: []string{"none-seed0", "flow-seed0", "flow-seed1"}, Args: []string{"study", "--ood=digits:ood-near?n=5&size=9", "--methods=none,flow"}, Data: "/data"}
}

func TestScriptHasNoFindings(t *testing.T) {
	shellcheck, err := exec.LookPath("shellcheck")
	if err != nil {
		t.Skipf("shellcheck is absent: %v", err)
	}
	t.Setenv("XLA_FLAGS", "--a=1 --b='2'")
	for _, s := range []Slurm{{}, {Options: "--partition=gpu --gres=gpu:1", Parallel: 2}} {
		script, err := s.Script(awkward(t))
		if err != nil {
			t.Fatal(err)
		}
		c := exec.Command(shellcheck, "-")
		c.Stdin = strings.NewReader(script)
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
}

func TestScriptSaysHowItIsSubmitted(t *testing.T) {
	script, err := Slurm{Options: "--partition=gpu --gres=gpu:1", Parallel: 2}.Script(awkward(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"--array=0-2%2 ", "--dependency=afterany:JOB", "\n#SBATCH --partition=gpu --gres=gpu:1\n", "\n#SBATCH --requeue\n", "\n#SBATCH --signal=B:USR1@120\n", "named data sets lie under /data.", "50%%/cells/slurm-%j.out\""} {
		if !strings.Contains(script, want) {
			t.Errorf("the script lacks %q:\n%s", want, script)
		}
	}
	if _, err := (Slurm{Options: "--a\nrm"}).Script(awkward(t)); err == nil || !strings.Contains(err.Error(), "options for sbatch") {
		t.Errorf("error %v of options in two lines", err)
	}
	if _, err := (Slurm{}).Script(Job{Dir: "/a\nb", Cells: []string{"x"}}); err == nil || !strings.Contains(err.Error(), "the study's folder") {
		t.Errorf("error %v of a folder in two lines", err)
	}
}

// script returns the command that Slurm would run, with the program's body, and the file that both
// write to.
func script(t *testing.T, job Job, body string) (c *exec.Cmd, said string) {
	t.Helper()
	said = filepath.Join(t.TempDir(), "said")
	t.Setenv("SAID", said)
	if err := install(program(t, body), programPath(job.Dir)); err != nil {
		t.Fatal(err)
	}
	text, err := Slurm{}.Script(job)
	if err != nil {
		t.Fatal(err)
	}
	c = exec.Command("bash", "-c", text)
	c.Env = append(os.Environ(), "SLURM_JOB_ID=12", "SLURM_ARRAY_TASK_ID=1")
	return c, said
}

func TestScriptComputesTheCellOfItsIndexOrTheTables(t *testing.T) {
	job := awkward(t)
	c, said := script(t, job, `for word; do echo "$word" >>"$SAID"; done; echo computing; exit 7`)
	err := c.Run()
	if c.ProcessState.ExitCode() != 7 {
		t.Errorf("exit %v, want the program's 7", err)
	}
	if diff := cmp.Diff(append(job.Args, "--cell", "flow-seed0"), lines(t, said)); diff != "" {
		t.Errorf("arguments of a task (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"computing"}, lines(t, LogPath(job.Dir, "flow-seed0"))); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	c, said = script(t, job, `for word; do echo "$word" >>"$SAID"; done`)
	c.Env = c.Env[:len(c.Env)-1]
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if diff := cmp.Diff(append(job.Args, "--tables"), lines(t, said)); diff != "" {
		t.Errorf("arguments behind the array (-want +got):\n%s", diff)
	}
}

// A task that is told of its end has its program save, and queues again; one that is cancelled does
// not.
func TestScriptSavesAndQueuesAgain(t *testing.T) {
	commands(t, map[string]string{"scontrol": `echo "$*" >>"$SAID"`})
	for signal, want := range map[syscall.Signal][]string{syscall.SIGUSR1: {"saved", "requeue 12"}, syscall.SIGTERM: {"saved"}} {
		c, said := script(t, awkward(t), `trap 'sleep 0.3; echo saved >>"$SAID"; exit 130' TERM; touch "$SAID"; while :; do sleep 0.05; done`)
		var out bytes.Buffer
		c.Stdout, c.Stderr = &out, &out
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		for begin := time.Now(); time.Since(begin) < time.Minute; time.Sleep(10 * time.Millisecond) {
			if _, err := os.Stat(said); err == nil {
				break
			}
		}
		time.Sleep(100 * time.Millisecond) // until the script's traps are set
		if err := c.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		_ = c.Wait()
		if code := c.ProcessState.ExitCode(); code != 130 {
			t.Errorf("%v: exit %d, want the program's 130: %s", signal, code, out.String())
		}
		if diff := cmp.Diff(want, lines(t, said)); diff != "" {
			t.Errorf("%v (-want +got):\n%s", signal, diff)
		}
	}
}

// TestSubmission has a queue that is a file: what is there is not submitted twice, and a submission
// that was killed between its two jobs is completed.
func TestSubmission(t *testing.T) {
	queue := filepath.Join(t.TempDir(), "queue")
	if err := os.WriteFile(queue, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("QUEUE", queue)
	commands(t, map[string]string{
		"squeue": `sed 's/ --.*//' "$QUEUE"`,
		"sbatch": `n=$(($(wc -l <"$QUEUE") + 1)); name=${2#--job-name=}; echo "$n $name $3 $4" >>"$QUEUE"; echo "$n;cluster"`,
	})
	job := awkward(t)
	job.Program = program(t, "echo first")
	launch := func() error {
		over, err := Slurm{Parallel: 2}.Launch(t.Context(), job)
		if over {
			t.Error("the submission says that all is over")
		}
		return err
	}
	if err := launch(); err != nil {
		t.Fatal(err)
	}
	name := jobName(job.Dir)
	want := []string{
		"1 " + name + "-cells --array=0-2%2 " + scriptPath(job.Dir),
		"2 " + name + "-tables --dependency=afterany:1 " + scriptPath(job.Dir),
	}
	if diff := cmp.Diff(want, lines(t, queue)); diff != "" {
		t.Errorf("submitted (-want +got):\n%s", diff)
	}
	if out, err := exec.Command(programPath(job.Dir)).Output(); err != nil || string(out) != "first\n" {
		t.Errorf("the program in the study's folder says %q, %v", out, err)
	}
	if err := launch(); err == nil || !strings.Contains(err.Error(), "already in Slurm's queue, as job 1") {
		t.Errorf("error %v of a second submission", err)
	}
	if err := os.WriteFile(queue, []byte(want[0]+"\n"), 0o600); err != nil { // killed between the two
		t.Fatal(err)
	}
	if err := launch(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, lines(t, queue)); diff != "" {
		t.Errorf("completed (-want +got):\n%s", diff)
	}
}

func TestErrorsOfSlurm(t *testing.T) {
	commands(t, map[string]string{"squeue": "exit 0", "sbatch": "echo no such partition >&2; exit 1"})
	job := awkward(t)
	job.Program = program(t, "")
	if _, err := (Slurm{}).Launch(t.Context(), job); err == nil || !strings.Contains(err.Error(), "sbatch: exit status 1: no such partition") {
		t.Errorf("error %v", err)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := (Slurm{}).Launch(t.Context(), job); err == nil || !strings.Contains(err.Error(), "is Slurm installed here?") {
		t.Errorf("error %v without Slurm", err)
	}
}
