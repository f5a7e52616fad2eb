package run

// Named is a run with the name that figures and tables give it.
type Named struct {
	Name string
	*Run
	// Group is what runs of several seeds have in common in figures that compare them; empty: their method.
	Group string
}
