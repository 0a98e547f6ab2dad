package draw

// Sizes, in pixels.
const (
	letter      = 8  // width of a letter of a label
	smallLetter = 6  // and of all other text
	line        = 14 // height of a line of small text; all heights are even, or level arrows would have a step
	firstLine   = 17 // where the label is written, from the top
	leafHeight  = 40 // label and state
	headHeight  = 26 // of a box that holds others: label and state in one line
	indent      = 24 // of the label and of what is below it
	beside      = 12 // between a label and the state beside it
	leastLeaf   = 168
	mostLabel   = 30 // columns
	mostText    = 34 // columns of a line in a box that holds nothing
	mostHead    = 64 // and above what a box holds
	mostLines   = 4
)

// An extent is how much room something takes.
type extent struct{ w, h int }

// A room is what the texts of a box take: alone, and above what is inside of it. It does not depend on what that is, so that a
// box can be closed and opened.
type room struct{ leaf, head extent }

// labelOf is what a box is called.
func labelOf(b *box) string { return cutMiddle(visible(b.label), mostLabel) }

// measure says how much room each box needs for the texts of all these looks of the scene.
func measure(s scene, looks ...[]look) []room {
	rooms := make([]room, len(s))
	for i := range s {
		label := columnsOf(labelOf(&s[i])) * letter
		r := &rooms[i]
		r.leaf = extent{max(leastLeaf, indent+label+12), leafHeight}
		r.head.h = headHeight
		for _, frame := range looks {
			if i >= len(frame) {
				continue // it came later
			}
			l := &frame[i]
			leaf, head := l.lines(mostText), l.lines(mostHead)
			r.leaf.w = max(r.leaf.w, widest(indent, leaf), indent+columnsOf(l.state())*smallLetter+8)
			r.leaf.h = max(r.leaf.h, leafHeight+len(leaf)*line)
			r.head.w = max(r.head.w, widest(indent, head), indent+label+beside+columnsOf(l.state())*smallLetter+8)
			r.head.h = max(r.head.h, headHeight+len(head)*line)
		}
	}
	return rooms
}

func widest(indent int, lines []string) int {
	w := 0
	for _, l := range lines {
		w = max(w, indent+columnsOf(l)*smallLetter+8)
	}
	return w
}

// lines are what else there is to say of a node, in lines of so many columns. What is longer than the lines that there is room
// for ends in an ellipsis: the title of the node has all of it.
func (l *look) lines(most int) []string {
	var list []string
	for _, part := range l.more() {
		list = append(list, wrap(part, most, mostLines)...)
	}
	return list
}
