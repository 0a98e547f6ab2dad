package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	viz "github.com/goccy/go-graphviz"

	"github.com/nodestatus/nodestatus/propagate/draw"
	"github.com/nodestatus/nodestatus/propagate/draw/browser"
)

// errLimit says that a layout took longer than it may.
var errLimit = errors.New("over the limit")

// graphviz lays a picture out with dot. It runs in a process of its own, which can be ended.
func graphviz(p *draw.Picture, _ *drawing, limit time.Duration) (*drawing, time.Duration, error) {
	text, err := p.DOT()
	if err != nil {
		return nil, 0, err
	}
	dir, err := os.MkdirTemp("", "rivals")
	if err != nil {
		return nil, 0, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "picture.dot")
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return nil, 0, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, 0, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	began := time.Now()
	plain, err := exec.CommandContext(ctx, self, "-plain", file).Output()
	took := time.Since(began)
	if ctx.Err() != nil {
		return nil, took, errLimit
	} else if err != nil {
		return nil, took, err
	}
	d, err := readPlain(string(plain))
	return d, took, err
}

// printPlain prints what Graphviz makes of a DOT file, in its format plain.
func printPlain(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	ctx := context.Background()
	g, err := viz.New(ctx)
	if err != nil {
		return err
	}
	parsed, err := viz.ParseBytes(text)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := g.Render(ctx, parsed, viz.Format("plain"), &out); err != nil {
		return err
	}
	_, err = os.Stdout.Write(out.Bytes())
	return err
}

// readPlain reads the format plain: a line for each node and arrow, in inches.
func readPlain(text string) (*drawing, error) {
	d := &drawing{}
	const dpi = 96
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		var err error
		number := func(k int) float64 {
			v := 0.0
			if _, e := fmt.Sscan(fields[k], &v); e != nil {
				err = e
			}
			return v * dpi
		}
		switch {
		case len(fields) >= 4 && fields[0] == "graph":
			d.w, d.h = number(2), number(3)
		case len(fields) >= 6 && fields[0] == "node":
			w, h := number(4), number(5)
			d.add(box{id: fields[1], x: number(2) - w/2, y: number(3) - h/2, w: w, h: h})
		case len(fields) >= 6 && fields[0] == "edge":
			points := []point{{number(4), number(5)}}
			for k := 6; k+5 < len(fields) && isNumber(fields[k+5]); k += 6 {
				points = bezier(points, point{number(k), number(k + 1)}, point{number(k + 2), number(k + 3)}, point{number(k + 4), number(k + 5)})
			}
			d.arrows = append(d.arrows, path{fields[1], fields[2], points})
		}
		if err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
	}
	return d, nil
}

func isNumber(s string) bool {
	v := 0.0
	_, err := fmt.Sscan(s, &v)
	return err == nil
}

// laidOut is what the scripts below return.
type laidOut struct {
	W, H, Millis float64
	Boxes        []struct {
		ID         string
		X, Y, W, H float64
	}
	Arrows []struct {
		From, To string
		Points   [][2]float64
	}
}

// dagre can't join boxes that hold others: its arrows end at a box inside of them.
func dagre(_ *draw.Picture, ours *drawing, limit time.Duration) (*drawing, time.Duration, error) {
	return inBrowser(ours, limit, "@dagrejs/dagre@3.1.3", "dist/dagre.min.js", `
		const dagre = window.dagre, g = new dagre.graphlib.Graph({compound: true, multigraph: true});
		g.setGraph({rankdir: "LR", ranksep: 44, nodesep: 12, edgesep: 8}).setDefaultEdgeLabel(() => ({}));
		const first = {};
		for (const b of input.Boxes) g.setNode(b.ID, b.Holds ? {} : {width: b.W, height: b.H});
		for (const b of input.Boxes) if (b.Parent) { g.setParent(b.ID, b.Parent); first[b.Parent] ??= b.ID; }
		const leaf = (id) => { while (first[id]) id = first[id]; return id; };
		input.Arrows.forEach((a, k) => g.setEdge(leaf(a.From), leaf(a.To), {}, String(k)));
		dagre.layout(g);
		const {width: W, height: H} = g.graph();
		return {W, H,
			Boxes: g.nodes().map((id) => { const n = g.node(id); return {ID: id, X: n.x - n.width / 2, Y: n.y - n.height / 2, W: n.width, H: n.height}; }),
			Arrows: g.edges().map((e) => ({From: e.v, To: e.w, Points: g.edge(e).points.map((p) => [p.x, p.y])}))};`)
}

