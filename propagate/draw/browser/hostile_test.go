package browser

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	viz "github.com/goccy/go-graphviz"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/draw"
)

// hostile are texts that would do something if any of the formats took them for more than text: run sets window.ran.
var hostile = []string{
	`<script>window.ran=1</script>`, `<img src=x onerror="window.ran=1">`, `"><svg onload=window.ran=1>`, `</script><script>window.ran=1</script>`,
	`</title></svg><script>window.ran=1</script>`, `javascript:window.ran=1`, "<b>bold</b>", `]]><script>window.ran=1</script>`, "`${window.ran=1}`",
	`"]; click n2 call alert(1)`, `%%{init: {"securityLevel": "loose"}}%%`, `<a href="javascript:window.ran=1">here</a>`, `\" onmouseover=\"window.ran=1`,
	"two\nlines", "{{.}}", "#quot;<img src=x onerror=window.ran=1>#quot;", "&lt;script&gt;window.ran=1&lt;/script&gt;", "<!--", "\u202eright to left",
}

// hostileEngine is a workflow with such names of items, messages and conditions.
func hostileEngine(t *testing.T) *propagate.Engine {
	t.Helper()
	spec := &nodegraph.Spec{Name: `<img src=x onerror="window.ran=1">`, Namespace: "default", Entrypoint: "main", Templates: []*nodegraph.Template{
		{Name: "main", Kind: nodegraph.KindDAG}, {Name: "pod", Kind: nodegraph.KindPod},
	}}
	loop := nodegraph.Task{Name: "loop", Template: "pod", Loop: &nodegraph.Loop{}}
	for _, text := range hostile {
		loop.Loop.Items = append(loop.Loop.Items, nodegraph.Item{Text: text})
	}
	spec.Templates[0].Tasks = []nodegraph.Task{loop}
	e, err := propagate.New(spec)
	require.NoError(t, err)
	_, err = e.Apply(start)
	require.NoError(t, err)
	for k, text := range hostile {
		_, err = e.Apply(start.Add(time.Minute), propagate.PodFailed(spec.Name+"."+nodegraph.ItemName("loop", k, text), text))
		require.NoError(t, err)
	}
	return e
}

// harmless checks that a page shows such texts as texts: nothing ran, and no element of theirs is there.
func harmless(t *testing.T, p *Page, shows string) {
	t.Helper()
	time.Sleep(200 * time.Millisecond) // an image that can't be loaded says so later
	assert.Equal(t, "undefined", value[string](t, p, `typeof window.ran`), "something ran")
	assert.Zero(t, value[int](t, p, `document.querySelectorAll("img, b b, iframe, object, embed, [onerror], [onload], [onmouseover], a[href^=javascript]").length`))
	assert.Contains(t, value[string](t, p, `document.documentElement.textContent`), shows, "the text is to be seen")
}

// open opens a file, in which errors may be told, as of scripts that a policy stopped.
func openFile(t *testing.T, name string, text []byte, do func(p *Page)) {
	t.Helper()
	if chromium == nil {
		t.Skip(ErrNoBrowser)
	}
	file := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(file, text, 0o644))
	require.NoError(t, chromium.Open(file, "", desktop, func(p *Page) error { do(p); return nil }))
}

// Hostile names run nothing in any format, shown by a browser.
func TestHostileNames(t *testing.T) {
	e := hostileEngine(t)
	picture := draw.Of(e)
	t.Run("page", func(t *testing.T) {
		visit(t, pageOf(t, e), "", desktop, func(p *Page) {
			require.NoError(t, p.Eval(`for (const b of boxes) { b.Closed = false; } draw(); for (const b of boxes) select(b); turn(true); 0`, nil))
			harmless(t, p, "<script>window.ran=1</script>")
		})
	})
	t.Run("film", func(t *testing.T) {
		film := &draw.Film{Name: hostile[1], Description: hostile}
		film.Add(draw.Frame{Now: start, Events: hostile, Unknown: hostile, Recorded: &nodegraph.Snapshot{}}, e)
		film.Add(draw.Frame{Now: start, Events: hostile, Unknown: hostile}, e)
		page, err := film.HTML()
		require.NoError(t, err)
		visit(t, page, "frame=2&node=<img src=x onerror=window.ran=1>", desktop, func(p *Page) { harmless(t, p, "<script>window.ran=1</script>") })
	})
	t.Run("svg", func(t *testing.T) {
		openFile(t, "picture.svg", picture.SVG(), func(p *Page) { harmless(t, p, "<script>window.ran=1</script>") })
	})
	t.Run("dot", func(t *testing.T) {
		text, err := picture.DOT()
		require.NoError(t, err)
		openFile(t, "graphviz.svg", rendered(t, text), func(p *Page) { harmless(t, p, "window.ran=1") })
	})
	t.Run("mermaid", func(t *testing.T) {
		mermaid, err := Script("mermaid@11.17.2", "dist/mermaid.min.js")
		if err != nil {
			t.Skip(err)
		}
		openFile(t, "mermaid.html", []byte("<!DOCTYPE html><title>x</title><body></body>"), func(p *Page) {
			require.NoError(t, p.Eval(mermaid+"\n;0", nil))
			text := picture.Mermaid()
			shown := value[string](t, p, fmt.Sprintf(`(async () => {
				mermaid.initialize({startOnLoad: false, securityLevel: "loose"});
				document.body.innerHTML = (await mermaid.render("it", %q)).svg;
				return document.body.textContent;
			})()`, text))
			assert.Contains(t, shown, "window.ran=1", "Mermaid has drawn it")
			harmless(t, p, "window.ran=1")
		})
	})
}

// rendered is a DOT text as Graphviz draws it.
func rendered(t *testing.T, text []byte) []byte {
	t.Helper()
	ctx := context.Background()
	g, err := viz.New(ctx)
	require.NoError(t, err)
	parsed, err := viz.ParseBytes(text)
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, g.Render(ctx, parsed, viz.SVG, &out))
	return out.Bytes()
}

// Mermaid takes large workflows: what is too much for its limits is folded.
func TestMermaidTakesLargeWorkflows(t *testing.T) {
	if chromium == nil {
		t.Skip(ErrNoBrowser)
	}
	mermaid, err := Script("mermaid@11.17.2", "dist/mermaid.min.js")
	if err != nil {
		t.Skip(err)
	}
	var tasks []string
	for k := range 1500 {
		tasks = append(tasks, fmt.Sprintf("t%d", k))
		if k >= 40 {
			tasks = append(tasks, fmt.Sprintf("t%d -> t%d", k-40+k%3, k), fmt.Sprintf("t%d -> t%d", k-40+k%7, k))
		}
	}
	text := draw.Of(played(t, "wf: dag("+strings.Join(tasks, ", ")+")", propagate.PodSucceeded("wf.t0"))).Mermaid()
	openFile(t, "mermaid.html", []byte("<!DOCTYPE html><title>x</title><body></body>"), func(p *Page) {
		require.NoError(t, p.Eval(mermaid+"\n;0", nil))
		shown := value[string](t, p, fmt.Sprintf(`(async () => {
			mermaid.initialize({startOnLoad: false});
			document.body.innerHTML = (await mermaid.render("it", %q)).svg;
			return document.body.textContent;
		})()`, text))
		assert.Contains(t, shown, "not created")
		assert.NotContains(t, shown, "Maximum text size", "it is refused")
	})
}
