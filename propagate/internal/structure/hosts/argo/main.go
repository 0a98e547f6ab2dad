// Argo is a host that keeps nothing but Workflow objects.
package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/nodestatus/nodestatus/propagate/reconcile"
)

func main() {
	object, err := io.ReadAll(os.Stdin)
	if err != nil {
		fatal(err)
	}
	var workflows reconcile.Reconciler
	out, err := workflows.Reconcile(time.Now(), object, nil)
	if err != nil {
		fatal(err)
	}
	fmt.Println(string(out.Patch), out.Actions)
}

func fatal(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
