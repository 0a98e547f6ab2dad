package main

import (
	"encoding/xml"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// wellFormed checks that a text is XML.
func wellFormed(t *testing.T, text string) {
	t.Helper()
	for d := xml.NewDecoder(strings.NewReader(text)); ; {
		if _, err := d.Token(); err == io.EOF {
			return
		} else {
			require.NoError(t, err)
		}
	}
}

// Of a workflow that hangs, every format shows the phases as recorded, and the way to what is wrong.
func TestGraphOfWorkflowThatHangs(t *testing.T) {
	workflow, pods := stored(t, deleted)
	draw := func(format string) string {
		got := call("graph", "-now", "2026-11-24T00:00:00Z", "-pods", pods, "-o", format, workflow)
		require.Equal(t, 0, got.code, "%s: %s", format, got.err)
		require.Empty(t, got.err, format)
		return got.out
	}
	svg := draw("svg")
	wellFormed(t, svg)
	assert.Contains(t, svg, `class="node running chain culprit" data-name="nightly-ingest.extract(0).main"`, "recorded as Running, and what it hangs on")
	assert.Contains(t, svg, `class="node inner succeeded chain" data-name="nightly-ingest.extract"`, "around it")
	assert.Contains(t, svg, `class="node succeeded" data-name="nightly-ingest.report"`, "not on the way")
	assert.Contains(t, svg, "should be Error")
	for format, wants := range map[string][]string{
		"dot":     {`strict digraph "nightly-ingest"`, `name="nightly-ingest.extract(0).main"`, `ltail="cluster_2"`},
		"mermaid": {"flowchart LR\n", "should be Error #34;container deleted#34;", "class n0,n1,n2,n4,n9 chain"},
		"html":    {"<h2>What is wrong</h2>", "orphaned-container. Its pod nightly-ingest.extract(0) has ended", "lock-held-for-ever"},
	} {
		text := draw(format)
		for _, want := range wants {
			assert.Contains(t, text, want, format)
		}
	}
	assert.Equal(t, draw("dot"), call("graph", "-now", "2026-11-24T00:00:00Z", "-pods", pods, workflow).out, "without -o")
}

// Of a workflow in progress the way leads to what it waits for; of one that ended well there is none.
func TestGraphOfHealthyWorkflows(t *testing.T) {
	r := recorded(t, recordings+"argo-4.1/template-mutex.json")
	workflow, pods := storedFrame(t, r, 1)
	got := call("graph", "-pods", pods, "-now", "2026-11-23T21:12:00Z", "-o", "html", workflow)
	require.Equal(t, 0, got.code, got.err)
	assert.Contains(t, got.out, `"running chain culprit"`)
	assert.Regexp(t, `<b>lock</b> <a class="name" href="#node=tmutex-\d+">tmutex.b</a>`, got.out)
	assert.NotContains(t, got.out, "What is wrong")

	workflow, pods = stored(t, clean)
	got = call("graph", "-pods", pods, "-o", "html", workflow)
	require.Equal(t, 0, got.code, got.err)
	assert.Contains(t, got.out, "Complete: it waits for nothing")
	assert.NotContains(t, got.out, `succeeded chain"`)
}

var every = flag.Int("every", 8, "draw every recording of so many; all: 1")

// The end of every recording can be drawn as a controller has stored it, whatever is wrong with it.
func TestGraphOfRecordings(t *testing.T) {
	files, err := filepath.Glob(recordings + "[ar]*/*") // the wide ones are judged in package replay
	require.NoError(t, err)
	require.Greater(t, len(files), 200)
	for k, file := range files {
		if k%*every != 0 {
			continue
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			workflow, pods := stored(t, file)
			for _, format := range []string{"dot", "mermaid", "svg", "html"} {
				for _, args := range [][]string{{"-pods", pods}, nil} {
					got := call(append([]string{"graph", workflow, "-o", format}, args...)...)
					require.Equal(t, 0, got.code, "%s: %s", format, got.err)
					if format == "svg" {
						wellFormed(t, got.out)
					}
				}
			}
		})
	}
}

