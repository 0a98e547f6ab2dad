package draw_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/draw"
	"github.com/nodestatus/nodestatus/retry"
)

// pageOf is what the page of an engine holds for its scripts.
func pageOf(t *testing.T, p *draw.Picture) *shown {
	t.Helper()
	page, err := p.HTML()
	require.NoError(t, err)
	return readPage(t, page)
}

// numbers are the items 0 to n-1.
func numbers(n int) string {
	list := make([]string, n)
	for k := range list {
		list[k] = fmt.Sprint(k)
	}
	return strings.Join(list, ",")
}

// Items that are well in the same way begin as one closed box, and so do many that all wait for the same; what the chain leads
// to and what failed stays to be seen.
func TestPageFoldsRuns(t *testing.T) {
	var events []propagate.Event
	for k := range 20 {
		events = append(events, propagate.PodSucceeded(fmt.Sprintf("wf.l(%d:%d)", k, k)))
	}
	e := played(t, "wf: dag(l over ["+numbers(60)+"])", append(events, propagate.PodFailed("wf.l(20:20)", "no"))...)
	page := pageOf(t, draw.Of(e))
	closed := make(map[string]int) // how many a closed box holds
	for k := range page.Boxes {
		if p := page.Boxes[k].Parent; p >= 0 && page.Boxes[p].Closed {
			closed[page.Boxes[p].Name]++
		}
	}
	assert.Equal(t, map[string]int{"wf.l: 20 Succeeded": 20, "wf.l: 38 Pending": 38}, closed)
	for _, name := range []string{"wf.l(20:20)", "wf.l(21:21)"} { // what failed, and what the chain leads to
		assert.False(t, page.Boxes[page.byName(t, name).Parent].Closed, "%s is to be seen", name)
	}
}

// However a large workflow is shaped, a page of it begins with few boxes, and Mermaid gets no more than it takes. The chain is
// in both.
func TestLargeWorkflowsAreFolded(t *testing.T) {
	var chain, layers []string
	for k := range 6000 {
		chain = append(chain, fmt.Sprintf("c%d", k))
		layers = append(layers, fmt.Sprintf("t%d", k))
		if k >= 50 {
			layers = append(layers, fmt.Sprintf("t%d -> t%d", k-50+k%3, k))
		}
	}
	for name, text := range map[string]string{
		"a chain": "wf: dag(" + strings.Join(chain, " -> ") + ")", "layers": "wf: dag(" + strings.Join(layers, ", ") + ")",
		"a loop": "wf: dag(l: retry(1, pod) over [" + numbers(3000) + "])", "steps": "wf: steps(" + strings.Join(chain, " | ") + ")",
	} {
		t.Run(name, func(t *testing.T) {
			e := played(t, text)
			p := draw.Of(e)
			page := pageOf(t, p)
			seen, hidden := 0, make([]bool, len(page.Boxes))
			for k := range page.Boxes {
				b := &page.Boxes[k]
				if b.Parent >= 0 {
					hidden[k] = hidden[b.Parent] || page.Boxes[b.Parent].Closed
				}
				if !hidden[k] {
					seen++
				} else if class := page.class(b, 0); strings.Contains(class, "chain") {
					t.Errorf("%s is on the chain and not to be seen", b.Name)
				}
			}
			assert.LessOrEqual(t, seen, 4000, "boxes at the beginning")
			mermaid := string(p.Mermaid())
			assert.LessOrEqual(t, len(mermaid), 50_000)
			assert.LessOrEqual(t, strings.Count(mermaid, "->"), 500)
			assert.Contains(t, mermaid, " chain\n")
		})
	}
}

// What is promised inside of what has not begun is drawn as not created, in its order, without a time.
func TestPromisedMembers(t *testing.T) {
	e := played(t, "dag(a -> b: dag(x -> y: pod(p -> q)))")
	d := readSVG(t, draw.Of(e).SVG())
	for _, name := range []string{"wf.b.x", "wf.b.y", "wf.b.y.p", "wf.b.y.q"} {
		n := d.byName(t, name)
		assert.True(t, n.has("planned"), "%s is drawn as %s", name, n.class)
		assert.NotContains(t, n.title, "2026", "%s has no time", name)
	}
	assert.Less(t, d.byName(t, "wf.b.x").x, d.byName(t, "wf.b.y").x)
	assert.Equal(t, nodegraph.None, e.Graph().Find("wf.b.x"), "the engine is left as it was")
}

