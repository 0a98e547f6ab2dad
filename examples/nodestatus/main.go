// Command nodestatus looks at workflows through the library: see nodestatus help.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strconv"

	"github.com/nodestatus/nodestatus/examples/tree"
)

// A command is one subcommand.
type command struct {
	name, arguments, summary string
	run                      func(args []string, std stdio) error
	binary                   bool // what it prints is no text
}

// stdio is what a command reads and writes.
type stdio struct {
	in       io.Reader
	out, err io.Writer
}

// commands lists the subcommands. It is a function because their usage texts refer to it.
func commands() []command {
	return []command{
		{"replay", "[-mode step|free] [-o text|json|html] [-check [-numbers] [-causes FILE]] FILE...", "play recordings of a controller through the library", replayCommand, false},
		{"diagnose", "[-pods FILE|-] [-templates FILE] [-patience D] [-o text|json|wide|name] FILE|-...", "say what is wrong with workflows, what they wait for, and what to type", diagnoseCommand, false},
		{"heal", "[-pods FILE|-] [-o patch|json] FILE|-", "print the patch that gets a workflow unstuck", healCommand, false},
		{"whatif", "[-any 1|2] [-as argo] [-suggest] [-all] [-limit N] [-name NAME] [-o text|json] FILE|-", "say what becomes of a workflow when it loses pods", whatifCommand, false},
		{"dump", "[-against FILE] FILE...", "write all that the library says while it plays recordings, gzipped, or compare it with another version", dumpCommand, true},
		{"graph", "[-pods FILE|-] [-name NAME] [-o dot|mermaid|svg|html] FILE|-", "draw a workflow, and what it waits for", graphCommand, false},
		{"completion", "bash|zsh|fish", "print a script with which a shell completes commands and flags", completionCommand, false},
	}
}

// errFound ends a command that did its work and found something wrong.
var errFound = errors.New("something was found")

// errUsage ends a command that was called wrongly and has said so.
var errUsage = errors.New("wrong usage")

// errRead ends a command that went on after inputs it can't read, and has said which.
var errRead = errors.New("some inputs can't be read")

func main() {
	os.Exit(run(os.Args[1:], stdio{os.Stdin, os.Stdout, os.Stderr}))
}

// run runs a subcommand and returns the exit code: 0 for nothing wrong, 1 for something found, 2 for a wrong call or
// an input that can't be read.
func run(args []string, std stdio) int {
	if len(args) == 0 {
		usage(std.err)
		return 2
	}
	switch args[0] {
	case "help", "-h", "--help":
		usage(std.out)
		return 0
	case "version", "-version", "--version":
		fmt.Fprintln(std.out, "nodestatus", version())
		return 0
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return c.call(args[1:], std)
		}
	}
	fmt.Fprintf(std.err, "error: unknown command %s\n", tree.Visible(strconv.Quote(args[0])))
	usage(std.err)
	return 2
}

// call runs a command. What it prints goes to the terminal as text that harms none; help that was asked for is no error.
func (c *command) call(args []string, std stdio) int {
	out := &screen{out: std.out, paint: bool(painterFor(std.out)), columns: columnsOf(std.out)}
	inner := stdio{in: std.in, out: out, err: &screen{out: std.err}}
	if c.binary {
		inner.out = std.out
	}
	if slices.ContainsFunc(args, func(a string) bool { return a == "-h" || a == "-help" || a == "--help" }) {
		inner.err = inner.out
	}
	err := c.run(args, inner)
	if out.err != nil && (err == nil || errors.Is(err, errFound)) {
		err = out.err
	}
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errFound):
		return 1
	case errors.Is(err, errUsage), errors.Is(err, errRead):
		return 2
	}
	fmt.Fprintln(std.err, "error:", tree.Visible(err.Error()))
	return 2
}

// version is that of the module the program was built from.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

func usage(w io.Writer) {
	fmt.Fprint(w, "nodestatus looks at workflows through the nodestatus library.\n\nCommands:\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-10s %s\n             nodestatus %s %s\n", c.name, c.summary, c.name, c.arguments)
	}
}

// flags returns the flag set of a command, whose usage shows how the command is called.
func flags(name string, std stdio) *flag.FlagSet {
	set := flag.NewFlagSet(name, flag.ContinueOnError)
	set.SetOutput(std.err)
	set.Usage = func() {
		for _, c := range commands() {
			if c.name == name {
				fmt.Fprintf(std.err, "%s: nodestatus %s %s\n", c.summary, c.name, c.arguments)
			}
		}
		set.PrintDefaults()
	}
	return set
}

// usageError turns what the flag package has reported already into an exit code.
func usageError(err error) error {
	if errors.Is(err, flag.ErrHelp) {
		return err
	}
	return errUsage
}

// newOutput buffers what a command prints.
func newOutput(w io.Writer) *bufio.Writer { return bufio.NewWriterSize(w, 1<<16) }
