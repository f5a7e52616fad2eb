// Package guard turns panics of graph functions into errors.
package guard

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// Build wraps a graph function so that any value it panics with becomes an error. GoMLX returns
// only panics with an error as errors; any other value unwinds the caller, whose deferred Finalize
// then waits forever for the call that it interrupted.
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
