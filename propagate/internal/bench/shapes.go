package main

import (
	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/internal/workload"
)

// The shapes of workflows, those of the benchmarks of package propagate.
var shapes = []struct {
	name string
	spec func(n int) *nodegraph.Spec
}{{"layered", workload.Layered}, {"chain", workload.Chain}, {"fan-in", workload.FanIn}, {"sets", workload.Sets}}
