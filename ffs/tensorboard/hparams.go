package tensorboard

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/goccy/go-yaml"
	"github.com/google/renameio/v2"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"ffslab/ffs/config"
	"ffslab/ffs/run"
	"ffslab/ffs/tensorboard/event"
)

// saveHParams writes the run's configuration as hyperparameters.
func saveHParams(r run.Named, dir string) error {
	hparams, err := settings(r.Config)
	if err != nil {
		return err
	}
	start, err := hparamsValue("session_start_info", &event.HParams{Data: &event.HParams_SessionStartInfo{
		SessionStartInfo: &event.SessionStart{Hparams: hparams, GroupName: r.Name},
	}})
	if err != nil {
		return err
	}
	return saveEvents(filepath.Join(dir, "events.out.tfevents.0.hparams"), func(w writer) error { return w.values(0, start) })
}

// sessionEnd returns the value that marks the end of the training.
func sessionEnd() (*event.Value, error) {
	return hparamsValue("session_end_info", &event.HParams{Data: &event.HParams_SessionEndInfo{
		SessionEndInfo: &event.SessionEnd{Status: event.SessionEnd_SUCCESS},
	}})
}

// hparamsValue returns a value for TensorBoard's plugin of hyperparameters.
func hparamsValue(name string, content *event.HParams) (*event.Value, error) {
	text, err := proto.Marshal(content)
	return &event.Value{Tag: "_hparams_/" + name, Metadata: &event.Metadata{PluginData: &event.Metadata_Plugin{PluginName: "hparams", Content: text}}}, err
}

// settings returns the values of a configuration by key, such as "train.base_lr", without its
// origin. Lists become text.
func settings(c config.Config) (map[string]*structpb.Value, error) {
	c.Origin = config.Origin{}
	text, err := yaml.Marshal(c)
	if err != nil {
		return nil, err
	}
	var tree map[string]any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		return nil, err
	}
	flat := map[string]*structpb.Value{}
	var add func(prefix string, tree map[string]any) error
	add = func(prefix string, tree map[string]any) error {
		for key, value := range tree {
			key = prefix + key
			switch v := value.(type) {
			case nil:
			case map[string]any:
				if err := add(key+".", v); err != nil {
					return err
				}
			case []any:
				flat[key] = structpb.NewStringValue(fmt.Sprint(v))
			default:
				var err error
				if flat[key], err = structpb.NewValue(v); err != nil {
					return fmt.Errorf("%s: %w", key, err)
				}
			}
		}
		return nil
	}
	return flat, add("", tree)
}

// saveEvents writes an event file, whole or not at all, and creates its folder if needed.
func saveEvents(path string, write func(writer) error) error {
	var file bytes.Buffer
	w, err := newWriter(&file)
	if err != nil {
		return err
	}
	if err := write(w); err != nil {
		return err
	}
	if err := w.out.Flush(); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return renameio.WriteFile(path, file.Bytes(), 0o644)
}
