package browser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// ErrNoBrowser says that no Chromium is installed here.
var ErrNoBrowser = errors.New("no chromium is installed: apt-get install chromium")

// A Browser is a running Chromium. It reaches no network: pages are opened from files.
type Browser struct {
	ctx  context.Context
	stop func()
}

// Start starts a Chromium that Stop ends.
func Start() (*Browser, error) {
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		return nil, ErrNoBrowser
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("hide-scrollbars", true), chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND"),
		chromedp.WSURLReadTimeout(time.Minute))
	allocated, end := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocated)
	b := &Browser{ctx, func() { cancel(); end() }}
	if err := chromedp.Run(ctx); err != nil {
		b.stop()
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	return b, nil
}

// Stop ends the browser.
func (b *Browser) Stop() { b.stop() }

// A View is how a page is looked at.
type View struct {
	Width, Height int64
	Dark, Mobile  bool
	Forced        bool // the user's own colours stand in place of those of the page
}

// A Page is a page that is open. Said is what it wrote to its console, every error and every dialog that it opened.
type Page struct {
	ctx  context.Context
	Said []string
}

// Open calls do with the page that is in a file, at a fragment of its address if that is not empty.
func (b *Browser) Open(file, fragment string, v View, do func(p *Page) error) error {
	absolute, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	ctx, closeTab := chromedp.NewContext(b.ctx)
	defer closeTab()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	p := &Page{ctx: ctx}
	p.listen()
	scheme := "light"
	if v.Dark {
		scheme = "dark"
	}
	forced := "none"
	if v.Forced {
		forced = "active"
	}
	url := "file://" + absolute
	if fragment != "" {
		url += "#" + fragment
	}
	err = chromedp.Run(ctx, log.Enable(), performance.Enable().WithTimeDomain(performance.EnableTimeDomainThreadTicks), page.BringToFront(),
		emulation.SetDeviceMetricsOverride(v.Width, v.Height, 1, v.Mobile), emulation.SetTouchEmulationEnabled(v.Mobile),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}, {Name: "forced-colors", Value: forced},
		}),
		chromedp.Navigate(url))
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return do(p)
}

func (p *Page) listen() {
	chromedp.ListenTarget(p.ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			p.Said = append(p.Said, "exception: "+e.ExceptionDetails.Error())
		case *log.EventEntryAdded:
			p.Said = append(p.Said, fmt.Sprintf("%s: %s", e.Entry.Level, e.Entry.Text))
		case *page.EventJavascriptDialogOpening:
			p.Said = append(p.Said, "dialog: "+e.Message)
			go chromedp.Run(p.ctx, page.HandleJavaScriptDialog(true)) // a listener must not wait
		}
	})
}

// Eval evaluates JavaScript, waits for its promise, and stores what it returns.
func (p *Page) Eval(script string, into any) error {
	return chromedp.Run(p.ctx, chromedp.Evaluate(script, into, func(e *runtime.EvaluateParams) *runtime.EvaluateParams {
		return e.WithAwaitPromise(true)
	}))
}

// Press presses a key, as people do.
func (p *Page) Press(keys string) error { return chromedp.Run(p.ctx, chromedp.KeyEvent(keys)) }

// Click clicks on what a selector finds first.
func (p *Page) Click(selector string) error {
	return chromedp.Run(p.ctx, chromedp.Click(selector, chromedp.ByQuery))
}

// Screenshot is what is to be seen, as PNG.
func (p *Page) Screenshot() ([]byte, error) {
	var png []byte
	err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot(&png))
	return png, err
}

// Busy is for how long the page has kept a processor busy, whatever else the machine did at the time: all of it, and what
// scripts took.
func (p *Page) Busy() (all, scripts time.Duration, err error) {
	metrics, err := []*performance.Metric(nil), error(nil)
	err = chromedp.Run(p.ctx, chromedp.ActionFunc(func(ctx context.Context) error {
		metrics, err = performance.GetMetrics().Do(ctx)
		return err
	}))
	for _, m := range metrics {
		switch d := time.Duration(m.Value * float64(time.Second)); m.Name {
		case "TaskDuration":
			all = d
		case "ScriptDuration":
			scripts = d
		}
	}
	return all, scripts, err
}

// ErrNoPackage says that npm is not installed here, or can't get a package.
var ErrNoPackage = errors.New("npm can't get it")

// Script is the text of one file of an npm package, which is kept in the user's cache.
func Script(pkg, file string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "nodestatus-browser", pkg)
	path := filepath.Join(dir, "node_modules", nameOf(pkg), file)
	if text, err := os.ReadFile(path); err == nil {
		return string(text), nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	install := exec.Command("npm", "install", "--prefix", dir, "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", pkg)
	if said, err := install.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s: %w: %s", ErrNoPackage, pkg, err, said)
	}
	text, err := os.ReadFile(path)
	return string(text), err
}

// nameOf is the name of a package without its version.
func nameOf(pkg string) string {
	for k := len(pkg) - 1; k > 0; k-- {
		if pkg[k] == '@' {
			return pkg[:k]
		}
	}
	return pkg
}