// elk is ELK's algorithm layered, through all levels at once, with straight parts.
func elk(_ *draw.Picture, ours *drawing, limit time.Duration) (*drawing, time.Duration, error) {
	return inBrowser(ours, limit, "elkjs@0.12.1", "lib/elk.bundled.js", `
		const nodes = {}, root = {id: "root", children: [], edges: [], layoutOptions: {"elk.algorithm": "layered", "elk.direction": "RIGHT",
			"elk.hierarchyHandling": "INCLUDE_CHILDREN", "elk.edgeRouting": "POLYLINE", "elk.json.edgeCoords": "ROOT"}};
		for (const b of input.Boxes) {
			const n = nodes[b.ID] = {id: b.ID, width: b.W, height: b.H, children: []};
			(b.Parent ? nodes[b.Parent] : root).children.push(n);
		}
		input.Arrows.forEach((a, k) => root.edges.push({id: "e" + k, sources: [a.From], targets: [a.To]}));
		const out = await new ELK().layout(root), boxes = [];
		const visit = (n, x, y) => { for (const c of n.children ?? []) {
			boxes.push({ID: c.id, X: x + c.x, Y: y + c.y, W: c.width, H: c.height}); visit(c, x + c.x, y + c.y); } };
		visit(out, 0, 0);
		return {W: out.width, H: out.height, Boxes: boxes, Arrows: out.edges.map((e) => ({From: e.sources[0], To: e.targets[0],
			Points: (e.sections ?? []).flatMap((s) => [s.startPoint, ...(s.bendPoints ?? []), s.endPoint]).map((p) => [p.x, p.y])}))};`)
}

// inBrowser lays out the boxes and arrows of our drawing, with their sizes, by a script of an npm package.
func inBrowser(ours *drawing, limit time.Duration, pkg, file, script string) (*drawing, time.Duration, error) {
	library, err := browser.Script(pkg, file)
	if err != nil {
		return nil, 0, err
	}
	b, err := browser.Start()
	if err != nil {
		return nil, 0, err
	}
	defer b.Stop()
	var out laidOut
	blank := filepath.Join(os.TempDir(), "rivals-blank.html")
	if err := os.WriteFile(blank, []byte("<!DOCTYPE html>"), 0o644); err != nil {
		return nil, 0, err
	}
	err = b.Open(blank, "", browser.View{Width: 800, Height: 600}, func(p *browser.Page) error {
		if err := p.Eval(library+"\n;0", nil); err != nil {
			return err
		}
		done := make(chan error, 1)
		go func() {
			done <- p.Eval(`(async () => { const input = `+input(ours)+`, began = performance.now(); const out = await (async () => {`+script+
				`})(); out.Millis = performance.now() - began; return out; })()`, &out)
		}()
		select {
		case err := <-done:
			return err
		case <-time.After(limit):
			b.Stop()
			return errLimit
		}
	})
	if err != nil {
		return nil, 0, err
	}
	d := &drawing{w: out.W, h: out.H}
	for _, o := range out.Boxes {
		like := ours.boxes[ours.at[o.ID]]
		d.add(box{id: o.ID, parent: like.parent, holds: like.holds, x: o.X, y: o.Y, w: o.W, h: o.H})
	}
	for _, a := range out.Arrows {
		p := path{from: a.From, to: a.To}
		for _, at := range a.Points {
			p.points = append(p.points, point{at[0], at[1]})
		}
		d.arrows = append(d.arrows, p)
	}
	return d, time.Duration(out.Millis * float64(time.Millisecond)), nil
}

// input is a drawing as the scripts read it.
func input(d *drawing) string {
	var in struct{ Boxes, Arrows []map[string]any }
	for _, b := range d.boxes {
		in.Boxes = append(in.Boxes, map[string]any{"ID": b.id, "Parent": b.parent, "Holds": b.holds, "W": b.w, "H": b.h})
	}
	for _, a := range d.arrows {
		in.Arrows = append(in.Arrows, map[string]any{"From": a.from, "To": a.to})
	}
	text, _ := json.Marshal(in) // texts and numbers
	return string(text)
}
