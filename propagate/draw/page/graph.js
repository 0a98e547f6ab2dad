// The graph: an element for each box that is to be seen, which is an item of a tree for those who use a keyboard or hear it.
const letter = 8, beside = 12, firstLine = 17, lineHeight = 14, indent = 24;
const graph = byId("graph"), world = byId("world");
const view = {x: 0, y: 0, scale: 1}, legible = 0.35; // the scale below which no text is to be seen
let frame = -1, selected = null, focused = null;

const columnsOf = (s) => [...s].reduce((n, r) => n + (/[\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uff00-\uffef]/.test(r) ? 2 : 1), 0);

// draw draws everything anew: after a box was opened or closed.
function draw() {
  const {shown, routes} = place(), nodes = document.createDocumentFragment(), arrows = document.createDocumentFragment();
  for (const b of boxes) b.element = null;
  for (const b of shown) nodes.append(node(b));
  for (const r of routes) {
    r.element = element("path", {d: r.d});
    arrows.append(r.element);
  }
  drawn.routes = routes;
  drawn.shown = shown;
  const layers = [element("g", {role: "none"}), element("g", {role: "none", "aria-hidden": "true"})];
  layers[0].append(nodes);
  layers[1].append(arrows);
  world.replaceChildren(...layers);
  mark();
  focusable(focused?.shown ? focused : boxes[0]);
  writeInSight();
}
const drawn = {routes: [], shown: []};

// node is the element of a box: its title, by which it is heard, and its frame. Its texts are written when it comes into sight.
function node(b) {
  const g = element("g", {role: "treeitem", "aria-level": b.level, tabindex: "-1", id: "n" + b.index});
  b.element = g;
  b.written = null;
  g.box = b;
  if (b.members.length > 0) g.setAttribute("aria-expanded", String(b.content !== null));
  g.append(element("title"), element("rect", {x: b.x, y: b.y, width: b.w, height: b.h}));
  dress(b);
  return g;
}

// dress gives a box the state that it has in the frame.
function dress(b) {
  b.state = stateAt(b, Math.max(0, frame));
  b.element.firstChild.textContent = b.state.Details;
  if (b.written) write(b);
}

// write writes the texts of a box.
function write(b) {
  const s = b.state, inner = b.content !== null, texts = [];
  const put = (name, x, y, words) => texts.push(element("text", {class: name, x, y}, words));
  put("mark", b.x + 8, b.y + firstLine, s.Mark);
  put("label", b.x + indent, b.y + firstLine, b.Label);
  if (b.members.length > 0) put("toggle", b.x + b.w - 18, b.y + firstLine, inner ? "⊟" : "⊞");
  let y = b.y + firstLine + (inner ? 0 : lineHeight + 1);
  put("state", b.x + indent + (inner ? beside + columnsOf(b.Label) * letter : 0), y, s.State);
  for (const words of inner ? s.Head : s.Leaf) {
    y += lineHeight;
    put("more", b.x + indent, y, words);
  }
  b.written?.forEach((e) => e.remove());
  b.written = texts;
  b.element.append(...texts);
}

// writeInSight writes the texts of what is in sight, unless it is too small to be read.
function writeInSight() {
  if (view.scale < legible) return;
  const left = -view.x / view.scale, top = -view.y / view.scale, right = left + graph.clientWidth / view.scale, bottom = top + graph.clientHeight / view.scale;
  for (const b of drawn.shown) {
    if (!b.written && b.x < right && b.x + b.w > left && b.y < bottom && b.y + b.h > top) write(b);
  }
}

// mark sets the classes of all that is drawn: phases, the chain, what changed, what is searched, filtered and selected.
function mark() {
  const changed = new Set(), chain = new Set((data.Chains[Math.max(0, frame)] ?? []).map((a) => a.join()));
  if (frame > 0) {
    for (let b of boxes) {
      if (sameWords(stateAt(b, frame), stateAt(b, frame - 1))) continue;
      while (!b.shown) b = boxes[b.Parent];
      changed.add(b);
    }
  }
  for (const b of drawn.shown) {
    const names = ["node", b.state.Class];
    if (b.content) names.push("inner");
    if (changed.has(b)) names.push("changed");
    if (isHit(b)) names.push("hit");
    if (isDim(b)) names.push("dim");
    if (b === selected) names.push("selected");
    b.element.setAttribute("class", names.join(" "));
    b.element.setAttribute("aria-selected", String(b === selected));
  }
  for (const r of drawn.routes) {
    const a = r.arrow, names = ["arrow"];
    if (a.Hook) names.push("hook");
    if (chain.has(a.From + "," + a.To)) names.push("chain");
    if (selected && (a.From === selected.index || a.To === selected.index)) names.push("near");
    r.element.setAttribute("class", names.join(" "));
  }
}

const sameWords = (s, t) => s === t || s.State === t.State && s.Leaf.join("\n") === t.Leaf.join("\n");

// open opens or closes a box and keeps it where it is on the screen.
function open(b, on) {
  if (b.members.length === 0 || on === !b.Closed) return;
  const x = b.x, y = b.y;
  b.Closed = !on;
  draw();
  move(x - b.x, y - b.y);
  drawTimes();
  say(`${b.Label} is ${on ? "open" : "closed"}`);
}

// reveal opens all that a box is inside of.
function reveal(b) {
  let hidden = false;
  for (let p = boxes[b.Parent]; p; p = boxes[p.Parent]) {
    hidden ||= p.Closed;
    p.Closed = false;
  }
  if (!hidden) return;
  draw();
  drawTimes();
}

// focusable makes a box the one that the tab key leads to.
function focusable(b) {
  focused?.element?.setAttribute("tabindex", "-1");
  focused = b;
  b.element.setAttribute("tabindex", "0");
}

function focus(b) {
  focusable(b);
  b.element.focus({preventScroll: true});
  intoView(b);
}

graph.addEventListener("focusin", (event) => { const b = event.target.box; if (b) focusable(b); });
graph.addEventListener("click", (event) => {
  const b = event.target.closest(".node")?.box;
  if (!b || dragged()) return;
  if (event.target.classList.contains("toggle")) return open(b, b.Closed);
  select(b);
});
graph.addEventListener("dblclick", (event) => {
  const b = event.target.closest(".node")?.box;
  if (b) open(b, b.Closed);
});
graph.addEventListener("keydown", (event) => {
  const b = event.target.box;
  if (!b || event.ctrlKey || event.altKey || event.metaKey) return;
  const at = drawn.shown.indexOf(b), go = (to) => { if (to) focus(to); };
  const keys = {
    ArrowDown: () => go(drawn.shown[at + 1]),
    ArrowUp: () => go(drawn.shown[at - 1]),
    ArrowRight: () => { if (b.content) go(b.members[0]); else if (b.members.length) { open(b, true); focus(b); } else go(b.after[0]); },
    ArrowLeft: () => { if (b.content && b.level > 1) { open(b, false); focus(b); } else go(b.before[0] ?? boxes[b.Parent]); },
    Home: () => go(drawn.shown[0]),
    End: () => go(drawn.shown.at(-1)),
    Enter: () => select(b),
    " ": () => select(b),
  };
  if (!keys[event.key]) return;
  event.preventDefault();
  event.stopPropagation();
  keys[event.key]();
});
