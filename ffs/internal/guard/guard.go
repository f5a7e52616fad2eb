// Package guard makes what a graph function panics with an error.
package guard

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// Build wraps a graph function so that whatever it panics with is an error. GoMLX turns errors alone into results of the call; any other value
// unwinds the caller, whose deferred Finalize then waits for ever for the call that it interrupted.
func Build(build func(scope *model.Scope, in []*graph.Node) []*graph.Node) func(scope *model.Scope, in []*graph.Node) []*graph.Node {
	return func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		defer func() {
			switch fault := recover().(type) {
			case nil:
			case error:
				panic(fault)
			default:
				panic(fmt.Errorf("%v", fault))
			}
		}()
		return build(scope, in)
	}
}
