package browser

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/draw"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// chromium is shared by all tests of the package; a tab is opened for each page.
var chromium *Browser

func TestMain(m *testing.M) {
	b, err := Start()
	if err == nil {
		chromium = b
	} else if !errors.Is(err, ErrNoBrowser) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if chromium != nil {
		chromium.Stop()
	}
	os.Exit(code)
}

// visit opens a page in the browser, or skips the test where there is none.
func visit(t *testing.T, page []byte, fragment string, v View, do func(p *Page)) {
	t.Helper()
	if chromium == nil {
		t.Skip(ErrNoBrowser)
	}
	file := filepath.Join(t.TempDir(), "page.html")
	require.NoError(t, os.WriteFile(file, page, 0o644))
	require.NoError(t, chromium.Open(file, fragment, v, func(p *Page) error {
		do(p)
		require.Empty(t, p.Said, "what the page said: errors, violations of its policy, dialogs")
		return nil
	}))
}

var desktop = View{Width: 1280, Height: 800}

// value evaluates a script in a page.
func value[T any](t *testing.T, p *Page, script string) T {
	t.Helper()
	var v T
	require.NoError(t, p.Eval(script, &v), script)
	return v
}

// played is the engine of a workflow after these events, each a minute after the one before.
func played(t testing.TB, text string, events ...propagate.Event) *propagate.Engine {
	t.Helper()
	spec, err := nodegraph.Parse(text)
	require.NoError(t, err)
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

// small has every relation: containment, order, arrows past others, a hook, a retried pod.
func small(t testing.TB) *propagate.Engine {
	return played(t, `nightly: dag(fetch -> build: pod(compile -> main) -> {lint, test: retry(2, pod)} -> publish exit http,
		fetch -> publish, alarm depends "fetch.Failed") exit pod`,
		propagate.PodSucceeded("nightly.fetch"), propagate.PodSucceeded("nightly.build"), propagate.PodSucceeded("nightly.lint"),
		propagate.PodRunning("nightly.test(0)"), propagate.PodDeleted("nightly.test(0)"), propagate.PodRunning("nightly.test(1)"))
}

func pageOf(t testing.TB, e *propagate.Engine) []byte {
	t.Helper()
	page, err := draw.Of(e).HTML()
	require.NoError(t, err)
	return page
}

// filmOf is the page of a run: a frame for the beginning, and one for each event.
func filmOf(t testing.TB, text string, events ...propagate.Event) []byte {
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

func run(t testing.TB) []byte {
	return filmOf(t, "wf: dag(a -> b: retry(2, pod) -> c)", propagate.PodRunning("wf.a"), propagate.PodSucceeded("wf.a"),
		propagate.PodRunning("wf.b(0)"), propagate.PodDeleted("wf.b(0)"), propagate.PodRunning("wf.b(1)"), propagate.PodSucceeded("wf.b(1)"))
}
