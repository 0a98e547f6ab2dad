package browser

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/draw"
)

const layered = `wf: dag(a -> b -> c -> d, a -> d, e -> c, e -> d, x: dag(p -> q -> r, p -> r), x -> d, y: steps(k | l, m | n), a -> y)`

// The script finds the places that package draw finds: what the page shows is what the SVG shows.
func TestPagePlacesAsSVGDoes(t *testing.T) {
	for _, text := range []string{"wf: dag(a)", layered, "wf: dag(a -> l: retry(1, pod(x -> y)) over [1, 2, 3, 4, 5] -> z, a -> z)"} {
		e := played(t, text)
		svg := string(draw.Of(e).SVG())
		visit(t, pageOf(t, e), "", desktop, func(p *Page) {
			require.NoError(t, p.Eval(`for (const b of boxes) b.Closed = false; draw(); 0`, nil))
			places := value[[]string](t, p, `drawn.shown.map((b) => 'x="' + b.x + '" y="' + b.y + '" width="' + b.w + '" height="' + b.h + '"')`)
			assert.Len(t, places, strings.Count(svg, `class="node`), text)
			for _, place := range places {
				assert.Contains(t, svg, "<rect "+place, text)
			}
			for _, d := range value[[]string](t, p, `drawn.routes.map((r) => r.d)`) {
				assert.Contains(t, svg, `d="`+d+`"`, text)
			}
		})
	}
}

// A link to a node leads to its details, wherever the node is hidden; without such a node that is said.
func TestDeepLinks(t *testing.T) {
	e := small(t)
	g := e.Graph()
	page := pageOf(t, e)
	id := g.Node(g.Find("nightly.build.compile")).ID()
	visit(t, page, "node="+id, desktop, func(p *Page) {
		assert.Equal(t, "nightly.build.compile", value[string](t, p, `document.querySelector("#details h2").textContent`))
		assert.True(t, value[bool](t, p, `document.activeElement.box === selected && selected.shown`), "it is shown and has the focus")
		require.NoError(t, p.Click("#details .close"))
		assert.Equal(t, "", value[string](t, p, `location.hash`), "the address forgets it")
	})
	visit(t, page, "node=none", desktop, func(p *Page) {
		assert.Equal(t, "no such node is in the picture", value[string](t, p, `byId("live").textContent`))
	})
}

// Keys move through the graph, open and close, and show a node.
func TestKeyboard(t *testing.T) {
	visit(t, pageOf(t, small(t)), "", desktop, func(p *Page) {
		focused := func() string { return value[string](t, p, `document.activeElement.box?.Name ?? ""`) }
		require.NoError(t, p.Eval(`focus(boxes[1]); 0`, nil))
		assert.Equal(t, "nightly", focused())
		require.NoError(t, p.Press(kb.ArrowRight))
		assert.Equal(t, "nightly.fetch", focused(), "right leads into an open box")
		require.NoError(t, p.Press(kb.ArrowRight))
		assert.Equal(t, "nightly.build", focused(), "and to what comes after")
		require.NoError(t, p.Press(kb.ArrowLeft))
		assert.Equal(t, "nightly.build", focused())
		assert.Equal(t, "false", value[string](t, p, `document.activeElement.getAttribute("aria-expanded")`), "left closes it")
		require.NoError(t, p.Press("\r"))
		assert.Equal(t, "nightly.build", value[string](t, p, `document.querySelector("#details h2").textContent`))
		require.NoError(t, p.Press("/"))
		assert.Equal(t, "query", value[string](t, p, `document.activeElement.id`))
	})
}

