package config

import (
	"errors"
	"fmt"
	"strings"

	"ffslab/ffs/backbone"
	"ffslab/ffs/internal/registry"
	"ffslab/ffs/loss"
	"ffslab/ffs/optim"
	"ffslab/ffs/outlier"
)

// Keys that name registered parts. Extra loss terms are "model.loss." and their name.
const (
	partFamily    = "model.backbone.family"
	partMethod    = "model.outlier.method"
	partOptimizer = "train.optimizer"
	partTerm      = "model.loss."
)

// module is the path under which this module's own packages lie.
const module = "ffslab/"

// Foreign returns the parts that the configuration names and that packages outside this module have
// registered: the package's path by the key, as Origin.Parts holds them; nil if there are none.
func (c Config) Foreign() map[string]string {
	parts := map[string]string{
		partFamily:    backbone.Origin(c.Model.Backbone.Family),
		partMethod:    outlier.Origin(c.Model.Outlier.Method),
		partOptimizer: optim.Origin(c.Train.Optimizer),
	}
	for name := range c.Model.Loss.Terms {
		parts[partTerm+name] = loss.Origin(name)
	}
	for key, origin := range parts {
		if origin == "" || strings.HasPrefix(origin, module) {
			delete(parts, key)
		}
	}
	if len(parts) == 0 {
		return nil
	}
	return parts
}

// NewOptimizer returns the optimizer that the configuration asks for; lrFactor gives the factor of
// a parameter's learning rate, nil means 1 for all. The error starts with the key at fault under
// train.
func (t Train) NewOptimizer(lrFactor func(path string) float64) (optim.Optimizer, error) {
	o, err := optim.New(t.Optimizer, optim.Settings{Momentum: t.Momentum, WeightDecay: t.WeightDecay, LRFactor: lrFactor, Options: t.OptimizerOptions})
	switch {
	case errors.Is(err, registry.ErrUnknown):
		return nil, fmt.Errorf("optimizer: %w", err)
	case err != nil && strings.HasPrefix(err.Error(), "options."):
		return nil, fmt.Errorf("optimizer_%w", err)
	}
	return o, err
}

// registered adds to the error about a part that this program does not have who registered it when
// the run was made.
func (c Config) registered(key string, err error) error {
	origin := c.Origin.Parts[key]
	if origin == "" || !errors.Is(err, registry.ErrUnknown) {
		return err
	}
	return fmt.Errorf("%w: %s", err, Remedy(origin))
}

// Remedy says how a program gets a part that the package registered.
func Remedy(origin string) string {
	if origin == "main" {
		return "a notebook cell or a program's own main package registered it: run the cell that holds its init_ function first, or use that program"
	}
	return fmt.Sprintf("the package %s registered it: import that package", origin)
}
