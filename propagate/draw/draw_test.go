package draw_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/draw"
	"github.com/nodestatus/nodestatus/propagate/replay"
	"github.com/nodestatus/nodestatus/retry"
)

var (
	rewrite = flag.Bool("rewrite", false, "rewrite the golden files under testdata")
	every   = flag.Int("every", 8, "draw every recording of so many; all: 1")
	largest = flag.Int("largest", 1000, "nodes of the largest workflow that is drawn")
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// played is the engine of a workflow after these events, each a minute after the one before.
func played(t testing.TB, text string, events ...propagate.Event) *propagate.Engine {
	t.Helper()
	spec, err := nodegraph.Parse(text)
	require.NoError(t, err)
	return playedSpec(t, spec, events...)
}

func playedSpec(t testing.TB, spec *nodegraph.Spec, events ...propagate.Event) *propagate.Engine {
	t.Helper()
	e, err := propagate.New(spec)
	require.NoError(t, err)
	now := start
	_, err = e.Apply(now)
	require.NoError(t, err)
	for _, ev := range events {
		now = now.Add(time.Minute)
		_, err = e.Apply(now, ev)
		require.NoError(t, err, "%s", ev)
	}
	return e
}

// small has every relation: containment, order, a condition, a far arrow, a hook, an attempt that failed.
func small(t testing.TB) *propagate.Engine {
	return played(t, `nightly: dag(fetch -> build: pod(compile -> main) -> {lint, test: retry(2, pod)} -> publish exit http,
		fetch -> publish, alarm depends "fetch.Failed") exit pod`,
		propagate.PodSucceeded("nightly.fetch"), propagate.PodSucceeded("nightly.build"), propagate.PodSucceeded("nightly.lint"),
		propagate.PodRunning("nightly.test(0)"), propagate.PodDeleted("nightly.test(0)"), propagate.PodRunning("nightly.test(1)"))
}

// formats are the ways to write a picture, by the ending of a file.
var formats = map[string]func(p *draw.Picture) ([]byte, error){
	"dot":  (*draw.Picture).DOT,
	"mmd":  func(p *draw.Picture) ([]byte, error) { return p.Mermaid(), nil },
	"svg":  func(p *draw.Picture) ([]byte, error) { return p.SVG(), nil },
	"html": (*draw.Picture).HTML,
}

// A small workflow in every format, byte for byte.
func TestGolden(t *testing.T) {
	for ending, write := range formats {
		got, err := write(draw.Of(small(t)))
		require.NoError(t, err, ending)
		golden(t, "small."+ending, got)
	}
	golden(t, "film.html", filmed(t, "dag(a -> b: pod(c -> d))",
		propagate.PodRunning("wf.a"), propagate.PodSucceeded("wf.a"), propagate.PodRunning("wf.b"), propagate.PodDeleted("wf.b")))
}

// constant are the parts of a page that are the same in all: files of their own have them.
var constant = regexp.MustCompile(`(?s)(<style>).*(</style>)|(<script>).*(</script>)|'sha256-[^']*'`)

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	got = constant.ReplaceAll(got, []byte("$1$3...$2$4"))
	file := filepath.Join("testdata", name)
	if *rewrite {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, got, 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("%s (-golden +drawn):\n%s", name, diff)
	}
}

// filmed is the page of a run, a frame for the beginning and one for each event.
func filmed(t testing.TB, text string, events ...propagate.Event) []byte {
	t.Helper()
	spec, err := nodegraph.Parse(text)
	require.NoError(t, err)
	e, err := propagate.New(spec)
	require.NoError(t, err)
	film := &draw.Film{Name: "a run", Description: []string{"Each frame is an event."}}
	now := start
	r, err := e.Apply(now)
	require.NoError(t, err)
	film.Add(draw.Frame{Now: now, Result: r}, e)
	for _, ev := range events {
		now = now.Add(time.Minute)
		r, err := e.Apply(now, ev)
		require.NoError(t, err)
		film.Add(draw.Frame{Now: now, Events: []string{ev.String()}, Result: r}, e)
	}
	page, err := film.HTML()
	require.NoError(t, err)
	return page
}

// The same workflow gives the same bytes, also from another engine.
func TestDeterministic(t *testing.T) {
	for ending, write := range formats {
		once, err := write(draw.Of(small(t)))
		require.NoError(t, err)
		for range 5 {
			again, err := write(draw.Of(small(t)))
			require.NoError(t, err)
			require.True(t, bytes.Equal(once, again), "%s: two pictures of one workflow differ", ending)
		}
	}
}

