// Frames: a film has several, a picture one. Frames are counted from one wherever people see a number.
const sections = Array.from({length: data.Frames}, (_, k) => byId("frame" + (k + 1)));
let timer = 0;

function frameTo(to) {
  to = Math.max(0, Math.min(last, to));
  if (to === frame) return;
  frame = to;
  for (const b of drawn.shown) if (stateAt(b, frame) !== b.state) dress(b);
  sections.forEach((section, k) => { section.hidden = k !== frame; });
  search();
  details();
  count();
  drawTimes();
  if (last === 0) return;
  byId("slider").value = frame + 1;
  byId("at").textContent = `${frame + 1} of ${last + 1}`;
  address();
  const changes = sections[frame].querySelectorAll(".changes>li").length;
  say(`frame ${frame + 1} of ${last + 1}, ${changes} changes`);
}

function stop() {
  clearInterval(timer);
  timer = 0;
  byId("play").textContent = "play";
}

function play() {
  if (timer) return stop();
  if (frame === last) frameTo(0);
  byId("play").textContent = "stop";
  timer = setInterval(() => {
    frameTo(frame + 1);
    if (frame === last) stop();
  }, 1200);
}

const step = (to) => { stop(); frameTo(to); };
const filmKeys = {};
if (last > 0) {
  byId("slider").addEventListener("input", (event) => step(Number(event.target.value) - 1));
  byId("first").addEventListener("click", () => step(0));
  byId("previous").addEventListener("click", () => step(frame - 1));
  byId("next").addEventListener("click", () => step(frame + 1));
  byId("last").addEventListener("click", () => step(last));
  byId("play").addEventListener("click", play);
  Object.assign(filmKeys, {
    ArrowLeft: () => step(frame - 1), ArrowRight: () => step(frame + 1), Home: () => step(0), End: () => step(last), " ": play,
    ",": () => step(frame - 1), ".": () => step(frame + 1),
  });
}
const pageKeys = {
  "+": () => zoom(1.3), "-": () => zoom(1 / 1.3), "0": () => fit(), "/": () => query.focus(), t: () => turn(byId("time").hidden), Escape: () => select(null),
  ...filmKeys,
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.tagName === "INPUT") return;
  if (event.key === " " && event.target.tagName === "BUTTON") return; // it presses what has the focus
  if (!pageKeys[event.key]) return;
  event.preventDefault();
  pageKeys[event.key]();
});

const wanted = location.hash;
draw();
fit(graph.clientWidth < 600 ? 0.75 : 0.5);
frameTo(0);
const culprit = boxes.find((b) => b.shown && /\bculprit\b/.test(b.state.Class) && b.index > 0);
if (culprit) intoView(culprit);
follow(wanted);
