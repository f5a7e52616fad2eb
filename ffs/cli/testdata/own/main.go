package main

import (
	_ "example.com/own/mine"
	"ffslab/ffs/cli"
)

func main() { cli.Main() }
