package lab

import (
	"context"
	_ "embed" // server.py
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
)

// serverModule adds to Jupyter's server what JupyterLab expects of a kernel and GoNB lacks.
//
//go:embed server.py
var serverModule []byte

// labSettings replace defaults of JupyterLab's settings.
const labSettings = `{"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": false}}`

// copiesDir is the folder for copies of the notebooks in the output folder. The executed notebooks
// of "ffs notebooks" lie in another one.
const copiesDir = "lab"

// ServeOptions are the options of [Serve].
type ServeOptions struct {
	Cells
	Dir       string    // folder of the notebooks; empty: ROOT/notebooks
	Port      int       // 0: 8888, or the next free one
	NoBrowser bool      // only print the address
	Log       io.Writer // progress and JupyterLab's own log; nil: standard error
}

// Serve installs what is missing, copies the notebooks to OUT/lab and runs JupyterLab there until
// ctx ends, which is no error.
func Serve(ctx context.Context, options ServeOptions) error {
	if options.Log == nil {
		options.Log = os.Stderr
	}
	root, err := FindRoot()
	if err != nil {
		return err
	}
	// Report faults of the options before the set-up.
	if _, err := options.environment(); err != nil {
		return err
	}
	port, err := reservePort(options.Port)
	if err != nil {
		return err
	}
	defer port.Close()
	env, err := prepare(ctx, root, true, options.Device, options.Log)
	if err != nil {
		return err
	}
	options.Port = port.Addr().(*net.TCPAddr).Port
	port.Close()
	return env.serve(ctx, options)
}

// firstPort is Jupyter's usual port. If it is taken, the next portTries ports are tried.
const (
	firstPort = 8888
	portTries = 100
)

// reservePort listens on the port, or for 0 on the first free one, to reserve it during the set-up.
func reservePort(port int) (net.Listener, error) {
	if port != 0 {
		listener, err := listen(port)
		if errors.Is(err, syscall.EADDRINUSE) {
			return nil, fmt.Errorf("port %d is in use: choose another one with --port, or leave it out", port)
		}
		return listener, err
	}
	for port := firstPort; ; port++ {
		listener, err := listen(port)
		if err == nil || port == firstPort+portTries {
			return listener, err
		}
	}
}

func listen(port int) (net.Listener, error) {
	return net.Listen("tcp", net.JoinHostPort("localhost", strconv.Itoa(port)))
}

// serve runs JupyterLab, with more arguments for tests.
func (e *environment) serve(ctx context.Context, options ServeOptions, more ...string) error {
	out, err := options.out()
	if err != nil {
		return err
	}
	if err := copyNotebooks(notebooksDir(options.Dir, e.root), filepath.Join(out, copiesDir), options.Log); err != nil {
		return err
	}
	temporary, err := os.MkdirTemp("", "ffslab-lab-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temporary)
	for name, content := range map[string][]byte{"ffslab_server.py": serverModule, "overrides.json": []byte(labSettings)} {
		if err := os.WriteFile(filepath.Join(temporary, name), content, 0o644); err != nil {
			return err
		}
	}
	arguments := []string{"-m", "jupyterlab", "--ServerApp.root_dir=" + out, "--LabApp.default_url=/lab/tree/" + copiesDir,
		"--MultiKernelManager.default_kernel_name=" + kernelName,
		"--ServerApp.kernel_websocket_connection_class=ffslab_server.Connection", "--ServerApp.kernel_manager_class=ffslab_server.Kernels",
		"--ServerApp.log_level=WARN", "--LabApp.log_level=WARN", // what stays is the address
		"--LabApp.app_settings_dir=" + temporary,
		"--LabApp.workspaces_dir=" + filepath.Join(out, copiesDir, ".workspaces"),                   // not the tabs of other folders
		"--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"} // the version is pinned
	if options.Port != 0 {
		arguments = append(arguments, "--port="+strconv.Itoa(options.Port), "--ServerApp.port_retries=0")
	}
	if options.NoBrowser {
		arguments = append(arguments, "--no-browser")
	}
	if os.Geteuid() == 0 {
		arguments = append(arguments, "--allow-root") // Jupyter refuses to run as root without it
	}
	settings, err := options.environment()
	if err != nil {
		return err
	}
	e.addKernel(settings)
	settings["PYTHONPATH"] = joinPaths(temporary, os.Getenv("PYTHONPATH"))
	command := gentleCommand(ctx, e.interpreter.Path, append(arguments, more...)...)
	command.Dir = out
	command.Env = withSettings(settings)
	command.Stdout, command.Stderr = options.Log, options.Log
	fmt.Fprintln(options.Log, "starting JupyterLab; Ctrl-C stops it")
	runtime.LockOSThread() // see parentdeath
	defer runtime.UnlockOSThread()
	if err := command.Run(); err != nil && ctx.Err() == nil {
		return fmt.Errorf("JupyterLab ended: %w (its log above says why)", err)
	}
	return nil
}
