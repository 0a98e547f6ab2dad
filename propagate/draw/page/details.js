// The panel of one node: all that is known of it, and ways to its neighbours. The address of the page names the node and the frame.
const panel = byId("details");

// select shows the details of a box; null shows none.
function select(b) {
  selected = b;
  mark();
  details();
  address();
}

function details() {
  panel.hidden = !selected;
  if (!selected) return panel.replaceChildren();
  const [name, ...lines] = stateAt(selected, Math.max(0, frame)).Details.split("\n"), close = html("button", {type: "button", class: "close"}, "close");
  close.addEventListener("click", () => select(null));
  const head = html("h2", {class: "name"}, name);
  panel.replaceChildren(close, head, ...lines.map((l) => html("p", {}, l)));
  if (selected.members.length > 0) {
    const toggle = html("button", {type: "button"}, selected.Closed ? "open it" : "close it");
    toggle.addEventListener("click", () => { open(selected, selected.Closed); details(); });
    panel.append(toggle);
  }
  const around = selected.Parent >= 0 ? [boxes[selected.Parent]] : [];
  neighbours("is inside", around);
  neighbours("comes after", selected.before);
  neighbours("before it comes", selected.after);
  neighbours("holds", selected.members);
}

// neighbours lists boxes, each a way to it.
function neighbours(title, list) {
  if (list.length === 0) return;
  const most = 40, ul = html("ul", {});
  for (const b of list.slice(0, most)) {
    const li = html("li", {}), s = stateAt(b, Math.max(0, frame)), way = html("button", {type: "button", class: "way"}, `${s.Mark} ${b.Label}`);
    way.addEventListener("click", () => show(b));
    li.append(way, html("span", {class: "note"}, " " + s.State));
    ul.append(li);
  }
  if (list.length > most) ul.append(html("li", {class: "note"}, `and ${list.length - most} more`));
  panel.append(html("h3", {}, title), ul);
}

// show leads to a box wherever it is.
function show(b) {
  reveal(b);
  if (graph.clientWidth > 0 && view.scale < 0.5) zoom(0.8 / view.scale);
  focus(b);
  select(b);
}

// address writes the node and the frame into the address, which can be sent to others.
function address() {
  const parts = [];
  if (last > 0 && frame >= 0) parts.push("frame=" + (frame + 1));
  if (selected?.ID) parts.push("node=" + encodeURIComponent(selected.ID));
  const hash = "#" + parts.join("&");
  if (hash === (location.hash || "#")) return;
  history.replaceState(null, "", hash === "#" ? location.pathname + location.search : hash);
}

// follow goes where the address leads.
function follow(hash) {
  const wants = new URLSearchParams(hash.slice(1)), n = Number(wants.get("frame") ?? frame + 1);
  const b = boxes.find((b) => b.ID && b.ID === wants.get("node"));
  if (data.Frames > 1 && Number.isInteger(n)) frameTo(n - 1);
  if (b) show(b);
  else if (wants.has("node")) say("no such node is in the picture");
}
window.addEventListener("hashchange", () => follow(location.hash));