// Before its controller has looked at it a workflow can be drawn, too.
func TestGraphOfNewWorkflow(t *testing.T) {
	workflow, _ := stored(t, clean, func(w map[string]any) { delete(w, "status") })
	got := call("graph", workflow, "-o", "mermaid")
	require.Equal(t, 0, got.code, got.err)
	assert.Contains(t, got.out, "not created")
}

func TestGraphWrongCalls(t *testing.T) {
	workflow, _ := stored(t, clean)
	cases := []struct {
		why  string
		args []string
		says string
	}{
		{"no file", []string{"graph"}, "want one workflow, got 0"},
		{"no such format", []string{"graph", "-o", "png", workflow}, `unknown output format "png", want dot or mermaid or svg or html`},
		{"no such file", []string{"graph", "none.yaml"}, "none.yaml: no such file"},
		{"no workflow", []string{"graph", written(t, "text.json", []byte("{}"))}, "text.json: "},
		{"two recordings on one page", []string{"replay", "-o", "html", chain, clean}, "want one recording for -o html, got 2"},
		{"no recording", []string{"replay", "-o", "html", workflow}, "it has no workflow or no frames"},
	}
	for _, c := range cases {
		t.Run(c.why, func(t *testing.T) {
			got := call(c.args...)
			assert.Equal(t, 2, got.code)
			assert.Empty(t, got.out)
			assert.Contains(t, got.err, c.says)
		})
	}
}

func TestGraphHelp(t *testing.T) {
	got := call("graph", "-h")
	assert.Equal(t, 0, got.code)
	for _, want := range []string{"Examples:", "Usage:\n  nodestatus graph ", "Options:", "-pods FILE", "dot or mermaid or svg or html"} {
		assert.Contains(t, got.out, want)
	}
	assert.Contains(t, call("help").out, "nodestatus graph [-pods FILE|-] [-name NAME] [-o dot|mermaid|svg|html] FILE|-")
}

// A recording becomes one page: a section for each frame with what changed and why, and what the controller recorded
// otherwise.
func TestReplayAsPage(t *testing.T) {
	for _, mode := range []string{"step", "free"} {
		page := replayed(t, "-mode", mode, "-o", "html", deleted)
		frames := len(recorded(t, deleted)["frames"].([]any))
		assert.Equal(t, frames, strings.Count(page, `<section class="frame"`), "mode %s", mode)
		for _, want := range []string{
			"<code>delete extract(0)</code>",
			"Container nightly-ingest.extract(0).main: Running -&gt; Error &#34;container deleted&#34;</a><br>" +
				`<span class="note">because it is inside Pod nightly-ingest.extract(0), which has ended</span>`,
			`>nightly-ingest.extract(0).main</a>: <span class="wrong">recorded Running, computed Error</span>`,
			"mode " + mode,
		} {
			assert.Contains(t, page, want, "mode %s", mode)
		}
		assert.Equal(t, page, replayed(t, "-mode", mode, "-o", "html", deleted), "mode %s: once more", mode)
	}
}

// Nothing of a page comes from elsewhere.
func TestPagesNeedNoNetwork(t *testing.T) {
	workflow, _ := stored(t, deleted)
	for name, page := range map[string]string{
		"graph": call("graph", "-o", "html", workflow).out, "replay": replayed(t, "-o", "html", deleted),
	} {
		require.NotEmpty(t, page)
		page = strings.NewReplacer("http://www.w3.org/2000/svg", "", "http://www.w3.org/1999/xhtml", "", `href="#`, "").Replace(page)
		for _, never := range []string{" src=", " href=", "https:", "@import"} {
			assert.NotContains(t, page, never, name)
		}
	}
}

// A failure to write is told.
func TestGraphToFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no /dev/full here")
	}
	defer full.Close()
	workflow, _ := stored(t, clean)
	var said strings.Builder
	assert.Equal(t, 2, run([]string{"graph", workflow}, stdio{out: full, err: &said}))
	assert.Contains(t, said.String(), "error: ")
}
