package lab

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"ffslab/ffs/device"
)

// ServeOptions says how to run JupyterLab.
type ServeOptions struct {
	Port      int            // 0: 8888, or the next free one
	NoBrowser bool           // print the address only
	Device    device.Options // the backend of the cells, and of the check before them
	Log       io.Writer      // progress and JupyterLab's own log; nil: standard error
}

// Serve sets up what is missing and runs JupyterLab on the repository until ctx ends, which is no error.
func Serve(ctx context.Context, options ServeOptions) error {
	if options.Log == nil {
		options.Log = os.Stderr
	}
	root, err := FindRoot()
	if err != nil {
		return err
	}
	env, err := setUp(ctx, root, true, options.Log)
	if err != nil {
		return err
	}
	if err := env.prepareCells(ctx, options.Device, options.Log); err != nil {
		return err
	}
	return env.serve(ctx, options)
}

// serve runs JupyterLab with more arguments than the options tell, if there are any.
func (e *environment) serve(ctx context.Context, options ServeOptions, more ...string) error {
	arguments := []string{"-m", "jupyterlab", "--ServerApp.root_dir=" + e.root, "--LabApp.default_url=/lab/tree/notebooks",
		"--MultiKernelManager.default_kernel_name=" + kernelName,
		"--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"} // the version is pinned
	if options.Port != 0 {
		arguments = append(arguments, "--port="+strconv.Itoa(options.Port), "--ServerApp.port_retries=0")
	}
	if options.NoBrowser {
		arguments = append(arguments, "--no-browser")
	}
	if os.Geteuid() == 0 {
		arguments = append(arguments, "--allow-root") // Jupyter's condition for running as root
	}
	command := gentleCommand(ctx, e.interpreter.Path, append(arguments, more...)...)
	command.Dir = filepath.Join(e.root, "notebooks")
	command.Env = merge(os.Environ(), e.kernelEnvironment(options.Device.Backend))
	command.Stdout, command.Stderr = options.Log, options.Log
	fmt.Fprintln(options.Log, "starting JupyterLab; Ctrl-C stops it")
	runtime.LockOSThread() // see endWithUs
	defer runtime.UnlockOSThread()
	if err := command.Run(); err != nil && ctx.Err() == nil {
		return fmt.Errorf("JupyterLab ended: %w (its log above says why)", err)
	}
	return nil
}