// A picture does not change with the engine that it was taken of.
func TestPictureIsOfItsMoment(t *testing.T) {
	e := played(t, "dag(a -> b)")
	p := draw.Of(e)
	before := string(p.SVG())
	_, err := e.Apply(start.Add(time.Minute), propagate.PodSucceeded("wf.a"))
	require.NoError(t, err)
	assert.Equal(t, before, string(p.SVG()))
	assert.NotEqual(t, before, string(draw.Of(e).SVG()))
}

// The chain leads from the workflow to what it waits for, or to what it failed by; of a success there is none.
func TestChain(t *testing.T) {
	cases := []struct {
		why, text string
		events    []propagate.Event
		nodes     []string // highlighted, beside the workflow
		arrows    []string
	}{
		{"a pod is waited for", "dag(a -> b)", nil, []string{"wf", "wf.a"}, nil},
		{"the first of two branches", "dag(a, b)", nil, []string{"wf", "wf.a"}, nil},
		{"a container's pod decides", "dag(p: pod(x -> y))", []propagate.Event{propagate.PodRunning("wf.p")},
			[]string{"wf", "wf.p"}, nil},
		{"down to an attempt", "retry(1, pod)", []propagate.Event{propagate.PodFailed("wf(0)", "")}, []string{"wf", "wf(1)"}, nil},
		{"the hook of what has ended", "dag(a exit http -> b)", []propagate.Event{propagate.PodSucceeded("wf.a")},
			[]string{"wf", "wf.a", "wf.b", "wf.a.onExit"}, []string{"wf.a wf.a.onExit", "wf.a wf.b"}},
		{"the exit handler", "dag(a) exit pod", []propagate.Event{propagate.PodSucceeded("wf.a")}, []string{"wf.onExit"}, nil},
		{"a failure", "dag(a -> b)", []propagate.Event{propagate.PodFailed("wf.a", "no")},
			[]string{"wf", "wf.a"}, nil},
		{"a success", "dag(a)", []propagate.Event{propagate.PodSucceeded("wf.a")}, nil, nil},
	}
	for _, c := range cases {
		t.Run(c.why, func(t *testing.T) {
			e := played(t, c.text, c.events...)
			d := readSVG(t, draw.Of(e).SVG())
			var nodes []string
			for _, n := range d.nodes[1:] {
				if n.has("chain") {
					nodes = append(nodes, n.name)
				}
			}
			var arrows []string
			for _, a := range d.arrows {
				if a.has("chain") {
					arrows = append(arrows, a.class)
				}
			}
			assert.Equal(t, c.nodes, nodes)
			assert.Len(t, arrows, len(c.arrows))
			assert.Equal(t, len(c.nodes) > 0, d.nodes[0].has("chain"), "the workflow itself")
			edges := readDOT(t, draw.Of(e)).chain
			assert.Equal(t, c.arrows, edges)
		})
	}
}

// Where a Retry waits for its time the chain ends there, and not at the attempt that failed.
func TestChainEndsAtATimer(t *testing.T) {
	spec, err := nodegraph.Parse("retry(1, pod)")
	require.NoError(t, err)
	spec.Templates[0].Retry.Backoff = &retry.Backoff{Duration: time.Hour}
	e := playedSpec(t, spec, propagate.PodFailed("wf(0)", ""))
	d := readSVG(t, draw.Of(e).SVG())
	wf, attempt := d.byName(t, "wf"), d.byName(t, "wf(0)")
	assert.True(t, wf.has("chain"), "the Retry: %s", wf.class)
	assert.Contains(t, wf.texts, "waits for timer")
	assert.False(t, attempt.has("chain"), "the attempt: %s", attempt.class)
}

