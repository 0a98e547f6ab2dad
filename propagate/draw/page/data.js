"use strict";
// The page draws what the program wrote into the element "data"; see data.go for what that is. Nothing here decides how a workflow
// stands. The scripts share one scope and run in the order of the list in page.go.
const data = JSON.parse(document.getElementById("data").textContent);
const boxes = data.Boxes, last = data.Frames - 1;
const byId = (id) => document.getElementById(id);

// members are what is directly inside each box; before and after are its neighbours in the order.
boxes.forEach((b, i) => { b.index = i; b.members = []; b.before = []; b.after = []; b.level = 1; });
boxes.forEach((b) => {
  if (b.Parent >= 0) {
    boxes[b.Parent].members.push(b);
    b.level = boxes[b.Parent].level + 1;
  }
  for (const a of b.Arrows ?? []) {
    boxes[a.To].before.push(boxes[a.From]);
    boxes[a.From].after.push(boxes[a.To]);
  }
});

// stateAt is how a box looks in a frame, each text in place of its number.
function stateAt(b, frame) {
  let low = 0, high = b.States.length / 2 - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (b.States[2 * middle] <= frame) low = middle; else high = middle - 1;
  }
  return data.States[b.States[2 * low + 1]];
}
const text = (place) => data.Texts[place];
for (const s of data.States) {
  s.Class = text(s.Class);
  s.Mark = text(s.Mark);
  s.Phase = text(s.Phase);
  s.State = text(s.State);
  s.Details = text(s.Details);
  s.Leaf = (s.Leaf ?? []).map(text);
  s.Head = (s.Head ?? []).map(text);
}

// element makes an element of SVG or HTML. Texts are only ever set as texts.
const svgSpace = "http://www.w3.org/2000/svg";
function element(name, attributes, content, space = svgSpace) {
  const e = document.createElementNS(space, name);
  for (const key in attributes) e.setAttribute(key, attributes[key]);
  if (content !== undefined) e.textContent = content;
  return e;
}
const html = (name, attributes, content) => element(name, attributes, content, "http://www.w3.org/1999/xhtml");

// say tells those who don't see the picture.
function say(words) { byId("live").textContent = words; }