// Search finds names and messages and goes from hit to hit; a phase that is put out is dimmed.
func TestSearchAndFilter(t *testing.T) {
	visit(t, pageOf(t, small(t)), "", desktop, func(p *Page) {
		require.NoError(t, p.Eval(`query.focus(); 0`, nil))
		require.NoError(t, p.Press("pod deleted"))
		assert.Equal(t, "1 of", value[string](t, p, `byId("hits").textContent.slice(0, 4)`))
		require.NoError(t, p.Press("\r"))
		assert.Equal(t, "nightly.test(0)", value[string](t, p, `selected.Name`))
		require.NoError(t, p.Click(`.chip[data-phase=succeeded]`))
		dim := value[[]string](t, p, `[...document.querySelectorAll(".node.dim")].map((e) => e.box.state.Phase)`)
		assert.NotEmpty(t, dim)
		for _, phase := range dim {
			assert.Equal(t, "succeeded", phase)
		}
	})
}

// The film counts its frames from one, marks what changed, and writes the frame into the address.
func TestFrames(t *testing.T) {
	visit(t, run(t), "frame=3", desktop, func(p *Page) {
		assert.Equal(t, "3 of 7", value[string](t, p, `byId("at").textContent`))
		assert.Equal(t, []string{"frame3"}, value[[]string](t, p, `[...document.querySelectorAll(".frame:not([hidden])")].map((e) => e.id)`))
		changed := value[[]string](t, p, `[...document.querySelectorAll(".changed")].map((e) => e.box.Name)`)
		assert.Contains(t, changed, "wf.a", "it has succeeded")
		assert.NotContains(t, changed, "wf.c", "nothing happened to it")
		require.NoError(t, p.Press("."))
		assert.Equal(t, "#frame=4", value[string](t, p, `location.hash`))
		require.NoError(t, p.Click("#to-time"))
		assert.True(t, value[bool](t, p, `document.querySelectorAll("#times .bar").length > 3`), "the times have bars")
		assert.Equal(t, 1, value[int](t, p, `document.querySelectorAll("#times .now").length`))
	})
}

// Two fingers that part zoom in, around the point between them.
func TestPinch(t *testing.T) {
	visit(t, pageOf(t, small(t)), "", View{Width: 390, Height: 844, Mobile: true}, func(p *Page) {
		scales := value[[]float64](t, p, `(() => {
			const at = (kind, id, x, y) => graph.dispatchEvent(new PointerEvent(kind, {pointerId: id, pointerType: "touch", clientX: x, clientY: y, bubbles: true}));
			const before = view.scale;
			at("pointerdown", 1, 150, 300); at("pointerdown", 2, 200, 300);
			at("pointermove", 1, 125, 300); at("pointermove", 2, 225, 300);
			const wide = view.scale;
			at("pointerup", 2, 225, 300); at("pointerup", 1, 125, 300);
			at("pointermove", 1, 10, 10);
			return [before, wide, view.scale];
		})()`)
		assert.InDelta(t, 2, scales[1]/scales[0], 0.001, "the fingers are twice as far apart")
		assert.Equal(t, scales[1], scales[2], "nobody touches it any more")
	})
}

// contrast is the least contrast of a text with the box that it is in, and that text.
const contrast = `(() => {
	const rgb = (s) => s.match(/[\d.]+/g).map(Number), over = (a, b, o) => a.map((v, k) => v * o + b[k] * (1 - o)).slice(0, 3);
	const light = (c) => c.slice(0, 3).map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((n, v, k) => n + v * [0.2126, 0.7152, 0.0722][k], 0);
	let least = [99, ""];
	for (const b of drawn.shown) {
		if (!b.written) continue;
		let back = rgb(getComputedStyle(graph).backgroundColor), around = [];
		for (let p = b; p; p = boxes[p.Parent]) around.unshift(p);
		for (const p of around) {
			const s = getComputedStyle(p.element.querySelector("rect"));
			back = over(rgb(s.fill), back, Number(s.fillOpacity));
		}
		for (const e of b.written) {
			const ink = light(rgb(getComputedStyle(e).fill)), paper = light(back), ratio = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
			if (ratio < least[0]) least = [ratio, e.textContent + " in " + b.Label];
		}
	}
	return {Ratio: least[0], Text: least[1]};
})()`