// What is recorded replaces what is computed, and what is wrong replaces what is waited for.
func TestShowAndFind(t *testing.T) {
	e := played(t, "dag(a: pod(x -> y) -> b)", propagate.PodRunning("wf.a"), propagate.PodDeleted("wf.a"))
	g, p := e.Graph(), draw.Of(e)
	p.Show(g.Find("wf.a.y"), nodegraph.NodeStatus{Phase: nodegraph.PhaseRunning})
	p.Show(g.Find("wf.b"), nodegraph.NodeStatus{})
	p.Find(g.Find("wf.a.y"), "wf.a.y", "should be Error", "orphaned <container>")
	p.Find(nodegraph.None, "wf-x", "", "unknown pod")
	d := readSVG(t, p.SVG())
	var chain []string
	for _, n := range d.nodes[1:] {
		if n.has("chain") {
			chain = append(chain, n.name)
		}
	}
	assert.Equal(t, []string{"wf", "wf.a", "wf.a.y"}, chain)
	y, b := d.byName(t, "wf.a.y"), d.byName(t, "wf.b")
	assert.True(t, y.has("running"), "wf.a.y shows as %s", y.class)
	assert.True(t, b.has("planned"), "wf.b shows as %s", b.class)
	assert.Contains(t, y.texts, "should be Error")
	page, err := p.HTML()
	require.NoError(t, err)
	assert.Contains(t, string(page), `orphaned &lt;container&gt;`)
	assert.Contains(t, string(page), `<span class="name">wf-x</span>: <span class="wrong">unknown pod</span>`)
}

// A page lists what the workflow waits for, and why it is not complete.
func TestPageInWords(t *testing.T) {
	page, err := draw.Of(played(t, "dag(a -> b, s: suspend(10m))", propagate.PodRunning("wf.a"))).HTML()
	require.NoError(t, err)
	for _, want := range []string{
		`>wf.a</a>, since 2026-01-02T03:04:05Z`, `>wf.s</a>, since 2026-01-02T03:04:05Z, until 2026-01-02T03:14:05Z`,
		`>Workflow wf is Running: DAG wf has not ended</`, `>Pod wf.a is Running: its pod runs</a></li>`,
	} {
		assert.Contains(t, string(page), want)
	}
	page, err = draw.Of(played(t, "dag(a)", propagate.PodSucceeded("wf.a"))).HTML()
	require.NoError(t, err)
	assert.Contains(t, string(page), "Complete: it waits for nothing")
	assert.NotContains(t, string(page), "Why")
}

// Nothing is fetched, and nothing runs but the script of the page, which its policy names by its hash. All links lead to places
// in the page itself.
func TestPagesNeedNothing(t *testing.T) {
	page, err := draw.Of(small(t)).HTML()
	require.NoError(t, err)
	for name, text := range map[string]string{
		"page": string(page), "film": string(filmed(t, "dag(a)")), "svg": string(draw.Of(small(t)).SVG()),
	} {
		text = strings.NewReplacer("http://www.w3.org/2000/svg", "", "http://www.w3.org/1999/xhtml", "", `href="#`, "").Replace(text)
		for _, never := range []string{"http:", "https:", "src=", "href=", "@import", "url(//", "unsafe", "innerHTML", "eval("} {
			assert.NotContains(t, text, never, name)
		}
		assert.Equal(t, name != "svg", strings.Contains(text, "<script>"), "%s has a script", name)
	}
}

// hostile are names that mean something to one of the formats.
var hostile = []string{
	`<b>bold</b>`, `a&b`, `say "hi"`, "two\nlines", "it's", `back\slash`, "</script><script>alert(1)</script>", "`tick`", "end",
	`<img src=x onerror=alert(1)>`, `]] --> n0["x`, "#35;", "tab\there", "\u202eright to left", "null\x00", "bad \xff utf8",
	"日本語の名前", "</title></svg>", "{{.}}", "]]>", "<!--", "%%{init}%%", strings.Repeat("long", 200),
}

// hostileEngine is a workflow with such names, messages and conditions. What can't be the name of a task is the text of an item.
func hostileEngine(t testing.TB) *propagate.Engine {
	spec := &nodegraph.Spec{Name: `<wf> & "co"`, Namespace: "default", Entrypoint: "main", Templates: []*nodegraph.Template{
		{Name: "main", Kind: nodegraph.KindDAG}, {Name: "pod", Kind: nodegraph.KindPod},
	}}
	var events []propagate.Event
	for k, name := range hostile {
		task := nodegraph.Task{Name: name, Template: "pod", When: fmt.Sprintf(`"<%d>" == "<%d>"`, k, k)}
		node := name
		if strings.ContainsAny(name, ".()[]\n\t\x00") || !utf8.ValidString(name) || len(name) > nodegraph.MaxNameLength {
			task.Name, task.Loop = fmt.Sprintf("<%d>", k), &nodegraph.Loop{Items: []nodegraph.Item{{Text: name}}}
			node = nodegraph.ItemName(task.Name, 0, name)
		}
		spec.Templates[0].Tasks = append(spec.Templates[0].Tasks, task)
		events = append(events, propagate.PodFailed(spec.Name+"."+node, name))
	}
	return playedSpec(t, spec, events[1:]...)
}

