// Package draw makes pictures of a workflow: containment as boxes inside boxes, order as arrows from left to right,
// phases as colours and marks, and, highlighted in all of them, the chain of nodes from the workflow down to what it
// waits for, or to what it failed by.
//
// [Of] takes a picture of an engine, which may go on afterwards. A picture is written as Graphviz DOT ([Picture.DOT]),
// as a Mermaid flowchart ([Picture.Mermaid]), as SVG ([Picture.SVG]), or as an HTML page with a legend and the list of
// what the workflow waits for ([Picture.HTML]). A [Film] is a page that steps through a run, frame by frame.
//
// SVG and HTML need nothing else: no network, no font, and, but for the film's slider, no script. The same engine gives
// the same bytes. The layout takes n log n steps for n nodes and arrows, and draws no arrow through a node.
//
// Mermaid itself refuses texts of more than 50,000 characters and more than 500 arrows unless the page that shows them
// is configured otherwise; the other formats have no such limit.
package draw
