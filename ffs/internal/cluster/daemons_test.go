package cluster

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// configuration is that of the smallest cluster; the node's two CPUs are believed in on any
// machine.
const configuration = `ClusterName=loopback
SlurmctldHost=%[1]s(127.0.0.1)
SlurmctldPort=%[3]d
SlurmdPort=%[4]d
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=%[2]s/munge.socket
CredType=cred/munge
StateSaveLocation=%[2]s/state
SlurmdSpoolDir=%[2]s/spool
SlurmctldPidFile=%[2]s/slurmctld.pid
SlurmdPidFile=%[2]s/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0
ReturnToService=2
NodeName=%[1]s NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
`

// startSlurm starts a cluster that ends with the test, and has Slurm's commands use it. Where that
// is not possible the test is skipped.
func startSlurm(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("Slurm's daemons need the rights of root")
	}
	for _, name := range []string{"munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("Slurm is absent (apt-get install slurm-wlm munge): %v", err)
		}
	}
	dir, err := os.MkdirTemp("", "slurm") // t.TempDir's paths can be too long for a socket's
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	host, _, _ = strings.Cut(host, ".")
	write(t, filepath.Join(dir, "slurm.conf"), fmt.Sprintf(configuration, host, dir, freePort(t), freePort(t)))
	key := make([]byte, 1024)
	rand.Read(key)
	write(t, filepath.Join(dir, "munge.key"), string(key))
	for _, sub := range []string{"state", "spool"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("SLURM_CONF", filepath.Join(dir, "slurm.conf"))

	munge := func(file string) string { return filepath.Join(dir, "munge."+file) }
	daemons := []*daemon{
		start(t, "munged", "--foreground", "--force", "--num-threads=2", "--socket="+munge("socket"), "--key-file="+munge("key"),
			"--pid-file="+munge("pid"), "--log-file="+munge("log"), "--seed-file="+munge("seed")),
	}
	until(t, daemons, "munged opens no socket", func() bool { _, err := os.Stat(munge("socket")); return err == nil })
	daemons = append(daemons, start(t, "slurmctld", "-D", "-i"), start(t, "slurmd", "-D"))
	until(t, daemons, "the node does not get ready", func() bool {
		out, err := exec.Command("sinfo", "--noheader", "--format=%t").Output()
		return err == nil && strings.TrimSpace(string(out)) == "idle"
	})
	t.Cleanup(endJobs) // before the daemons stop
	probe := filepath.Join(dir, "probe")
	if out, err := exec.Command("sbatch", "--output="+probe, "--wrap=echo runs").CombinedOutput(); err != nil {
		t.Skipf("Slurm takes no job here: %v: %s", err, out)
	}
	until(t, daemons, "a job does not run", func() bool { text, _ := os.ReadFile(probe); return strings.TrimSpace(string(text)) == "runs" })
}

// endJobs cancels what is left, as after a failure, and waits for it: processes of jobs outlive the
// daemons.
func endJobs() {
	_ = exec.Command("scancel", "--me").Run()
	for begin := time.Now(); time.Since(begin) < 40*time.Second; time.Sleep(200 * time.Millisecond) { // Slurm kills after 30
		if out, err := exec.Command("squeue", "--noheader").Output(); err != nil || len(bytes.TrimSpace(out)) == 0 {
			return
		}
	}
}

// until waits for a daemon's sign of life, and skips the test if there is none.
func until(t *testing.T, daemons []*daemon, why string, ready func() bool) {
	t.Helper()
	for begin := time.Now(); time.Since(begin) < 30*time.Second && !slices.ContainsFunc(daemons, (*daemon).ended); time.Sleep(100 * time.Millisecond) {
		if ready() {
			return
		}
	}
	for _, d := range daemons {
		why += "\n" + d.name + ": " + strings.TrimSpace(d.stop())
	}
	t.Skip("Slurm does not start here: " + why)
}

// daemon is a process in the foreground.
type daemon struct {
	name string
	c    *exec.Cmd
	out  bytes.Buffer
	done chan struct{}
}

// start starts a daemon that is stopped with the test.
func start(t *testing.T, name string, args ...string) *daemon {
	t.Helper()
	d := &daemon{name: name, c: exec.Command(name, args...), done: make(chan struct{})}
	d.c.Stdout, d.c.Stderr = &d.out, &d.out
	d.c.WaitDelay = time.Second // children of a daemon may keep its output open
	if err := d.c.Start(); err != nil {
		t.Skipf("%s does not start: %v", name, err)
	}
	go func() {
		_ = d.c.Wait()
		close(d.done)
	}()
	t.Cleanup(func() { d.stop() })
	return d
}

func (d *daemon) ended() bool {
	select {
	case <-d.done:
		return true
	default:
		return false
	}
}

// stop ends the daemon, and returns what it has said.
func (d *daemon) stop() string {
	_ = d.c.Process.Signal(syscall.SIGTERM)
	select {
	case <-d.done:
	case <-time.After(20 * time.Second):
		_ = d.c.Process.Kill()
		<-d.done
	}
	return d.out.String()
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// freePort is a port that nobody listens on now.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Skipf("no port on loopback: %v", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
