package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A binary is a suite, built with mutants.
type binary struct {
	path, dir string
	args      []string
	tests     []test
}

// A test is a top-level test, example or fuzz target with its corpus.
type test struct {
	name    string
	cost    time.Duration // of processor time
	reached []byte        // by mutant
}

// quick tests are run together, in one process.
const quick = 100 * time.Millisecond

// A runner runs tests, a few at a time.
type runner struct {
	root     string
	parallel int
	slow     time.Duration // tests that take longer are left out
	patience time.Duration // how long a test may take in any case; one that takes longer has failed

	lock    sync.Mutex
	killers map[string][]string // by function: the tests that killed mutants of it, the latest first
}

// likely parts tests into those that killed mutants of the same function and others.
func (r *runner) likely(m *mutant, tests []string) (first, rest []string) {
	r.lock.Lock()
	defer r.lock.Unlock()
	function, _, _ := strings.Cut(m.id, ": ")
	for _, name := range tests {
		if slices.Contains(r.killers[function], name) {
			first = append(first, name)
		} else {
			rest = append(rest, name)
		}
	}
	return first, rest
}

// note remembers which test killed a mutant.
func (r *runner) note(m *mutant, killer string) {
	r.lock.Lock()
	defer r.lock.Unlock()
	function, _, _ := strings.Cut(m.id, ": ")
	name, _, _ := strings.Cut(killer, "/")
	if r.killers == nil {
		r.killers = make(map[string][]string)
	}
	if list := r.killers[function]; !slices.Contains(list, name) {
		r.killers[function] = append([]string{name}, list[:min(len(list), 2)]...)
	}
}

// each calls do for 0 to n-1, a few at a time.
func (r *runner) each(n int, do func(k int)) {
	var wait sync.WaitGroup
	next := make(chan int)
	for range r.parallel {
		wait.Go(func() {
			for k := range next {
				do(k)
			}
		})
	}
	for k := range n {
		next <- k
	}
	close(next)
	wait.Wait()
}

// build compiles a suite with an overlay, and runs each of its tests once to see which mutants it reaches.
func (r *runner) build(s suite, overlay, path string, mutants int) (*binary, error) {
	compile := exec.Command("go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", path, "./"+s.folder)
	compile.Dir = r.root
	if out, err := compile.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	b := &binary{path: path, dir: filepath.Join(r.root, s.folder), args: s.args}
	list := exec.Command(path, "-test.list", ".")
	list.Dir = b.dir
	names, err := list.Output()
	if err != nil {
		return nil, err
	}
	for _, name := range strings.Fields(string(names)) {
		b.tests = append(b.tests, test{name: name})
	}
	failures := make([]error, len(b.tests))
	r.each(len(b.tests), func(k int) { failures[k] = r.record(b, &b.tests[k], mutants) })
	return b, errors.Join(failures...)
}

// record runs a test without a mutant.
func (r *runner) record(b *binary, t *test, mutants int) error {
	notes := b.path + "." + t.name
	if err := os.WriteFile(notes, make([]byte, mutants+1), 0o644); err != nil {
		return err
	}
	defer os.Remove(notes)
	o := b.run([]string{t.name}, "MUTANT_NOTES="+notes, time.Minute)
	if !o.passed {
		return fmt.Errorf("without a mutant %s fails:\n%s", t.name, o.output)
	}
	t.cost = o.cost
	var err error
	t.reached, err = os.ReadFile(notes)
	return err
}

// An outcome is what became of a run.
type outcome struct {
	passed bool
	cost   time.Duration
	output []byte
}

// run runs tests until one fails. What takes too much processor time has failed, and what waits for very long.
func (b *binary) run(tests []string, setting string, limit time.Duration) outcome {
	ctx, cancel := context.WithTimeout(context.Background(), 20*limit)
	defer cancel()
	args := append([]string{"-test.failfast", "-test.run", "^(" + strings.Join(tests, "|") + ")$"}, b.args...)
	c := exec.CommandContext(ctx, b.path, args...)
	c.Dir, c.Env = b.dir, append(os.Environ(), setting, fmt.Sprintf("MUTANT_SECONDS=%.0f", limit.Seconds()), "GOMAXPROCS=1")
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err := c.Run()
	o := outcome{passed: err == nil, output: out.Bytes()}
	if state := c.ProcessState; state != nil {
		o.cost = state.UserTime() + state.SystemTime()
		if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			o.output = append(o.output, "\n--- FAIL: it did not end ()"...)
		}
	}
	return o
}

// A fate is what the tests say of a mutant.
type fate struct {
	killer  string // the test that failed; "" for a survivor
	reached bool
}

var failed = regexp.MustCompile(`(?m)^ *--- FAIL: (.*) \(`)

// try switches a mutant on and runs the tests that reach it, the cheapest first.
func (r *runner) try(m *mutant, binaries []*binary) fate {
	var is fate
	for _, b := range binaries {
		var together []string
		var alone []test
		for _, t := range b.tests {
			switch {
			case t.reached[m.number] == 0 || t.cost > r.slow:
			case t.cost < quick:
				together = append(together, t.name)
			default:
				alone = append(alone, t)
			}
		}
		slices.SortFunc(alone, func(a, b test) int { return cmp.Compare(a.cost, b.cost) })
		is.reached = is.reached || len(together)+len(alone) > 0
		first, rest := r.likely(m, together)
		for _, some := range [][]string{first, rest} {
			if len(some) == 0 {
				continue
			}
			if is.killer = b.kills(m, some, r.patience); is.killer != "" {
				r.note(m, is.killer)
				return is
			}
		}
		for _, t := range alone {
			if is.killer = b.kills(m, []string{t.name}, r.patience+10*t.cost); is.killer != "" {
				return is
			}
		}
	}
	return is
}

// kills returns which of the tests fails with mutant m; "" if all pass.
func (b *binary) kills(m *mutant, tests []string, limit time.Duration) string {
	o := b.run(tests, fmt.Sprintf("MUTANT=%d", m.number), limit)
	if o.passed {
		return ""
	}
	if names := failed.FindAllSubmatch(o.output, -1); len(names) > 0 {
		return string(names[len(names)-1][1])
	}
	return "a panic"
}
