package outlier

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/nn"
)

// queues hold the newest features of each class, oldest first: [classes, queue, dim], of which
// count [classes] are filled. They are the variables "outlier_queue/features" and
// "outlier_queue/count" of the scope, so that checkpoints hold them.
type queues struct {
	scope           *model.Scope
	features, count *graph.Node
}

func (s gaussian) queues(scope *model.Scope, g *graph.Graph) *queues {
	scope = scope.At("outlier_queue")
	return &queues{
		scope:    scope,
		features: nn.Variable(scope, g, "features", nn.Constant(0), false, s.config.Classes, s.config.Queue, s.config.Dim),
		count:    nn.Variable(scope, g, "count", nn.Constant(0), false, s.config.Classes),
	}
}

// full returns a scalar bool: whether the queues of all classes are full.
func (q *queues) full() *graph.Node {
	size := float64(q.features.Shape().Dim(1))
	return graph.GreaterOrEqual(graph.ReduceAllMin(q.count), graph.Scalar(q.count.Graph(), q.count.DType(), size))
}

// push appends the foreground features of the step in the order of their rows. As in the original,
// queues drop their oldest rows only once all queues are full; until then a full queue takes no
// more.
func (q *queues) push(in Input) {
	g, rows := q.features.Graph(), in.Features.Shape().Dim(0)
	classes, size, dim := q.features.Shape().Dim(0), q.features.Shape().Dim(1), q.features.Shape().Dim(2)
	grid := func(axis int) *graph.Node { return graph.Iota(g, shapes.Make(dtypes.Int32, classes, size), axis) }
	spread := func(perClass *graph.Node) *graph.Node {
		return graph.BroadcastToDims(graph.InsertAxes(perClass, -1), classes, size)
	}

	// Sorted by class, the new rows of class k are first[k] .. first[k]+arrived[k]-1; background
	// comes last.
	class := graph.Where(in.Foreground, in.Classes, graph.AddScalar(graph.ZerosLike(in.Classes), classes))
	class = graph.StopGradient(class)
	_, order := graph.BottomK(class, rows, 0)
	perClass := graph.Iota(g, shapes.Make(dtypes.Int32, classes, rows), 0)
	rowClass := graph.BroadcastToDims(graph.InsertAxes(class, 0), classes, rows)
	countRows := func(is *graph.Node) *graph.Node { return graph.ReduceSum(graph.ConvertDType(is, dtypes.Int32), -1) }
	arrived := countRows(graph.Equal(rowClass, perClass))
	first := countRows(graph.LessThan(rowClass, perClass))

	// Old rows move to the front by shift[k]; new rows follow from slot start[k].
	count := graph.ConvertDType(q.count, dtypes.Int32)
	full := q.full()
	shift := graph.Where(full, arrived, graph.ZerosLike(arrived))
	start := graph.Sub(count, shift)
	slot, position := grid(1), graph.Sub(grid(1), spread(start))
	isNew := graph.LogicalAnd(
		graph.GreaterOrEqual(position, graph.ZerosLike(position)),
		graph.LessThan(position, spread(arrived)))

	pick := func(x, index *graph.Node, last int) *graph.Node { // x[index] along the first axis, index cut to 0..last
		index = graph.ClipScalar(index, 0, float64(last))
		return graph.Gather(x, graph.InsertAxes(index, -1))
	}
	newRows := pick(in.Features, pick(order, graph.Add(position, spread(first)), rows-1), rows-1)
	moved := graph.Add(graph.MulScalar(grid(0), size), graph.MinScalar(graph.Add(slot, spread(shift)), size-1))
	oldRows := pick(graph.Reshape(q.features, classes*size, dim), moved, classes*size-1)
	isNew = graph.BroadcastToDims(graph.InsertAxes(isNew, -1), classes, size, dim)

	q.features = graph.StopGradient(graph.Where(isNew, newRows, oldRows))
	q.count = graph.MinScalar(graph.Add(q.count, graph.ConvertDType(arrived, q.count.DType())), float64(size))
	q.scope.GetVariable("features").SetNodeValue(q.features)
	q.scope.GetVariable("count").SetNodeValue(q.count)
}
