package propagate

import (
	"fmt"
	"testing"

	"github.com/nodestatus/nodestatus/nodegraph"
)

func each(b *testing.B, sizes []int, run func(b *testing.B, spec func(int) *nodegraph.Spec, n int)) {
	for _, s := range shapes {
		for _, n := range sizes {
			b.Run(fmt.Sprintf("%s/%d", s.name, n), func(b *testing.B) { run(b, s.spec, n) })
		}
	}
}

var sizes = []int{100, 1000, 10_000, 100_000, 1_000_000}

func perNode(b *testing.B, nodes int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(nodes), "ns/node")
}

func BenchmarkBuild(b *testing.B) {
	each(b, sizes, func(b *testing.B, spec func(int) *nodegraph.Spec, n int) {
		s := spec(n)
		b.ReportAllocs()
		nodes := 0
		for b.Loop() {
			nodes = begun(s).g.Len()
		}
		perNode(b, nodes)
	})
}

func BenchmarkFixedPoint(b *testing.B) {
	each(b, sizes, func(b *testing.B, spec func(int) *nodegraph.Spec, n int) {
		e := through(begun(spec(n)), n/2)
		b.ReportAllocs()
		b.ResetTimer()
		for b.Loop() {
			for i := range nodegraph.Index(e.g.Len()) {
				e.touch(i)
			}
			e.sweep(0)
		}
		perNode(b, e.g.Len())
	})
}

func BenchmarkLocalEvent(b *testing.B) {
	each(b, sizes, func(b *testing.B, spec func(int) *nodegraph.Spec, n int) {
		e := begun(spec(n))
		pod := nodegraph.None
		for i := range nodegraph.Index(e.g.Len()) {
			if e.g.Node(i).Kind == nodegraph.Pod && e.facts[i].created() {
				pod = i
			}
		}
		b.ReportAllocs()
		b.ResetTimer()
		for k := 0; b.Loop(); k++ {
			ev := Event{Type: EventPodRunning, At: pod, Pod: Incarnation{UID: "u"}}
			if k%2 == 1 {
				ev.Type = EventPodPending
			}
			f := &e.facts[pod]
			f.Stage = StageNone
			if _, err := e.Apply(began, ev); err != nil {
				b.Fatal(err)
			}
		}
	})
}
