// Core is a host of the engine alone: it has no object to read, and keeps a state as JSON.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
)

func main() {
	b := nodegraph.NewBuilder("build")
	b.Pod("step")
	b.DAG("main").Task("compile", "step")
	spec, err := b.Spec()
	if err != nil {
		fatal(err)
	}
	engine, err := propagate.New(spec)
	if err != nil {
		fatal(err)
	}
	result, err := engine.Apply(time.Now())
	if err != nil {
		fatal(err)
	}
	fmt.Println(result.Actions)
	if err := json.NewEncoder(os.Stdout).Encode(engine.Save()); err != nil {
		fatal(err)
	}
}

func fatal(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
