package config

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/google/renameio/v2"
)

// Load returns the preset of that name, or the configuration in the file of that path, with the
// settings ("model.roi.nms=0.5") applied in order. Errors name the file, the line and the key.
func Load(nameOrFile string, settings ...string) (Config, error) {
	return load(nameOrFile, Preset, settings)
}

func load(nameOrFile string, preset func(name string) (Config, error), settings []string) (Config, error) {
	c, err := base(nameOrFile, preset)
	if err != nil {
		return Config{}, err
	}
	for _, setting := range settings {
		if err := c.Set(setting); err != nil {
			return Config{}, err
		}
	}
	if err := c.Validate(); err != nil {
		return Config{}, locate(nameOrFile, err)
	}
	return c, nil
}

// locate adds file and line to the fault of a value, where the file holds that key; the value may
// also stem from the base or a setting.
func locate(file string, fault error) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fault // a preset
	}
	key, _, _ := strings.Cut(fault.Error(), ":")
	path, err := yaml.PathString("$." + key)
	if err != nil {
		return fmt.Errorf("%s: %w", file, fault)
	}
	node, err := path.ReadNode(bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("%s: %w", file, fault)
	}
	return fmt.Errorf("%s:%d: %w", file, node.GetToken().Position.Line, fault)
}

func base(nameOrFile string, preset func(name string) (Config, error)) (Config, error) {
	if slices.Contains(PresetNames(), nameOrFile) {
		return preset(nameOrFile)
	}
	text, err := readBounded(nameOrFile)
	if err != nil {
		if ext := filepath.Ext(nameOrFile); ext != ".yaml" && ext != ".yml" {
			_, err = Preset(nameOrFile)
			return Config{}, fmt.Errorf("%w, and no file has that name", err)
		}
		return Config{}, err
	}
	return parse(nameOrFile, text, preset)
}

// Parse reads a configuration from YAML text; file is the name that its errors carry. It does not
// ask whether the values are possible (see Validate), so that settings can still mend them.
func Parse(file string, text []byte) (Config, error) { return parse(file, text, Preset) }

func parse(file string, text []byte, preset func(name string) (Config, error)) (Config, error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // the byte order mark of some editors
	if len(bytes.TrimSpace(text)) == 0 {
		return Config{}, fmt.Errorf("%s: the file is empty: write base: PRESET and what differs", file)
	}
	if err := checkBounds(text); err != nil {
		return Config{}, fileError(file, err)
	}
	var head struct {
		Base string `yaml:"base"`
	}
	if err := yaml.Unmarshal(text, &head); err != nil {
		return Config{}, fileError(file, err)
	}
	var body struct {
		Base   string `yaml:"base"`
		Config `yaml:",inline"`
	}
	if head.Base != "" {
		var err error
		if body.Config, err = preset(head.Base); err != nil {
			return Config{}, fmt.Errorf("%s: base: %w", file, err)
		}
	}
	if err := decode(text, &body); err != nil {
		return Config{}, fileError(file, err)
	}
	return body.Config, nil
}

// Set applies one setting of the form "a.b.c=value", where the value is YAML: "train.steps=[700,
// 900]".
func (c *Config) Set(setting string) error {
	key, value, ok := strings.Cut(setting, "=")
	if !ok || key == "" {
		return fmt.Errorf("setting %q: write KEY=VALUE, for example train.max_iter=100", setting)
	}
	var text strings.Builder
	keys := strings.Split(key, ".")
	for depth, k := range keys {
		fmt.Fprintf(&text, "%s%s:", strings.Repeat("  ", depth), k)
		if depth < len(keys)-1 {
			text.WriteByte('\n')
		}
	}
	fmt.Fprintf(&text, " %s\n", value)
	if err := decode([]byte(text.String()), c); err != nil {
		line := firstLine(err)
		if m := position.FindStringSubmatch(line); m != nil {
			line = m[2] // a position in text that its user has not written
		}
		return fmt.Errorf("setting %s: %s", setting, line)
	}
	return nil
}

// Save writes the complete configuration. It loads back to an equal value.
func (c Config) Save(path string) error {
	text, err := yaml.Marshal(c)
	if err == nil {
		err = renameio.WriteFile(path, text, 0o644)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func decode(text []byte, into any) error {
	if err := checkBounds(text); err != nil {
		return err
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return nil
	}
	return yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(into)
}

// position is how the YAML library prefixes its messages: [line:column].
var position = regexp.MustCompile(`^\[(\d+):\d+\] (.*)`)

func fileError(file string, err error) error {
	if m := position.FindStringSubmatch(firstLine(err)); m != nil {
		return fmt.Errorf("%s:%s: %s", file, m[1], m[2])
	}
	return fmt.Errorf("%s: %s", file, firstLine(err))
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
