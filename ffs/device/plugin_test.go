package device

import (
	"os"
	"path/filepath"
	"testing"
)

func TestNoPluginOfTheWorkingDirectory(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	const name = "xla_cuda_plugin.so"
	if err := os.WriteFile(name, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for list, found := range map[string]bool{dir: true, "/nonexistent" + string(filepath.ListSeparator): false} {
		t.Setenv("PJRT_PLUGIN_LIBRARY_PATH", list)
		if path, _ := cudaPlugin(FromEnvironment().PluginDirs); (path == filepath.Join(dir, name)) != found {
			t.Errorf("with PJRT_PLUGIN_LIBRARY_PATH=%s the plugin is %q", list, path)
		}
	}
}
