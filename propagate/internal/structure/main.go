// Structure counts how the library is built and prints one table: which functions a call enters, how files depend on one
// another, who writes facts, who marks nodes for evaluation, which exported names have users, and what is not documented.
//
//	go run .                  # the table
//	go run . -list PodDeleted # also what the rows whose names match this expression have counted
//	go run . -hosts           # what three programs that embed the library bring along, in place of the table
//	go test -tags structure . # what the counts are held to
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
)

// library is the path of the module that is looked at.
const library = "github.com/nodestatus/nodestatus"

func main() {
	root := flag.String("root", "../../..", "folder of the library's module")
	list := flag.String("list", "", "list what the rows count whose names match this expression")
	embedded := flag.Bool("hosts", false, "build three programs that embed the library, and count what they bring along")
	flag.Parse()
	measured := func() ([]row, error) { return measure(*root) }
	if *embedded {
		measured = hosts
	}
	if err := run(os.Stdout, *list, measured); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// A count is a number of things of one sort.
type count struct {
	n  int
	of string
}

// A row is a line of the table. Its items are the things that were counted.
type row struct {
	name   string
	counts []count
	items  []string
}

// String is the row in Markdown.
func (r row) String() string {
	var counts []string
	for _, c := range r.counts {
		counts = append(counts, strings.TrimSpace(fmt.Sprintf("%d %s", c.n, c.of)))
	}
	return fmt.Sprintf("| %s | %s |", r.name, strings.Join(counts, ", "))
}

// run prints the table and then the items of the rows that match, if an expression is given.
func run(out io.Writer, list string, measure func() ([]row, error)) error {
	listed, err := regexp.Compile(list)
	if err != nil {
		return err
	}
	rows, err := measure()
	if err != nil {
		return err
	}
	fmt.Fprint(out, "| structure | count |\n| --- | --- |\n")
	for _, r := range rows {
		fmt.Fprintln(out, r)
	}
	if list == "" {
		return nil
	}
	for _, r := range rows {
		if listed.MatchString(r.name) {
			fmt.Fprintf(out, "\n%s\n", r.name)
			for _, item := range r.items {
				fmt.Fprintf(out, "\t%s\n", item)
			}
		}
	}
	return nil
}

// measure returns all rows of the table.
func measure(root string) ([]row, error) {
	lib, err := load(root)
	if err != nil {
		return nil, err
	}
	rows, err := lib.entered(root)
	if err != nil {
		return nil, err
	}
	users, err := lib.users(root)
	if err != nil {
		return nil, err
	}
	written, err := lib.written()
	if err != nil {
		return nil, err
	}
	marked, err := lib.marked()
	if err != nil {
		return nil, err
	}
	rows = append(rows, lib.cycles()...)
	rows = append(rows, written, marked)
	rows = append(rows, lib.engine()...)
	rows = append(rows, lib.documentation()...)
	return append(rows, lib.exported(users)...), nil
}
