// What part of the graph is seen: zoom, pan, fit, by wheel, pointer, two fingers, buttons and keys.
const pointers = new Map();
let moved = 0;

const dragged = () => moved > 5;

function look() {
  world.setAttribute("transform", `translate(${view.x} ${view.y}) scale(${view.scale})`);
  graph.classList.toggle("far", view.scale < legible);
  writeInSight();
}

// move moves the graph by so much of its own units.
function move(dx, dy) {
  view.x += dx * view.scale;
  view.y += dy * view.scale;
  look();
}

// zoom zooms by a factor and keeps the point at x, y of the window of the graph where it is.
function zoom(factor, x = graph.clientWidth / 2, y = graph.clientHeight / 2) {
  const scale = Math.min(3, Math.max(0.02, view.scale * factor)), by = scale / view.scale;
  view.x = x - (x - view.x) * by;
  view.y = y - (y - view.y) * by;
  view.scale = scale;
  look();
}

// fit shows all of the graph, or as much as can be read.
function fit(least = 0.02) {
  const margin = 10, b = boxes[0], w = graph.clientWidth - 2 * margin, h = graph.clientHeight - 2 * margin;
  view.scale = Math.max(least, Math.min(1, w / b.w, h / b.h));
  view.x = Math.max(margin, margin + (w - b.w * view.scale) / 2);
  view.y = margin;
  look();
}

// intoView moves the graph no more than it must to show a box.
function intoView(b) {
  const left = view.x + b.x * view.scale, top = view.y + b.y * view.scale, w = Math.min(b.w * view.scale, graph.clientWidth - 40);
  const h = Math.min(b.h * view.scale, graph.clientHeight - 40), into = (at, size, room) => Math.max(20 - at, 0) || Math.min(room - 20 - at - size, 0);
  view.x += into(left, w, graph.clientWidth);
  view.y += into(top, h, graph.clientHeight);
  look();
}

graph.addEventListener("wheel", (event) => {
  event.preventDefault();
  const r = graph.getBoundingClientRect();
  zoom(Math.exp(-event.deltaY / (event.deltaMode === 1 ? 20 : 400)), event.clientX - r.left, event.clientY - r.top);
}, {passive: false});
graph.addEventListener("pointerdown", (event) => {
  if (pointers.size === 0) moved = 0;
  pointers.set(event.pointerId, event);
});
window.addEventListener("pointermove", (event) => {
  const before = pointers.get(event.pointerId);
  if (!before) return;
  const others = [...pointers.values()].filter((p) => p.pointerId !== event.pointerId), r = graph.getBoundingClientRect();
  moved += Math.abs(event.clientX - before.clientX) + Math.abs(event.clientY - before.clientY);
  if (others.length === 1) {
    const o = others[0], distance = (p) => Math.hypot(p.clientX - o.clientX, p.clientY - o.clientY);
    zoom(distance(event) / Math.max(1, distance(before)), (event.clientX + o.clientX) / 2 - r.left, (event.clientY + o.clientY) / 2 - r.top);
  } else if (others.length === 0) {
    view.x += event.clientX - before.clientX;
    view.y += event.clientY - before.clientY;
    look();
  }
  pointers.set(event.pointerId, event);
});
for (const end of ["pointerup", "pointercancel"]) window.addEventListener(end, (event) => pointers.delete(event.pointerId));

byId("in").addEventListener("click", () => zoom(1.3));
byId("out").addEventListener("click", () => zoom(1 / 1.3));
byId("fit").addEventListener("click", () => fit());
byId("all").addEventListener("click", () => {
  const closed = boxes.filter((b) => b.members.length > 0 && b.Closed), on = closed.length > 0;
  for (const b of boxes) if (b.members.length > 0 && b.index > 1) b.Closed = !on;
  draw();
  drawTimes();
  fit(0.3);
  say(on ? "all is open" : "all is closed");
});