// Texts in the graph can be read in all colours: axe-core does not look into SVG.
func TestTextsStandOut(t *testing.T) {
	for name, page := range map[string][]byte{"picture": pageOf(t, small(t)), "film": run(t)} {
		for _, v := range []View{{}, {Dark: true}, {Forced: true}, {Dark: true, Forced: true}} {
			v.Width, v.Height = 1280, 800
			t.Run(fmt.Sprintf("%s %+v", name, v), func(t *testing.T) {
				visit(t, page, "", v, func(p *Page) {
					least := value[struct {
						Ratio float64
						Text  string
					}](t, p, contrast)
					t.Logf("%.1f: %s", least.Ratio, least.Text)
					assert.Greater(t, least.Ratio, 4.5, least.Text)
				})
			})
		}
	}
}

// A large workflow is drawn within a second, whether it is all open or, because it is larger, folded.
func TestLargePages(t *testing.T) {
	for _, n := range []int{300, 3000, 20_000} {
		var tasks []string
		for k := range n / 10 {
			tasks = append(tasks, fmt.Sprintf("t%d", k))
			if k >= 8 {
				tasks = append(tasks, fmt.Sprintf("t%d -> t%d", k-8+k%3, k))
			}
		}
		items := make([]string, n-n/10)
		for k := range items {
			items[k] = strconv.Itoa(k)
		}
		e := played(t, "wf: dag("+strings.Join(tasks, ", ")+", loop over ["+strings.Join(items, ",")+"])", propagate.PodSucceeded("wf.loop(0:0)"))
		page := pageOf(t, e)
		visit(t, page, "", desktop, func(p *Page) {
			visible := value[int](t, p, `drawn.shown.length`)
			assert.LessOrEqual(t, visible, 4000, "boxes that are drawn of %d nodes", n)
			took := value[float64](t, p, `performance.getEntriesByType("navigation")[0].domComplete`)
			again := value[float64](t, p, `(() => { const t = performance.now(); draw(); graph.getBoundingClientRect(); return performance.now() - t; })()`)
			t.Logf("%d nodes: %d drawn, page of %d kB, complete after %.0f ms, drawn again in %.0f ms", n, visible, len(page)/1000, took, again)
		})
	}
}

// accessible reports what axe-core finds in a page that is serious or worse.
func accessible(t *testing.T, p *Page) []string {
	t.Helper()
	axe, err := Script("axe-core@4.14.1", "axe.min.js")
	if err != nil {
		t.Skip(err)
	}
	require.NoError(t, p.Eval(axe+"\n;0", nil))
	var found []struct {
		ID, Impact, Help string
		Nodes            []struct{ HTML string }
	}
	text := value[string](t, p, `axe.run().then((r) => JSON.stringify(r.violations))`)
	require.NoError(t, json.Unmarshal([]byte(text), &found))
	var list []string
	for _, f := range found {
		if f.Impact == "serious" || f.Impact == "critical" {
			list = append(list, fmt.Sprintf("%s %s: %s, as in %s", f.Impact, f.ID, f.Help, f.Nodes[0].HTML))
		} else {
			t.Logf("%s %s: %s", f.Impact, f.ID, f.Help)
		}
	}
	return list
}

// Nothing in a page keeps somebody out.
func TestAccessible(t *testing.T) {
	pages := map[string][]byte{"picture": pageOf(t, small(t)), "film": run(t)}
	for name, page := range pages {
		for _, v := range []View{desktop, {Width: 1280, Height: 800, Dark: true}, {Width: 390, Height: 844, Mobile: true}} {
			t.Run(fmt.Sprintf("%s %+v", name, v), func(t *testing.T) {
				visit(t, page, "", v, func(p *Page) {
					require.NoError(t, p.Eval(`select(boxes.at(-1)); 0`, nil))
					assert.Empty(t, accessible(t, p), "the graph")
					require.NoError(t, p.Eval(`turn(true); 0`, nil))
					assert.Empty(t, accessible(t, p), "the times")
				})
			})
		}
	}
}
