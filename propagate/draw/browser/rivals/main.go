// Command rivals lays workflows out with package draw, Graphviz, dagre and ELK, and prints one table: how many pairs of arrows
// cross that share no end, how many arrows go through a box, how large the picture is, and how long it took. Graphviz runs as
// WebAssembly in this process, dagre and ELK run in Chromium.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/draw"
)

// shapes are workflows of about n nodes: tasks that skip layers; a loop under retries with a task before and one after it;
// retried sets of containers, one after the other.
var shapes = []struct {
	name string
	text func(n int) string
}{
	{"skip", skip},
	{"fan", func(n int) string {
		items := make([]string, (n-4)/2)
		for k := range items {
			items[k] = fmt.Sprint(k)
		}
		return "w: dag(prepare -> shard: retry(2, pod) over [" + strings.Join(items, ",") + "] -> merge -> publish, prepare -> publish)"
	}},
	{"sets", func(n int) string {
		sets := make([]string, n/6)
		for k := range sets {
			sets[k] = fmt.Sprintf("s%d: retry(1, pod(a -> {b, c} -> main))", k)
			if k > 2 {
				sets[k] = fmt.Sprintf("s%d -> %s", k-3+k%2, sets[k])
			}
		}
		return "w: dag(" + strings.Join(sets, ", ") + ")"
	}},
}

// skip is layers of tasks, each after some of the 24 tasks before its layer, most of which are in the layer before it.
func skip(n int) string {
	width, seed := max(4, n/40), uint32(1)
	random := func(most int) int {
		seed = seed*1664525 + 1013904223
		return int(seed>>8) % most
	}
	var arrows []string
	for k := range n {
		for range 1 + random(3) {
			if first := k / width * width; first > 0 {
				arrows = append(arrows, fmt.Sprintf("t%d -> t%d", first-1-random(min(first, width+random(2*width))), k))
			}
		}
		arrows = append(arrows, fmt.Sprintf("t%d", k))
	}
	return "w: dag(" + strings.Join(arrows, ", ") + ")"
}

func main() {
	limit := flag.Duration("limit", 30*time.Second, "how long one layout may take")
	sizes := flag.String("sizes", "30,300,3000", "numbers of nodes")
	plain := flag.String("plain", "", "lay this DOT file out with Graphviz and print it in the format plain")
	flag.Parse()
	err := error(nil)
	if *plain != "" {
		err = printPlain(*plain)
	} else {
		err = table(strings.Split(*sizes, ","), *limit)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// table prints a line for each layout of each workflow.
func table(sizes []string, limit time.Duration) error {
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	defer out.Flush()
	fmt.Fprintln(out, "workflow\tnodes\tarrows\tlayout\tcross\tthrough boxes\tmegapixels\ttime")
	for _, shape := range shapes {
		for _, size := range sizes {
			n := 0
			if _, err := fmt.Sscan(size, &n); err != nil {
				return err
			}
			picture, nodes, err := pictureOf(shape.text(n))
			if err != nil {
				return fmt.Errorf("%s of %d: %w", shape.name, n, err)
			}
			if err := compare(out, fmt.Sprintf("%s\t%d", shape.name, nodes), picture, limit); err != nil {
				return err
			}
		}
	}
	return nil
}

// compare prints the line of each layout.
func compare(out *tabwriter.Writer, name string, p *draw.Picture, limit time.Duration) error {
	began := time.Now()
	svg := p.SVG()
	took := time.Since(began)
	ours, err := read(svg)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s\t%d\tdraw\t%s\t%v\n", name, len(ours.arrows), ours, took.Round(time.Millisecond))
	for _, rival := range []struct {
		name   string
		layOut func(*draw.Picture, *drawing, time.Duration) (*drawing, time.Duration, error)
	}{{"Graphviz dot", graphviz}, {"dagre", dagre}, {"ELK layered", elk}} {
		d, took, err := rival.layOut(p, ours, limit)
		switch {
		case errors.Is(err, errLimit):
			fmt.Fprintf(out, "%s\t%d\t%s\t\t\t\tmore than %v\n", name, len(ours.arrows), rival.name, limit)
		case err != nil:
			fmt.Fprintf(out, "%s\t%d\t%s\t\t\t\t%.80s\n", name, len(ours.arrows), rival.name, strings.ReplaceAll(err.Error(), "\n", " "))
		default:
			fmt.Fprintf(out, "%s\t%d\t%s\t%s\t%v\n", name, len(ours.arrows), rival.name, d, took.Round(time.Millisecond))
		}
	}
	return nil
}

// pictureOf is the picture of a workflow that has just begun, with its first attempts.
func pictureOf(text string) (*draw.Picture, int, error) {
	spec, err := nodegraph.Parse(text)
	if err != nil {
		return nil, 0, err
	}
	e, err := propagate.New(spec)
	if err != nil {
		return nil, 0, err
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	r, err := e.Apply(now)
	for err == nil { // all pods at the front succeed at once, until there are none
		var events []propagate.Event
		for k := range r.Actions {
			if a := &r.Actions[k]; a.Type == propagate.ActionStart && a.Kind == nodegraph.KindPod {
				events = append(events, propagate.PodSucceeded(a.Name))
			}
		}
		if len(events) == 0 {
			break
		}
		r, err = e.Apply(now, events...)
	}
	if err != nil {
		return nil, 0, err
	}
	return draw.Of(e), e.Graph().Len(), nil
}
