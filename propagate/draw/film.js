"use strict";
// Of every node and arrow the film holds what it looks like from which frame on: a list of frame, state, frame, state.
const last = film.Last, byId = (id) => document.getElementById(id);
const sections = Array.from({length: last + 1}, (_, k) => byId("frame" + k));
let at = -1, timer = 0;

function stateAt(list, frame) {
  let low = 0, high = list.length / 2 - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (list[2 * middle] <= frame) low = middle; else high = middle - 1;
  }
  return list[2 * low + 1];
}

function show(frame) {
  frame = Math.max(0, Math.min(last, frame));
  if (frame === at) return;
  film.Nodes.forEach((list, k) => {
    const state = stateAt(list, frame);
    if (at >= 0 && stateAt(list, at) === state) return;
    const [css, mark, second, third, title] = film.States[state].map((s) => film.Texts[s]);
    const node = byId("n" + k), set = (part, text) => { node.querySelector(part).textContent = text; };
    node.setAttribute("class", css);
    set("title", title);
    set(".mark", mark);
    set(".state", second);
    if (node.querySelector(".more")) set(".more", third);
  });
  film.Arrows.forEach((list, k) => byId("a" + k).classList.toggle("chain", stateAt(list, frame) === 1));
  sections.forEach((section, k) => { section.hidden = k !== frame; });
  at = frame;
  byId("slider").value = frame;
  byId("at").textContent = "frame " + frame + " of " + last;
}

function stop() {
  clearInterval(timer);
  timer = 0;
  byId("play").textContent = "play";
}

function play() {
  if (timer) return stop();
  if (at === last) show(0);
  byId("play").textContent = "stop";
  timer = setInterval(() => {
    show(at + 1);
    if (at === last) stop();
  }, 1200);
}

function go(frame) {
  stop();
  show(frame);
}

byId("slider").addEventListener("input", (event) => go(Number(event.target.value)));
byId("first").addEventListener("click", () => go(0));
byId("previous").addEventListener("click", () => go(at - 1));
byId("next").addEventListener("click", () => go(at + 1));
byId("last").addEventListener("click", () => go(last));
byId("play").addEventListener("click", play);
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const pressed = event.target?.tagName === "BUTTON" || event.target?.id === "fit";
  if (event.key === " " && pressed) return; // it presses what has the focus
  const keys = {ArrowLeft: () => go(at - 1), ArrowRight: () => go(at + 1), Home: () => go(0), End: () => go(last), " ": play};
  if (!keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
});
show(Number(/^#([0-9]{1,6})$/.exec(location.hash)?.[1] ?? 0));
