package main

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
)

// writes counts what a controller writes, by method and resource.
type writes struct {
	before func(*http.Request) error
	reads  atomic.Int64
	mu     sync.Mutex
	count  map[string]int
}

type counted struct {
	*writes
	next http.RoundTripper
}

func (w *counted) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method == http.MethodGet {
		w.reads.Add(1)
		return w.next.RoundTrip(req)
	}
	if w.before != nil {
		if err := w.before(req); err != nil {
			return nil, err
		}
	}
	w.mu.Lock()
	w.count[req.Method+" "+resourceOf(req.URL.Path)]++
	w.mu.Unlock()
	return w.next.RoundTrip(req)
}

// resourceOf is the resource in the path of a namespaced request.
func resourceOf(path string) string {
	_, rest, _ := strings.Cut(path, "/namespaces/")
	if parts := strings.Split(rest, "/"); len(parts) > 1 {
		return parts[1]
	}
	return path
}

func (w *writes) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return fmt.Sprint(w.count, " and ", w.reads.Load(), " reads")
}
