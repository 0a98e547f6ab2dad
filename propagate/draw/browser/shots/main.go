// Command shots takes screenshots of the pages that the program nodestatus writes, to be looked at. Without files it takes a set
// that shows what pages must show; it runs in the folder of package browser. A file may be a page or a picture, FILE or FILE#FRAGMENT.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/draw"
	"github.com/nodestatus/nodestatus/propagate/draw/browser"
)

// A shot is a page and how it is looked at.
type shot struct {
	name     string
	page     func() ([]byte, error)
	fragment string
	script   string // run before it is taken
	view     browser.View
}

const (
	top        = "../../../"
	recordings = top + "testdata/recordings/argo-4.1/"
	retried    = recordings + "retry-backoff.json"
	film       = recordings + "containerset-evicted-retried.json"
)

var (
	desktop = browser.View{Width: 1400, Height: 860}
	dark    = browser.View{Width: 1400, Height: 860, Dark: true}
	mobile  = browser.View{Width: 390, Height: 844, Mobile: true}
)

var shots = []shot{
	{"hanging", nodestatus("graph", "-o", "html", top+"examples/nodestatus/samples/forgotten.yaml"), "", "", desktop},
	{"failed", recorded(recordings + "containerset-diamond-pod-deleted.json"), "", "", desktop},
	{"evicted-retried", recorded(film), "", "", desktop},
	{"loop-300", synthetic(loop(300), 40), "", "", desktop},
	{"loop-300-open", synthetic(loop(300), 40), "", "for (const b of boxes) b.Closed = false; draw(); fit(); 0", desktop},
	{"nodes-3000", synthetic(layers(3000), 900), "", "", desktop},
	{"nodes-3000-fit", synthetic(layers(3000), 900), "", "fit(); 0", desktop},
	{"planned", nodestatus("graph", "-o", "html", top+"examples/nodestatus/samples/nightly.yaml"), "", "", desktop},
	{"dark", recorded(film), "", "select(boxes.find((b) => /culprit/.test(b.state.Class))); 0", dark},
	{"mobile", recorded(film), "", "", mobile},
	{"times", release, "frame=99", "turn(true); 0", desktop},
	{"times-8", release, "frame=8", "turn(true); 0", desktop},
	{"release-8", release, "frame=8", "", desktop},
	{"recorded-times", nodestatus("replay", "-mode", "free", "-o", "html", retried), "frame=99", "turn(true); 0", dark},
	{"film-5", nodestatus("replay", "-mode", "free", "-o", "html", film), "frame=5", "", desktop},
	{"film-6", nodestatus("replay", "-mode", "free", "-o", "html", film), "frame=6", "", desktop},
}

