package main

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/nodestatus/nodestatus/propagate/replay"
)

// dumpCommand writes all that the library says while it plays recordings, in both modes, as gzipped text; or compares that
// with what another version of the library wrote.
func dumpCommand(args []string, std stdio) error {
	set := flags("dump", std)
	against := set.String("against", "", "compare with this dump, print what differs and write no dump; exit code 1 if anything does")
	if err := set.Parse(args); err != nil {
		return usageError(err)
	}
	if set.NArg() == 0 {
		set.Usage()
		return errUsage
	}
	if *against == "" {
		z := gzip.NewWriter(std.out)
		return errors.Join(eachDump(set.Args(), func(section string) error {
			_, err := io.WriteString(z, section)
			return err
		}), z.Close())
	}
	out := newOutput(std.out)
	defer out.Flush()
	return compareDumps(out, *against, set.Args())
}

// eachDump calls do with the dump of each file in each mode. Its first line names the file, which says more than the
// recording's own name: two controllers may have played one workflow. Of a file that can't be read the dump says so.
func eachDump(files []string, do func(section string) error) error {
	for _, file := range files {
		name := filepath.ToSlash(filepath.Join(filepath.Base(filepath.Dir(file)), filepath.Base(file)))
		r, err := readRecording(file)
		if err != nil {
			if err := do(fmt.Sprintf("== %s, unreadable\nerror: %v\n", name, err)); err != nil {
				return err
			}
			continue
		}
		r.Name = name
		for _, mode := range []replay.Mode{replay.Step, replay.Free} {
			var b strings.Builder
			if err := replay.Dump(&b, r, mode); err != nil {
				return err
			}
			if err := do(b.String()); err != nil {
				return err
			}
		}
	}
	return nil
}

// compareDumps prints, for each recording and mode that differs from what the file has, the first line that does.
func compareDumps(out io.Writer, against string, files []string) error {
	old, err := readDump(against)
	if err != nil {
		return err
	}
	equal, differ := 0, 0
	err = eachDump(files, func(section string) error {
		title, _, _ := strings.Cut(section, "\n")
		before, known := old[title]
		delete(old, title)
		if known && before == section {
			equal++
			return nil
		}
		differ++
		fmt.Fprintln(out, title)
		if !known {
			fmt.Fprintln(out, "  is new")
			return nil
		}
		printDifference(out, strings.Split(before, "\n"), strings.Split(section, "\n"))
		return nil
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d dumps equal, %d different, %d only in %s\n", equal, differ, len(old), against)
	if differ+len(old) > 0 {
		return errFound
	}
	return nil
}

// printDifference prints the first line in which two dumps differ, the frame in which that is, and how many lines one
// has and the other has not.
func printDifference(out io.Writer, before, after []string) {
	frame := 0
	count := make(map[string]int)
	for _, line := range before {
		count[line]++
	}
	for _, line := range after {
		count[line]--
	}
	removed, added := 0, 0
	for _, n := range count {
		removed, added = removed+max(n, 0), added+max(-n, 0)
	}
	for k := 0; k < max(len(before), len(after)); k++ {
		was, is := lineOf(before, k), lineOf(after, k)
		if was != is {
			fmt.Fprintf(out, "  frame %d, line %d; %d lines removed, %d added\n  - %s\n  + %s\n", frame, k+1, removed, added, strings.TrimSpace(was), strings.TrimSpace(is))
			return
		}
		if strings.HasPrefix(was, " frame ") {
			frame++
		}
	}
}

func lineOf(lines []string, k int) string {
	if k < len(lines) {
		return lines[k]
	}
	return "(end)"
}

// readDump reads a dump that was written before, by the first line of each section.
func readDump(file string) (map[string]string, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(bufio.NewReader(f))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	sections := make(map[string]string)
	for _, section := range strings.Split("\n"+string(data), "\n== ")[1:] {
		section = "== " + strings.TrimSuffix(section, "\n") + "\n"
		title, _, _ := strings.Cut(section, "\n")
		sections[title] = section
	}
	return sections, nil
}
