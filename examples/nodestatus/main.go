// Command nodestatus looks at workflows through the library: see nodestatus help.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

// A command is one subcommand.
type command struct {
	name, arguments, summary string
	run                      func(args []string, std stdio) error
}

// stdio is what a command reads and writes.
type stdio struct {
	in       io.Reader
	out, err io.Writer
}

// commands lists the subcommands. It is a function because their usage texts refer to it.
func commands() []command {
	return []command{
		{"replay", "[-mode step|free] [-o text|json|html] [-check [-numbers] [-causes FILE]] FILE...", "play recordings of a controller through the library", replayCommand},
		{"diagnose", "[-pods FILE|-] [-o text|json] FILE|-", "say what is wrong with a workflow, what it waits for, and what to do", diagnoseCommand},
		{"heal", "[-pods FILE|-] [-o patch|json] FILE|-", "print the patch that gets a workflow unstuck", healCommand},
		{"whatif", "[-any 1|2] [-limit N] [-o text|json] FILE|-", "say what becomes of a workflow when it loses pods", whatifCommand},
		{"dump", "[-against FILE] FILE...", "write all that the library says while it plays recordings, gzipped, or compare it with another version", dumpCommand},
		{"graph", "[-pods FILE|-] [-o dot|mermaid|svg|html] FILE|-", "draw a workflow, and what it waits for", graphCommand},
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
	if args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		usage(std.out)
		return 0
	}
	for _, c := range commands() {
		if c.name != args[0] {
			continue
		}
		switch err := c.run(args[1:], std); {
		case err == nil, errors.Is(err, flag.ErrHelp):
			return 0
		case errors.Is(err, errFound):
			return 1
		case errors.Is(err, errUsage), errors.Is(err, errRead):
			return 2
		default:
			fmt.Fprintln(std.err, "error:", err)
			return 2
		}
	}
	fmt.Fprintf(std.err, "error: unknown command %q\n", args[0])
	usage(std.err)
	return 2
}

func usage(w io.Writer) {
	fmt.Fprint(w, "nodestatus looks at workflows through the nodestatus library.\n\nCommands:\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-9s %s\n            nodestatus %s %s\n", c.name, c.summary, c.name, c.arguments)
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