func main() {
	dir := flag.String("o", ".", "folder for the screenshots; it is made if there is none")
	only := flag.String("only", "", "take this one of the set")
	flag.Parse()
	list := shots
	if flag.NArg() > 0 {
		list = nil
	}
	for _, arg := range flag.Args() {
		file, fragment, _ := strings.Cut(arg, "#")
		name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
		list = append(list, shot{name, func() ([]byte, error) { return os.ReadFile(file) }, fragment, "", desktop})
	}
	if err := take(list, *dir, *only); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func take(list []shot, dir, only string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	b, err := browser.Start()
	if err != nil {
		return err
	}
	defer b.Stop()
	pages, err := os.MkdirTemp("", "shots")
	if err != nil {
		return err
	}
	defer os.RemoveAll(pages)
	for _, s := range list {
		if only != "" && s.name != only {
			continue
		}
		if err := s.take(b, pages, dir); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// take takes one screenshot, and prints how much there is to see and how long a processor was busy with it.
func (s *shot) take(b *browser.Browser, pages, dir string) error {
	page, err := s.page()
	if err != nil {
		return err
	}
	file := filepath.Join(pages, s.name+".html")
	if err := os.WriteFile(file, page, 0o644); err != nil {
		return err
	}
	return b.Open(file, s.fragment, s.view, func(p *browser.Page) error {
		busy, scripts, err := p.Busy()
		if err != nil {
			return err
		}
		if s.script != "" {
			if err := p.Eval(s.script, nil); err != nil {
				return err
			}
		}
		png, err := p.Screenshot()
		if err != nil {
			return err
		}
		fmt.Printf("%s.png: page of %d kB, a processor was busy for %v, with scripts for %v\n", s.name, len(page)/1000,
			busy.Round(time.Millisecond), scripts.Round(time.Millisecond))
		for _, said := range p.Said {
			fmt.Println("  it said", said)
		}
		return os.WriteFile(filepath.Join(dir, s.name+".png"), png, 0o644)
	})
}

// nodestatus is what the program writes.
func nodestatus(args ...string) func() ([]byte, error) {
	return func() ([]byte, error) {
		for k, arg := range args { // go run -C changes the folder
			if strings.Contains(arg, "/") {
				absolute, err := filepath.Abs(arg)
				if err != nil {
					return nil, err
				}
				args[k] = absolute
			}
		}
		command := exec.Command("go", append([]string{"run", "-C", top, "./examples/nodestatus"}, args...)...)
		command.Stderr = os.Stderr
		return command.Output()
	}
}

// recorded is the page of a workflow as it stood at the end of a recording.
func recorded(file string) func() ([]byte, error) {
	return func() ([]byte, error) {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var r struct {
			Workflow map[string]any
			Frames   []struct{ Status any }
		}
		if err := json.Unmarshal(text, &r); err != nil {
			return nil, err
		}
		r.Workflow["status"] = r.Frames[len(r.Frames)-1].Status
		if text, err = json.Marshal(r.Workflow); err != nil {
			return nil, err
		}
		workflow := filepath.Join(os.TempDir(), "shots-workflow.json")
		if err := os.WriteFile(workflow, text, 0o644); err != nil {
			return nil, err
		}
		defer os.Remove(workflow)
		return nodestatus("graph", "-o", "html", workflow)()
	}
}

// synthetic is the page of a workflow in which so many pods have ended, some of them badly, and others run.
func synthetic(text string, ended int) func() ([]byte, error) {
	return func() ([]byte, error) {
		spec, err := nodegraph.Parse(text)
		if err != nil {
			return nil, err
		}
		e, err := propagate.New(spec)
		if err != nil {
			return nil, err
		}
		now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		r, err := e.Apply(now)
		for ended > 0 && err == nil {
			var events []propagate.Event
			for k := range r.Actions {
				if a := &r.Actions[k]; a.Type == propagate.ActionStart && a.Kind == nodegraph.KindPod && ended > 0 {
					ended--
					events = append(events, propagate.PodSucceeded(a.Name))
				}
			}
			if len(events) == 0 {
				break
			}
			now = now.Add(3 * time.Minute)
			r, err = e.Apply(now, events...)
		}
		if err != nil {
			return nil, err
		}
		return draw.Of(e).HTML()
	}
}

// loop is a loop between two tasks.
func loop(n int) string {
	items := make([]string, n)
	for k := range items {
		items[k] = strconv.Itoa(k)
	}
	return "crunch: dag(prepare -> shard: retry(2, pod) over [" + strings.Join(items, ",") + "] -> merge -> publish, prepare -> publish)"
}

// layers is tasks in layers, each after two of the layer before.
func layers(n int) string {
	var arrows []string
	width := n / 40
	for k := range n {
		arrows = append(arrows, fmt.Sprintf("t%d", k))
		if k >= width {
			layer := (k/width - 1) * width
			arrows = append(arrows, fmt.Sprintf("t%d -> t%d", layer+k%width, k), fmt.Sprintf("t%d -> t%d", layer+(k+1)%width, k))
		}
	}
	return "etl: dag(" + strings.Join(arrows, ", ") + ")"
}
