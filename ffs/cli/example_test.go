package cli_test

import (
	// Import the package that registers your parts: _ "example.com/mine"
	"ffslab/ffs/cli"
)

// A whole program: with a blank import of a package whose init functions call outlier.Register,
// loss.Register, backbone.Register or optim.Register, every command has these parts, "mine train
// --set model.outlier.method=yours" included.
func ExampleMain() {
	main := func() { cli.Main() }
	_ = main
}
