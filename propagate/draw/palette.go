package draw

import (
	"fmt"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// A colour is how a phase is shown.
type colour struct {
	class, fill, line string
}

// colours are those of the argo command, pale enough to write on.
var colours = [...]colour{
	nodegraph.PhasePlanned:   {"planned", "#ffffff", "#9aa0a6"},
	nodegraph.PhasePending:   {"pending", "#fff3c4", "#b58900"},
	nodegraph.PhaseRunning:   {"running", "#d3e7fb", "#1a6fc0"},
	nodegraph.PhaseSucceeded: {"succeeded", "#d8f0dc", "#2e8540"},
	nodegraph.PhaseSkipped:   {"skipped", "#eceff1", "#78909c"},
	nodegraph.PhaseFailed:    {"failed", "#fbd5d2", "#c62828"},
	nodegraph.PhaseError:     {"error", "#f2d6ec", "#9c1f7f"},
	nodegraph.PhaseOmitted:   {"omitted", "#eceff1", "#78909c"},
}

// highlight is the colour of the chain.
const highlight = "#e65100"

// phases is the order in which the legend lists them.
var phases = []nodegraph.Phase{
	nodegraph.PhasePlanned, nodegraph.PhasePending, nodegraph.PhaseRunning, nodegraph.PhaseSucceeded, nodegraph.PhaseFailed, nodegraph.PhaseError,
	nodegraph.PhaseSkipped, nodegraph.PhaseOmitted,
}

// style is the style sheet of an SVG. It has nothing that XML would want escaped.
var style = func() string {
	var b strings.Builder
	b.WriteString(`text{font:12px Helvetica,Arial,"DejaVu Sans",sans-serif;fill:#202124}
.label{font-weight:bold}.state,.more{font-size:10px;fill:#3c4043}
.node>rect{stroke-width:1.2;rx:5px}.inner>rect{fill-opacity:.35}
.arrow{fill:none;stroke:#5f6368;stroke-width:1.2;marker-end:url(#head)}.hook{stroke-dasharray:2 3}
`)
	for _, c := range colours {
		fmt.Fprintf(&b, ".%s>rect{fill:%s;stroke:%s}.%s>.mark{fill:%s}\n", c.class, c.fill, c.line, c.class, c.line)
	}
	fmt.Fprintf(&b, `.planned>rect{stroke-dasharray:5 3}.absent{opacity:.25}
.chain>.label{fill:%[1]s}.culprit>rect{stroke:%[1]s;stroke-width:3}.arrow.chain{stroke:%[1]s;stroke-width:3;marker-end:url(#head-chain)}
`, highlight)
	return b.String()
}()
