package draw

import (
	"fmt"
	"strings"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// A colour is how a phase is shown.
type colour struct {
	class, fill, line  string
	darkFill, darkLine string
}

// colours are those of the argo command, pale enough to write on; a line, or a mark, stands out from its fill by 4.5 to 1.
var colours = [...]colour{
	nodegraph.PhasePlanned:   {"planned", "#ffffff", "#676b70", "#1b1d20", "#8a9096"},
	nodegraph.PhasePending:   {"pending", "#fff3c4", "#896800", "#4a3d0c", "#d9ae2b"},
	nodegraph.PhaseRunning:   {"running", "#d3e7fb", "#1766b0", "#12375c", "#5fa8ee"},
	nodegraph.PhaseSucceeded: {"succeeded", "#d8f0dc", "#287638", "#173d20", "#57b36b"},
	nodegraph.PhaseSkipped:   {"skipped", "#eceff1", "#5b6d76", "#2c3338", "#90a4ae"},
	nodegraph.PhaseFailed:    {"failed", "#fbd5d2", "#ba2525", "#571a18", "#ff7b72"},
	nodegraph.PhaseError:     {"error", "#f2d6ec", "#9c1f7f", "#4a1740", "#e07fc6"},
	nodegraph.PhaseOmitted:   {"omitted", "#eceff1", "#5b6d76", "#2c3338", "#90a4ae"},
}

// highlight is the colour of the chain, by day and by night.
const (
	highlight     = "#b03700"
	darkHighlight = "#ff9d5c"
)

// Of a page, the colours that no phase has.
const (
	lightInk = "--ink:#202124;--soft:#3c4043;--faint:#5f6368;--paper:#fff;--raised:#f5f6f7;--edge:#80868b;--rule:#dadce0;" +
		"--arrow:#5f6368;--chain:" + highlight + ";--focus:#0b57d0;--link:#0b57d0;--wrong:#b3261e"
	darkInk = "--ink:#e8eaed;--soft:#c4c7c9;--faint:#a8adb3;--paper:#1b1d20;--raised:#292c30;--edge:#7d848b;--rule:#3c4043;" +
		"--arrow:#9aa0a6;--chain:" + darkHighlight + ";--focus:#8ab4f8;--link:#8ab4f8;--wrong:#ff8a80"
)

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

// palette is the colours of a page, by day and by night.
func palette() string {
	day, night, classes := lightInk, darkInk, ""
	for _, c := range colours {
		day += fmt.Sprintf(";--%s-fill:%s;--%s-line:%s", c.class, c.fill, c.class, c.line)
		night += fmt.Sprintf(";--%s-fill:%s;--%s-line:%s", c.class, c.darkFill, c.class, c.darkLine)
		classes += fmt.Sprintf(".%[1]s>rect,.bar.%[1]s{fill:var(--%[1]s-fill);stroke:var(--%[1]s-line)}.%[1]s>.mark{fill:var(--%[1]s-line)}"+
			".phase-%[1]s{background:var(--%[1]s-fill);border-color:var(--%[1]s-line)}\n", c.class)
	}
	return fmt.Sprintf(":root{color-scheme:light dark;%s}\n@media (prefers-color-scheme:dark){:root{%s}}\n%s", day, night, classes)
}