// Names are text in every format, whatever is in them.
func TestHostileNames(t *testing.T) {
	e := hostileEngine(t)
	p := draw.Of(e)
	checkSVG(t, draw.Planned(e), p.SVG())
	checkDOT(t, draw.Planned(e), p)
	checkMermaid(t, draw.Planned(e), p.Mermaid())
	page, err := p.HTML()
	require.NoError(t, err)
	film := &draw.Film{Name: hostile[6], Description: hostile}
	film.Add(draw.Frame{Now: start, Events: hostile, Unknown: hostile, Recorded: &nodegraph.Snapshot{}}, e)
	filmPage, err := film.HTML()
	require.NoError(t, err)
	for name, text := range map[string]string{"page": string(page), "film": string(filmPage)} {
		for _, never := range []string{"<b>bold", "<script>alert", "<img", "</title></svg>"} {
			assert.NotContains(t, text, never, name)
		}
		assert.Contains(t, text, "&lt;b&gt;bold&lt;/b&gt;", name)
	}
	for name, text := range map[string]string{"page": string(page), "film": string(filmPage)} {
		assert.Equal(t, 1, strings.Count(text, "<script>"), name)
		assert.Equal(t, 2, strings.Count(text, "</script>"), "%s: that of the data, and that of the script", name)
	}
}

// Every recording that -every chooses can be drawn, its end in each format and its frames as a film; and while it is unfinished
// the chain leads to something that the workflow waits for.
func TestRecordings(t *testing.T) {
	files, err := filepath.Glob("../../testdata/recordings/[ar]*/*") // the wide ones are judged in package replay
	require.NoError(t, err)
	require.Greater(t, len(files), 200)
	for k, file := range files {
		if k%*every != 0 {
			continue
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			r, err := replay.Read(data)
			require.NoError(t, err)
			for _, mode := range []replay.Mode{replay.Free, replay.Step} {
				film, frames := &draw.Film{Name: r.Name}, []*replay.Moment{}
				var looks []map[string]string
				player := &replay.Player{Recording: r, Mode: mode}
				require.NoError(t, player.Play(func(m *replay.Moment) error {
					f := &r.Frames[m.Frame]
					film.Add(draw.Frame{Now: f.Now, Events: f.Events, Result: m.Result, Unknown: m.Unknown, Recorded: &f.Recorded}, m.Engine)
					looks, frames = append(looks, shownIn(m.Engine)), append(frames, m)
					checkChain(t, m.Engine)
					return nil
				}))
				last := frames[len(frames)-1].Engine
				p := draw.Of(last)
				checkSVG(t, draw.Planned(last), p.SVG())
				checkDOT(t, draw.Planned(last), p)
				checkMermaid(t, draw.Planned(last), p.Mermaid())
				_, err = p.HTML()
				require.NoError(t, err)
				page, err := film.HTML()
				require.NoError(t, err)
				checkFilm(t, page, looks)
			}
		})
	}
}

// checkChain checks that what is highlighted of an unfinished workflow leads to something that it waits for.
func checkChain(t *testing.T, e *propagate.Engine) {
	t.Helper()
	if e.Complete() {
		return
	}
	d := readSVG(t, draw.Of(e).SVG())
	for _, o := range e.Obligations() {
		if d.nodes[o.Node].has("chain") {
			return
		}
	}
	t.Errorf("none of %v is on the chain", e.Obligations())
}

// large is a workflow of about n nodes, all kinds of shapes in it: a wide loop, a long chain, layers, nests.
func large(t testing.TB, n int) *propagate.Engine {
	var items, chain, layers []string
	for k := range n / 4 {
		items = append(items, fmt.Sprint(k))
		chain = append(chain, fmt.Sprintf("c%d", k))
	}
	for k := range n / 16 {
		layer := fmt.Sprintf("a%d -> {b%d: pod(x -> y), d%d: retry(1, pod)} -> a%d", k, k, k, (k+7)/8+n)
		layers = append(layers, layer, fmt.Sprintf("a%d -> z", k))
	}
	e := played(t, fmt.Sprintf("big: dag(loop over [%s] -> long: dag(%s), wide: dag(%s))",
		strings.Join(items, ","), strings.Join(chain, " -> "), strings.Join(layers, ", ")), propagate.PodSucceeded("big.loop(0:0)"))
	var events []propagate.Event
	for k := range items[1:] {
		events = append(events, propagate.PodSucceeded(fmt.Sprintf("big.loop(%d:%d)", k+1, k+1)))
	}
	_, err := e.Apply(start.Add(time.Hour), events...)
	require.NoError(t, err)
	for {
		var events []propagate.Event
		for _, o := range e.Obligations() {
			if strings.HasPrefix(o.Name, "big.wide.") {
				events = append(events, propagate.PodSucceeded(o.Name))
			}
		}
		if len(events) == 0 {
			return e
		}
		_, err := e.Apply(start.Add(time.Hour), events...)
		require.NoError(t, err)
	}
}