// A node on record that the specification never asks for is drawn inside of what its name begins with, and can be found wrong.
func TestRecordedNodesAreDrawn(t *testing.T) {
	e := played(t, "dag(a: retry(1, pod))", propagate.PodSucceeded("wf.a(0)"))
	p := draw.Of(e)
	p.Record(nodegraph.NodeStatus{ID: "wf-1", Name: "wf.a(7)", Kind: nodegraph.KindPod, Phase: nodegraph.PhaseRunning})
	p.Record(nodegraph.NodeStatus{ID: "wf-2", Name: "wf.a(7).main", Kind: nodegraph.KindContainer, Phase: nodegraph.PhaseRunning})
	p.Find(nodegraph.None, "wf.a(7).main", "orphan", "nobody reports on it")
	d := readSVG(t, p.SVG())
	attempt, main := d.byName(t, "wf.a(7)"), d.byName(t, "wf.a(7).main")
	assert.Equal(t, d.byName(t, "wf.a").id, attempt.parent)
	assert.Equal(t, attempt.id, main.parent)
	assert.True(t, main.has("culprit") && attempt.has("chain") && !attempt.has("culprit"), "%s in %s", main.class, attempt.class)
	page, err := p.HTML()
	require.NoError(t, err)
	assert.Contains(t, string(page), `href="#node=wf-2">wf.a(7).main</a>`)
}

// Of a workflow that was loaded as it had failed, the frame is around what failed first inside of it.
func TestBlame(t *testing.T) {
	e := played(t, "dag(a: retry(1, pod), b)", propagate.PodFailed("wf.a(0)", ""), propagate.PodFailed("wf.a(1)", ""), propagate.PodFailed("wf.b", ""))
	s := e.Snapshot()
	loaded, _, err := propagate.FromSnapshot(e.Graph().Spec(), s)
	require.NoError(t, err)
	d := readSVG(t, draw.Of(loaded).SVG())
	var culprits []string
	for k := range d.nodes {
		if d.nodes[k].has("culprit") {
			culprits = append(culprits, d.nodes[k].name)
		}
	}
	assert.Equal(t, []string{"wf.a(0)"}, culprits)
}

// Bars: an attempt waits, runs and ends; between two attempts there is the backoff; a wait for a lock shows; what has not begun
// has no bar. All in minutes.
func TestBars(t *testing.T) {
	spec, err := nodegraph.Parse("dag(a: retry(2, pod) -> c, b: mutex(m, pod) -> c)")
	require.NoError(t, err)
	for _, template := range spec.Templates {
		if template.Retry != nil {
			template.Retry.Backoff = &retry.Backoff{Duration: 4 * time.Minute}
		}
	}
	e, err := propagate.New(spec)
	require.NoError(t, err)
	film := &draw.Film{Name: "times"}
	for _, at := range []struct {
		minute int
		events []propagate.Event
	}{
		{0, nil}, {1, []propagate.Event{propagate.PodRunning("wf.a(0)"), propagate.LockQueued("wf.b", "default/Mutex/m", "")}},
		{3, []propagate.Event{propagate.PodFailed("wf.a(0)", "")}}, {7, nil}, {8, []propagate.Event{propagate.PodRunning("wf.a(1)")}},
		{9, []propagate.Event{propagate.LockGranted("wf.b")}}, {10, []propagate.Event{propagate.PodSucceeded("wf.a(1)")}},
	} {
		now := start.Add(time.Duration(at.minute) * time.Minute)
		r, err := e.Apply(now, at.events...)
		require.NoError(t, err)
		film.Add(draw.Frame{Now: now, Result: r}, e)
	}
	page, err := film.HTML()
	require.NoError(t, err)
	read := readPage(t, page)
	for name, want := range map[string]string{
		"wf.a(0)": "0-1 wait, 1-3 failed", "wf.a(1)": "7-8 wait, 8-10 succeeded", "wf.a": "0-10 succeeded, 3-7 backoff",
		"wf.b": "1-9 wait, 9-10 wait", "wf.c": "",
	} {
		var bars []string
		for _, b := range read.byName(t, name).Bars {
			bars = append(bars, fmt.Sprintf("%d-%d %s", b.From/60, b.To/60, b.Class))
		}
		assert.Equal(t, want, strings.Join(bars, ", "), "bars of %s", name)
	}
}
