// Command ffs trains, evaluates and explores detectors that know what they do not know:
// normalizing-flow feature synthesis for outlier-aware object detection (Kumar et al., CVPR 2023)
// on GoMLX and XLA.
//
// "go run ./ffs help" lists its commands; package cli holds them.
package main

import "ffslab/ffs/cli"

func main() { cli.Main() }