// Large workflows can be drawn, and their pictures keep the rules of small ones.
func TestLarge(t *testing.T) {
	for _, n := range []int{300, *largest} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			e := large(t, n+n/6)
			require.GreaterOrEqual(t, e.Graph().Len(), n)
			p := draw.Of(e)
			checkSVG(t, draw.Planned(e), p.SVG())
			checkDOT(t, draw.Planned(e), p)
			checkMermaid(t, draw.Planned(e), p.Mermaid())
			_, err := p.HTML()
			require.NoError(t, err)
			checkChain(t, e)
			film := &draw.Film{Name: "large"}
			film.Add(draw.Frame{Now: start}, e)
			page, err := film.HTML()
			require.NoError(t, err)
			checkFilm(t, page, []map[string]string{shownIn(e)})
		})
	}
}

// Shapes that a layout by walks along paths would take for ever over: many layers, all arrows between neighbours.
func TestManyPaths(t *testing.T) {
	var layers []string
	for k := range 60 {
		layers = append(layers, fmt.Sprintf("{a%d, b%d, c%d}", k, k, k))
	}
	e := played(t, "dag("+strings.Join(layers, " -> ")+")")
	checkSVG(t, draw.Planned(e), draw.Of(e).SVG())
	checkDOT(t, draw.Planned(e), draw.Of(e))
}

// A film may be made of engines that were restored, whose graphs differ: nodes are told by their ids, those that only one
// frame has are absent in the others, and the order is that of the last frame that has the node.
func TestFilmOfDifferentGraphs(t *testing.T) {
	film := &draw.Film{Name: "changed"}
	var looks []map[string]string
	for _, text := range []string{"dag(a -> b -> c)", "dag(c -> a -> x)", "dag(x, c)"} {
		e := played(t, text)
		film.Add(draw.Frame{Now: start}, e)
		looks = append(looks, shownIn(e))
	}
	page, err := film.HTML()
	require.NoError(t, err)
	checkFilm(t, page, looks)
	read := readPage(t, page)
	assert.Len(t, read.Boxes, 6)
	assert.Less(t, read.columnOf(t, "wf.c"), read.columnOf(t, "wf.a"), "a was last seen after c")
	assert.Less(t, read.columnOf(t, "wf.a"), read.columnOf(t, "wf.b"), "b was last seen after a")
}

// Where the controller has recorded another phase than the library computes, the film says so.
func TestFilmComparesWithTheRecord(t *testing.T) {
	e := played(t, "dag(a)")
	recorded := e.Snapshot()
	for k := range recorded.Nodes {
		if recorded.Nodes[k].Name == "wf.a" {
			recorded.Nodes[k].Phase = nodegraph.PhaseFailed
		}
	}
	film := &draw.Film{Name: "compared"}
	film.Add(draw.Frame{Now: start, Recorded: &recorded}, e)
	page, err := film.HTML()
	require.NoError(t, err)
	assert.Equal(t, 1, strings.Count(string(page), `<span class="wrong">`))
	assert.Contains(t, string(page), `>wf.a</a>: <span class="wrong">recorded Failed, computed Pending</span>`)
}

func TestFilmWithoutFrames(t *testing.T) {
	_, err := (&draw.Film{Name: "empty"}).HTML()
	require.EqualError(t, err, `draw: film "empty" has no frames`)
}

// Boxes inside boxes, as deep as templates may be nested.
func TestDeep(t *testing.T) {
	text := "pod"
	for range 60 {
		text = "dag(n: " + text + ")"
	}
	e := played(t, text)
	checkSVG(t, draw.Planned(e), draw.Of(e).SVG())
	checkDOT(t, draw.Planned(e), draw.Of(e))
	checkMermaid(t, draw.Planned(e), draw.Of(e).Mermaid())
}
