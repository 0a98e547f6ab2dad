package replay

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// A Cause is a line of a list of recordings in which the library differs from the controller, with the reason. A person
// writes the reason; all else is what the judge finds.
type Cause struct {
	Recording string // its folder and its name, without an ending
	Modes     string // "step", "free", or "both" where they find the same
	Frame     int    // the first that has a defect; for a recording that can't be played that one, -1 if it can't be read
	Node      string // a node with a defect in it, a leaf if there is one; "workflow", or "unreadable"
	Want, Got string // recorded and computed; of an unreadable recording Want is empty and Got is the error
	Defects   int    // in all frames
	Why       string // "library: ...", "replay: ..." or "Argo: ..."
}

// RecordingPath is how lists name the recording in a file.
func RecordingPath(file string) string {
	name := filepath.Base(file)
	for _, ending := range []string{".gz", ".json"} {
		name = strings.TrimSuffix(name, ending)
	}
	return filepath.Base(filepath.Dir(file)) + "/" + name
}

// Found returns the line for what the judge found in a recording, without a reason; false if there is no defect. An
// error that ended the judging makes the recording unreadable.
func Found(recording string, v *Verdict, err error) (Cause, bool) {
	c := Cause{Recording: recording, Frame: -1, Node: "unreadable"}
	if v != nil {
		c.Modes, c.Defects = v.Mode.String(), len(v.Defects())
	}
	if err != nil {
		var format *FormatError
		if errors.As(err, &format) {
			c.Frame, err = format.Frame, format.Err
		}
		c.Got = err.Error()
		return c, true
	}
	if c.Defects == 0 {
		return c, false
	}
	d := v.telling()
	c.Frame, c.Node, c.Want, c.Got = d.Frame, d.Node(), d.Want.String(), d.Got.String()
	return c, true
}

// telling is the defect in the first frame with one that tells the most: of a node that others settle from.
func (v *Verdict) telling() Difference {
	defects := v.Defects()
	first := defects[0]
	for _, d := range defects {
		if d.Frame == first.Frame && d.ID != "" && (first.ID == "" || first.composite() && !d.composite()) {
			first = d
		}
	}
	return first
}

// composite reports whether what differs settles from what is inside it.
func (d *Difference) composite() bool { return d.Want.Kind.Composite() || d.Got.Kind.Composite() }

// Same reports whether both lines are on the same finding in the same recording, whatever the mode and the reason.
func (c Cause) Same(o Cause) bool {
	c.Modes, o.Modes, c.Why, o.Why = "", "", "", ""
	return c == o
}

// Covers reports whether a line of the list is on what the judge found.
func (c Cause) Covers(found Cause) bool {
	return c.Same(found) && (c.Modes == "both" || c.Modes == found.Modes)
}

// String is the line as it stands in a list, its parts separated by tabs.
func (c Cause) String() string {
	return strings.Join([]string{
		c.Recording, c.Modes, strconv.Itoa(c.Frame), c.Node, c.Want, c.Got, strconv.Itoa(c.Defects), c.Why,
	}, "\t")
}

// ReadCauses reads a list. Empty lines and lines that begin with # are for people.
func ReadCauses(text string) ([]Cause, error) {
	var list []Cause
	for k, line := range strings.Split(text, "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		parts := strings.Split(line, "\t")
		if len(parts) != 8 {
			return nil, fmt.Errorf("replay: line %d of the list of causes: want 8 parts, got %d", k+1, len(parts))
		}
		frame, err := strconv.Atoi(parts[2])
		defects, err2 := strconv.Atoi(parts[6])
		if err := errors.Join(err, err2); err != nil {
			return nil, fmt.Errorf("replay: line %d of the list of causes: %w", k+1, err)
		}
		list = append(list, Cause{parts[0], parts[1], frame, parts[3], parts[4], parts[5], defects, parts[7]})
	}
	return list, nil
}
