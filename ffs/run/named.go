package run

// Named is a run with its name in figures and tables.
type Named struct {
	Name string
	*Run
	// Group is what runs with different seeds share in figures that compare them; empty means their
	// method.
	Group string
}
