// Search and filter: what matches is marked, what has another phase is dimmed.
const query = byId("query"), off = new Set();
let hits = new Set(), next = 0;

function isHit(b) { return hits.has(b); }
function isDim(b) { return off.has(b.state.Phase) && !b.content; }

function search() {
  const words = query.value.trim().toLowerCase();
  hits = new Set(words === "" ? [] : boxes.filter((b) =>
    b.Name.toLowerCase().includes(words) || stateAt(b, Math.max(0, frame)).Details.toLowerCase().includes(words)));
  next = 0;
  mark();
  byId("hits").textContent = words === "" ? "" : `${hits.size} of ${boxes.length}`;
}

query.addEventListener("input", search);
query.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    query.value = "";
    search();
  }
  if (event.key !== "Enter" || hits.size === 0) return;
  show([...hits][next % hits.size]);
  query.focus();
  next++;
});

for (const chip of document.querySelectorAll(".chip")) {
  chip.addEventListener("click", () => {
    const phase = chip.dataset.phase, on = off.delete(phase);
    if (!on) off.add(phase);
    chip.setAttribute("aria-pressed", String(on));
    mark();
  });
}

// count says in each chip how many nodes that hold nothing have its phase.
function count() {
  const counts = {};
  for (const b of boxes) {
    const s = stateAt(b, Math.max(0, frame));
    if (b.members.length === 0 && !/\babsent\b/.test(s.Class)) counts[s.Phase] = (counts[s.Phase] ?? 0) + 1;
  }
  for (const chip of document.querySelectorAll(".chip")) {
    const n = counts[chip.dataset.phase] ?? 0;
    chip.querySelector(".count").textContent = n;
    chip.hidden = n === 0 && last === 0;
  }
}
