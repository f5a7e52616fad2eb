package study

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"ffslab/ffs/config"
)

// Variant is a row of a study in addition to the methods: the configuration with other settings.
type Variant struct {
	// Name is the name of the row, and part of the names of its run folders.
	Name string `json:"name"`
	// Settings are applied in order ("model.outlier.select=20"). The method is flow unless they set
	// model.outlier.method.
	Settings []string `json:"settings"`
}

var variantName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*$`)

// ParseVariant parses "NAME KEY=VALUE [KEY=VALUE ...]".
func ParseVariant(text string) (Variant, error) {
	fields := strings.Fields(text)
	if len(fields) < 2 || strings.Contains(fields[0], "=") {
		return Variant{}, fmt.Errorf("variant %q: write a name and settings, separated by spaces, for example \"select20 model.outlier.select=20\"", text)
	}
	return Variant{Name: fields[0], Settings: fields[1:]}, nil
}

// String says what the row is: "flow with model.outlier.select=20".
func (v Variant) String() string {
	settings := strings.Join(v.Settings, ", ")
	if strings.Contains(settings, "model.outlier.method=") {
		return settings
	}
	return "flow with " + settings
}

// Apply returns the configuration of the variant. The error names the setting.
func (v Variant) Apply(c config.Config) (config.Config, error) {
	c.Model.Outlier.Method = "flow"
	for _, setting := range v.Settings {
		if err := c.Set(setting); err != nil {
			return c, err
		}
	}
	return c, nil
}

// rows returns the names of the methods and of the variants.
func (o Options) rows() []string {
	rows := append([]string{}, o.Methods...)
	for _, v := range o.Variants {
		rows = append(rows, v.Name)
	}
	return rows
}

// ordered returns the rows with the baseline first.
func (o Options) ordered() []string {
	others := slices.DeleteFunc(o.rows(), func(row string) bool { return row == o.Baseline })
	return append([]string{o.Baseline}, others...)
}

// Setting is a row of a study with its configuration, which is valid.
type Setting struct {
	Name   string
	Config config.Config
}

// Settings returns the rows, the baseline first. The error names the fault of the grid, or the row
// and its setting at fault.
func (o Options) Settings() ([]Setting, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	var all []Setting
	for _, row := range o.ordered() {
		c, err := o.configure(cell{row, o.Config.Train.Seed})
		if err == nil {
			err = c.Validate()
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", row, err)
		}
		all = append(all, Setting{row, c})
	}
	return all, nil
}
