// Mutation breaks the rules of nodestatus on purpose, one change at a time, and shows that some test fails for each.
//
//	go run .                  # all of it
//	go run . retry nodegraph  # some packages, by their folders
//	go run . -v -only 'podRule|containerRule' propagate/rule
//
// For each file it prints how many mutants there are, how many the tests kill, and how many survive. It exits with 1 if a
// survivor is not in equivalent.txt, which says why no test can tell it from the original, or if that names a mutant that
// does not survive.
//
// # Mutants
//
//   - conditions: always true, always false, negated; < and <= and so on taken for each other; && for ||
//   - branches: the condition of a branch that has several parts true and false as a whole; bodies of cases dropped
//   - statements: assignments, calls, loops over ranges, early returns, break and continue dropped
//   - constants: a named one becomes its neighbour (Failed and Error, Succeeded and Skipped, otherwise the next of its
//     type), true false, a number one more, a text empty
//   - arithmetic: + for -, * for /, | for &, ++ for --, min for max
//
// All of them are put into the code at once, each behind a switch, in copies of the files that only the compiler sees
// (go test -overlay). So each test binary is built once. Each test runs once without a mutant to learn which it reaches;
// then for each mutant those that reach it run, the cheapest first, until one fails. The tests of a package may be those of
// others that use it: targets.go says which.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"sync"
	"time"
)

func main() {
	r := &runner{}
	flag.StringVar(&r.root, "root", "../../..", "folder of the module")
	flag.IntVar(&r.parallel, "p", runtime.NumCPU(), "processes at a time")
	flag.DurationVar(&r.slow, "slow", 8*time.Second, "leave out tests that take longer")
	flag.DurationVar(&r.patience, "patience", 10*time.Second, "a test that takes this much processor time, and ten times what it took without a mutant, has failed")
	only := flag.String("only", "", "only mutants whose id matches this expression; equivalent.txt is not checked for others")
	verbose := flag.Bool("v", false, "say of each mutant which test kills it")
	flag.Parse()
	chosen := slices.DeleteFunc(slices.Clone(targets), func(t target) bool {
		return flag.NArg() > 0 && !slices.Contains(flag.Args(), t.folder)
	})
	reasons, err := readEquivalent(equivalentText)
	if err != nil {
		exit(err)
	}
	s := &session{runner: r, only: regexp.MustCompile(*only), out: os.Stdout, verbose: *verbose}
	ok, err := s.run(chosen, reasons)
	if err != nil {
		exit(err)
	}
	if !ok {
		os.Exit(1)
	}
}

func exit(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(2)
}

// A session tries the mutants of a few targets.
type session struct {
	*runner
	only    *regexp.Regexp
	out     io.Writer
	verbose bool
}

// count is what became of the mutants of a file.
type count struct{ mutants, killed, equivalent, survivors, conditions, bothWays int }

func (c *count) add(o count) {
	c.mutants += o.mutants
	c.killed += o.killed
	c.equivalent += o.equivalent
	c.survivors += o.survivors
	c.conditions += o.conditions
	c.bothWays += o.bothWays
}

func (s *session) print(name string, c count) {
	fmt.Fprintf(s.out, "%-36s %5d mutants %5d killed %4d equivalent %4d survive; %d of %d conditions seen both ways\n",
		name, c.mutants, c.killed, c.equivalent, c.survivors, c.bothWays, c.conditions)
}

// run tries targets and prints what became of their mutants. It returns whether that is as listed.
func (s *session) run(targets []target, reasons map[string]string) (bool, error) {
	var all count
	ok := true
	for _, t := range targets {
		folder, err := os.MkdirTemp("", "mutation")
		if err != nil {
			return false, err
		}
		defer os.RemoveAll(folder)
		total, lines, err := s.target(t, folder, reasons)
		if err != nil {
			return false, err
		}
		all.add(total)
		for _, line := range lines {
			ok = false
			fmt.Fprintln(s.out, line)
		}
	}
	s.print("all", all)
	return ok, nil
}

// target tries one target. It returns what differs from the list.
func (s *session) target(t target, folder string, reasons map[string]string) (count, []string, error) {
	var total count
	root, err := filepath.Abs(s.root)
	if err != nil {
		return total, nil, err
	}
	m, err := mutate(root, t, folder)
	if err != nil {
		return total, nil, err
	}
	var binaries []*binary
	for k, suite := range t.tests {
		b, err := s.build(suite, m.overlay, filepath.Join(folder, fmt.Sprintf("%d.test", k)), len(m.mutants))
		if err != nil {
			return total, nil, err
		}
		binaries = append(binaries, b)
	}
	tried := slices.DeleteFunc(slices.Clone(m.mutants), func(m *mutant) bool { return !s.only.MatchString(m.id) })
	fates := s.tryAll(t.folder, tried, binaries)
	files := make(map[string]count)
	for _, m := range tried {
		c := files[m.file]
		c.add(tally(m, fates[m.id], reasons[m.id] != "", binaries))
		files[m.file] = c
	}
	for _, m := range tried {
		if c, ok := files[m.file]; ok {
			s.print(t.folder+"/"+m.file, c)
			total.add(c)
			delete(files, m.file)
		}
	}
	for id := range reasons {
		if !s.only.MatchString(id) {
			delete(reasons, id)
		}
	}
	return total, unexpected(fates, []string{m.name}, reasons), nil
}

// tryAll tries mutants, a few at a time.
func (s *session) tryAll(folder string, mutants []*mutant, binaries []*binary) map[string]fate {
	fates := make(map[string]fate, len(mutants))
	var lock sync.Mutex
	s.each(len(mutants), func(k int) {
		is := s.try(mutants[k], binaries)
		lock.Lock()
		defer lock.Unlock()
		m := mutants[k]
		fates[m.id] = is
		if s.verbose {
			fmt.Fprintf(s.out, "%s/%s:%d: %s: %s\n", folder, m.file, m.line, m.id, is)
		}
	})
	return fates
}

// tally counts one mutant.
func tally(m *mutant, is fate, listed bool, binaries []*binary) count {
	c := count{mutants: 1}
	switch {
	case is.killer != "":
		c.killed++
	case listed:
		c.equivalent++
	default:
		c.survivors++
	}
	if m.condition {
		c.conditions++
		seen := byte(0)
		for _, b := range binaries {
			for _, t := range b.tests {
				seen |= t.reached[m.number]
			}
		}
		if seen&6 == 6 {
			c.bothWays++
		}
	}
	return c
}

func (f fate) String() string {
	switch {
	case f.killer != "":
		return "killed by " + f.killer
	case !f.reached:
		return "not reached"
	}
	return "survives"
}
