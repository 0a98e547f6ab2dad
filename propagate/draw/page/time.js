// The times of a run: a row for each box that is seen and has begun, a bar for the time that it took, hatched where it waited.
const times = byId("times"), rowHeight = 20, nameWidth = 190, mostRows = 1000;

const clock = (seconds) => new Date((data.Epoch + seconds) * 1000).toISOString().slice(0, 19).replace("T", " ");
function span(seconds) {
  const parts = [[86400, "d"], [3600, "h"], [60, "m"], [1, "s"]].map(([n, unit]) => {
    const whole = Math.floor(seconds / n);
    seconds -= whole * n;
    return whole > 0 ? whole + unit : "";
  });
  return parts.join("") || "0s";
}

function drawTimes() {
  if (byId("time").hidden) return;
  const all = drawn.shown.filter((b) => b.Bars?.length), rows = all.slice(0, mostRows);
  const end = Math.max(1, ...boxes.flatMap((b) => (b.Bars ?? []).map((bar) => bar.To)));
  const width = Math.max(320, times.parentElement.clientWidth - 10), room = width - nameWidth - 60, x = (t) => nameWidth + t / end * room;
  times.setAttribute("width", width);
  times.setAttribute("height", (rows.length + 2) * rowHeight);
  const list = element("g", {role: "list"});
  rows.forEach((b, k) => list.append(row(b, (k + 1) * rowHeight, x)));
  const axis = element("g", {"aria-hidden": "true"});
  const ticks = Math.min(4, end);
  for (let k = 0; k <= ticks; k++) {
    const t = end * k / ticks;
    axis.append(element("path", {class: "tick", d: `M${x(t)} ${rowHeight - 4}V${(rows.length + 1) * rowHeight}`}),
      element("text", {class: "state", x: x(t), y: 12, "text-anchor": k === 0 ? "start" : "middle"}, k === 0 ? clock(0) : "+" + span(Math.round(t))));
  }
  if (last > 0) {
    const now = Math.min(end, data.Now[Math.max(0, frame)]);
    axis.append(element("rect", {class: "later", x: x(now), y: rowHeight - 4, width: Math.max(0, x(end) - x(now)), height: rows.length * rowHeight + 4}),
      element("path", {class: "now", d: `M${x(now)} ${rowHeight - 8}V${(rows.length + 1) * rowHeight}`}));
  }
  times.replaceChildren(hatch(), list, axis);
  const none = boxes.every((b) => !b.Bars?.length), more = all.length - rows.length;
  byId("untimed").textContent = none ? "Nothing has begun." : more > 0 ? `${more} more rows are not shown: close what is of no interest.` : "";
}

function row(b, y, x) {
  const s = stateAt(b, Math.max(0, frame)), said = b.Bars.map((bar) => `${bar.What} ${span(bar.To - bar.From)}`).join(", ");
  const g = element("g", {role: "listitem", class: "row" + (b === selected ? " selected" : ""), "aria-label": `${b.Label}: ${said}`});
  const shift = Math.min(6, b.level - 2) * 8, most = Math.floor((nameWidth - shift - 20) / letter), label = [...b.Label];
  const short = label.length > most ? label.slice(0, most - 1).join("") + "…" : b.Label;
  g.append(element("title", {}, b.Name), element("rect", {class: "back", x: 0, y, width: "100%", height: rowHeight}),
    element("text", {class: "label", x: 4 + shift, y: y + 14}, `${s.Mark} ${short}`));
  const finish = Math.max(...b.Bars.map((bar) => bar.To));
  for (const bar of b.Bars) {
    const rect = element("rect", {class: "bar " + bar.Class, x: x(bar.From), y: y + 4, width: Math.max(2, x(bar.To) - x(bar.From)), height: rowHeight - 8});
    rect.append(element("title", {}, `${b.Label}: ${bar.What}, ${clock(bar.From)} to ${clock(bar.To)}, ${span(bar.To - bar.From)}`));
    g.append(rect);
  }
  g.append(element("text", {class: "state", x: x(finish) + 4, y: y + 14}, span(finish - Math.min(...b.Bars.map((bar) => bar.From)))));
  g.addEventListener("click", () => { select(b); drawTimes(); });
  return g;
}

function hatch() {
  const defs = element("defs"), pattern = element("pattern", {id: "hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)"});
  pattern.append(element("rect", {width: 6, height: 6, class: "hatch-back"}), element("rect", {width: 3, height: 6, class: "hatch"}));
  defs.append(pattern);
  return defs;
}

// turn shows the graph or the times.
function turn(toTime) {
  byId("time").hidden = !toTime;
  byId("picture").hidden = toTime;
  byId("to-time").setAttribute("aria-pressed", String(toTime));
  byId("to-graph").setAttribute("aria-pressed", String(!toTime));
  drawTimes();
}
byId("to-time").addEventListener("click", () => turn(true));
byId("to-graph").addEventListener("click", () => turn(false));
window.addEventListener("resize", drawTimes);
