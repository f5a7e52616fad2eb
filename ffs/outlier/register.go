package outlier

import (
	"fmt"

	"ffslab/ffs/internal/check"
	"ffslab/ffs/internal/registry"
)

// Method describes a method that makes synthetic outliers.
type Method struct {
	// Name is its name in a configuration, Summary a line for lists.
	Name, Summary string
	// NeedsFlow says that the detector needs a flow, which is trained and given to the synthesiser.
	NeedsFlow bool
	// PerClass says that SampleFrom and Select count candidates of each class; their noise arrays
	// are concatenated. FromNoise says that the outliers depend only on the noise and the flow, not
	// on the step's features.
	PerClass, FromNoise bool
	// FromState says that infer.Model.Draw withholds the inliers once Ready is true, so that the
	// outliers depend only on the noise and the state. In training, the inliers of each step enter
	// the state first.
	FromState bool
	// New returns the synthesiser of a configuration, or an error that starts with the setting at
	// fault ("select: ..."). It must decode the method's own settings, Config.Options, strictly.
	New func(Config) (Synthesizer, error)
}

var methods = registry.New[Method](kind)

// Register makes a method available as model.outlier.method. It panics if the name is taken.
func Register(m Method) { methods.Add(m.Name, m) }

// Lookup returns the method with the given name. The error lists the registered names.
func Lookup(name string) (Method, error) { return methods.Get(name) }

// Names returns the registered names in alphabetical order.
func Names() []string { return methods.Names() }

// Origin returns the path of the package that registered the method.
func Origin(name string) string { return methods.Origin(name) }

// New returns the synthesiser of the configuration. The error starts with the setting at fault, as
// it is called under model.outlier.
func New(c Config) (Synthesizer, error) {
	m, err := Lookup(c.Method)
	if err != nil {
		return nil, fmt.Errorf("method: %w", err)
	}
	if c.Method != MethodNone {
		if err := check.First(check.NotNegative("start_iter", c.StartIter), check.AtLeastOne("sample_from", c.SampleFrom)); err != nil {
			return nil, err
		}
	}
	return m.build(c)
}

// builtIn returns the constructor of a method without options, whose settings the rules check.
func builtIn(rules func(Config) []check.Rule, build func(Config) Synthesizer) func(Config) (Synthesizer, error) {
	return func(c Config) (Synthesizer, error) {
		if err := check.First(append(rules(c), check.AtLeastOne("Dim", c.Dim))...); err != nil {
			return nil, err
		}
		if err := c.Options.Decode(&struct{}{}); err != nil {
			return nil, err
		}
		return build(c), nil
	}
}

// candidates are the rules for methods that keep Select of SampleFrom candidates.
func candidates(c Config) []check.Rule {
	return []check.Rule{
		check.AtLeastOne("sample_from", c.SampleFrom),
		{OK: c.Select > 0 && c.Select <= c.SampleFrom, Key: "select", Value: c.Select, Meaning: fmt.Sprintf("must be positive and at most sample_from %d", c.SampleFrom)},
	}
}
