// Package browser looks at the pages of package draw in a real browser: Debian's Chromium, without a window. It is a module of
// its own, so that the library needs nothing of it.
//
//	go test ./...                       the tests; where there is no Chromium they are skipped
//	go run ./shots -o DIR [FILE...]     screenshots of pages, to be looked at
//	go run ./rivals                     the layout beside those of Graphviz, dagre and ELK, in a table
//
// What only tests and rivals need of JavaScript (axe-core, dagre, ELK, Mermaid) is taken from the npm registry by npm at that
// time; where there is no npm, what needs it is skipped.
package browser
