package draw_test

import (
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/draw"
)

// A picture of a workflow at one moment, for a README or a chat: Mermaid draws it.
func ExampleOf() {
	spec, err := nodegraph.Parse("build: dag(compile -> test)")
	if err != nil {
		log.Fatal(err)
	}
	engine, err := propagate.New(spec)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := engine.Apply(time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)); err != nil {
		log.Fatal(err)
	}
	text := string(draw.Of(engine).Mermaid())
	fmt.Println(strings.Contains(text, "flowchart"), strings.Contains(text, "compile"), strings.Contains(text, "waits for start"))
	// Output: true true true
}
