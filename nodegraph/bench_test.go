package nodegraph_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// BenchmarkDepends: a compiled condition of so many literals.
func BenchmarkDepends(b *testing.B) {
	for _, n := range []int{1, 6, 20} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var parts []string
			for k := range n {
				parts = append(parts, fmt.Sprintf("t%d%s", k, []string{"", ".Succeeded", ".Failed", ".Omitted"}[k%4]))
			}
			c, err := nodegraph.ParseDepends(strings.Join(parts, " && "), anyTask)
			if err != nil {
				b.Fatal(err)
			}
			deps := make([]nodegraph.DepState, n)
			for k := range deps {
				result := []nodegraph.Results{nodegraph.ResultSucceeded, nodegraph.ResultSucceeded, nodegraph.ResultFailed, nodegraph.ResultOmitted}[k%4]
				deps[k] = nodegraph.DepState{Must: result, May: result}
			}
			b.ReportAllocs()
			for b.Loop() {
				if c.Eval(deps) != nodegraph.True {
					b.Fatal("it must hold")
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/literal")
		})
	}
}

// BenchmarkParseDepends: the same, compiled.
func BenchmarkParseDepends(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := nodegraph.ParseDepends("(a || b.Failed) && !c && d.Succeeded && (e || f.Omitted)", anyTask); err != nil {
			b.Fatal(err)
		}
	}
}
