package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// embedding are three programs that embed more and more of the library.
var embedding = []string{"core", "argo", "all"}

// hosts builds the programs, and counts what each brings along.
func hosts() ([]row, error) {
	folder, err := os.MkdirTemp("", "hosts")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	var rows []row
	for _, host := range embedding {
		r, err := brings(host)
		if err != nil {
			return nil, err
		}
		program := filepath.Join(folder, host)
		if out, err := exec.Command("go", "build", "-ldflags=-s -w", "-o", program, "./hosts/"+host).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("host %s: %w: %s", host, err, out)
		}
		info, err := os.Stat(program)
		if err != nil {
			return nil, err
		}
		r.counts = append([]count{{int(info.Size() / 1000), "kB"}}, r.counts...)
		rows = append(rows, r)
	}
	return rows, nil
}

// brings counts what a program imports beside the standard library. The items are the other modules.
func brings(host string) (row, error) {
	format := "{{if not .Standard}}{{.ImportPath}} {{.Module.Path}}{{end}}"
	out, err := exec.Command("go", "list", "-deps", "-f", format, "./hosts/"+host).Output()
	if err != nil {
		return row{}, fmt.Errorf("host %s: %w", host, err)
	}
	r, own, others := row{name: "host " + host}, 0, 0
	for line := range strings.Lines(string(out)) {
		path, module, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch {
		case path == "" || strings.HasPrefix(path, library+"/propagate/internal/structure"):
		case strings.HasPrefix(path, library):
			own++
		default:
			others++
			if !slices.Contains(r.items, module) {
				r.items = append(r.items, module)
			}
		}
	}
	slices.Sort(r.items)
	r.counts = []count{{own, "packages of the library"}, {others, "other packages"}, {len(r.items), "other modules"}}
	return r, nil
}
