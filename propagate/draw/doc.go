// Package draw makes pictures of a workflow: containment as boxes inside boxes, order as arrows from left to right,
// phases as colours and marks. Highlighted in all of them is the chain of nodes from the workflow down to what it
// waits for, or to what it failed by, which has a frame.
//
// [Of] takes a picture of an engine, which may go on afterwards. A picture is written as Graphviz DOT ([Picture.DOT]),
// as a Mermaid flowchart ([Picture.Mermaid]), as SVG ([Picture.SVG]), or as an HTML page ([Picture.HTML]). A [Film] is a page
// that steps through a run, frame by frame.
//
// What the specification promises inside of what has not begun is drawn, too, as not created; it has no times.
//
// SVG and HTML need nothing else: no network and no font. A page has a script of its own and a policy that lets nothing else run.
// The same engine gives the same bytes.
//
// # Layout
//
// What is inside one box is laid out by itself, boxes in columns by their place in the order. Each arrow has a lane of its own
// through the columns that it passes. It shares that only with arrows from the same box or to it, and never leads through a box. Columns are
// sorted so that few arrows cross; then boxes and lanes move towards what they are joined to, so that most arrows are level. The
// module in the folder browser prints a table that compares that with Graphviz, dagre and ELK.
//
// # Large workflows
//
// A page begins with siblings that are well in the same way put into one box. From some 150 boxes on what holds only what is well
// is closed, too. All can be opened. Mermaid refuses texts of more than 50,000 characters and more than 500 arrows, so a
// flowchart is folded as far as it must be, up to the chain alone. DOT and SVG have all of it.
package draw
