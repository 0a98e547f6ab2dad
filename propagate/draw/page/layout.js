// Where everything is: the same computation as in place.go and routes.go, on the same numbers, so that a box can be opened or closed.
const padding = 12, gap = 12, gutter = 44, mostGutter = 120, laneHeight = 8, settling = 6, fairWidth = 720, aspect = 1.6;
const lane = -1;

// joins are which items of neighbouring columns an arrow joins, each pair once.
function join(b) {
  const item = new Map(), seen = new Set();
  b.Items.forEach((m, k) => { if (m !== lane) item.set(m, k); });
  b.item = item;
  b.joined = [b.Items.map(() => []), b.Items.map(() => [])];
  for (const a of b.Arrows ?? []) {
    let from = item.get(a.From);
    for (const to of [...(a.Lanes ?? []), item.get(a.To)]) {
      const pair = from * b.Items.length + to;
      if (!seen.has(pair)) {
        seen.add(pair);
        b.joined[0][to].push(from);
        b.joined[1][from].push(to);
      }
      from = to;
    }
  }
}

// place gives every box that is to be seen x, y, w and h, and returns those boxes and the routes of the arrows between them.
function place() {
  for (let i = boxes.length - 1; i >= 0; i--) {
    const b = boxes[i];
    b.content = null;
    [b.w, b.h] = b.Leaf;
    if (b.Closed || b.members.length === 0) continue;
    b.content = b.Shelf ? shelve(b.Shelf) : columns(b);
    b.w = Math.max(b.content.w + 2 * padding, b.Head[0]);
    b.h = b.Head[1] + b.content.h + padding;
  }
  const routes = [];
  boxes.forEach((b, i) => { b.shown = i === 0; });
  boxes[0].x = boxes[0].y = 0;
  for (const b of boxes) {
    if (!b.shown || !b.content) continue;
    const x = b.x + padding, y = b.y + b.Head[1];
    for (const [m, at] of b.content.at) {
      boxes[m].shown = true;
      boxes[m].x = x + at[0];
      boxes[m].y = y + at[1];
    }
    for (const a of b.Arrows ?? []) routes.push({arrow: a, d: route(b, a, x, y)});
  }
  return {shown: inOrder(), routes};
}

// inOrder is what is to be seen, each box before what is inside of it, and that before the next box.
function inOrder() {
  const list = [], stack = [boxes[0]];
  while (stack.length > 0) {
    const b = stack.pop();
    list.push(b);
    if (b.content) stack.push(...b.members.toReversed());
  }
  return list;
}

// shelve puts boxes into rows, in order.
function shelve(list) {
  let area = 0;
  for (const m of list) area += (boxes[m].w + gap) * (boxes[m].h + gap);
  const most = Math.max(fairWidth, Math.trunc(Math.sqrt(area * aspect))), at = new Map();
  let x = 0, y = 0, high = 0, w = 0;
  for (const m of list) {
    const b = boxes[m];
    if (x > 0 && x + b.w > most) { x = 0; y += high + gap; high = 0; }
    at.set(m, [x, y]);
    w = Math.max(w, x + b.w);
    x += b.w + gap;
    high = Math.max(high, b.h);
  }
  return {at, w, h: y + high};
}

// columns puts the columns of a box side by side, and moves what is in them towards what it is joined to.
function columns(b) {
  if (!b.joined) join(b);
  const half = b.Items.map((m) => m === lane ? laneHeight / 2 : (boxes[m].h + gap) / 2);
  const c = {at: new Map(), middle: [], left: [], width: [], column: [], w: 0, h: 0, reach: 0};
  for (const column of b.Columns) {
    let total = 0;
    for (const item of column) total += half[item];
    c.reach = Math.max(c.reach, total);
    let y = -total;
    for (const item of column) { c.middle[item] = y + half[item]; y += 2 * half[item]; }
  }
  if (b.Arrows) {
    const [before, after] = b.joined, n = b.Columns.length;
    for (let round = 0; round < settling; round++) {
      for (let k = 1; k < n; k++) align(b, c, half, b.Columns[k], [before]);
      for (let k = n - 2; k >= 0; k--) align(b, c, half, b.Columns[k], [after]);
    }
    for (let k = 0; k < n; k++) align(b, c, half, b.Columns[k], [before, after]);
  }
  widths(b, c);
  let top = Infinity, bottom = -Infinity;
  b.Items.forEach((_, item) => {
    top = Math.min(top, c.middle[item] - half[item]);
    bottom = Math.max(bottom, c.middle[item] + half[item]);
  });
  b.Items.forEach((m, item) => {
    c.middle[item] -= top + gap / 2;
    if (m === lane) return;
    const k = c.column[item];
    c.at.set(m, [c.left[k] + Math.trunc((c.width[k] - boxes[m].w) / 2), Math.floor(c.middle[item] - boxes[m].h / 2 + 0.5)]);
  });
  c.h = 2 * Math.ceil((bottom - top - gap) / 2);
  return c;
}

function widths(b, c) {
  b.Columns.forEach((column, k) => {
    let links = 0;
    c.width[k] = 0;
    for (const item of column) {
      c.column[item] = k;
      links += b.joined[0][item].length;
      if (b.Items[item] !== lane) c.width[k] = Math.max(c.width[k], boxes[b.Items[item]].w);
    }
    if (k > 0) c.w += b.Arrows ? Math.min(mostGutter, gutter + 2 * links) : gap;
    c.left[k] = c.w;
    c.w += c.width[k];
  });
}

// align moves the items of a column as near as their order allows to those that they are joined to.
function align(b, c, half, column, joined) {
  const offset = [0], blocks = [];
  column.forEach((item, k) => {
    if (k > 0) offset[k] = offset[k - 1] + half[column[k - 1]] + half[item];
    const [want, weight] = wish(b, c, item, joined);
    let block = {first: k, sum: weight * (want - offset[k]), weight};
    while (blocks.length > 0 && block.sum / block.weight < blocks.at(-1).sum / blocks.at(-1).weight) {
      const over = blocks.pop();
      block = {first: over.first, sum: over.sum + block.sum, weight: over.weight + block.weight};
    }
    blocks.push(block);
  });
  const highest = half[column[0]] - c.reach, lowest = c.reach - half[column.at(-1)] - offset.at(-1);
  blocks.forEach((block, n) => {
    const end = n + 1 < blocks.length ? blocks[n + 1].first : column.length;
    const base = Math.min(Math.max(block.sum / block.weight, highest), lowest);
    for (let k = block.first; k < end; k++) c.middle[column[k]] = base + offset[k];
  });
}

function wish(b, c, item, joined) {
  let sum = 0, weight = 0;
  for (const list of joined) {
    for (const other of list[item]) {
      const lanes = (b.Items[item] === lane) + (b.Items[other] === lane), w = [1, 2, 8][lanes];
      sum += w * c.middle[other];
      weight += w;
    }
  }
  return weight === 0 ? [c.middle[item], 0.1] : [sum / weight, weight];
}

// route is an arrow in the language of SVG paths.
function route(b, a, x, y) {
  const c = b.content, from = boxes[a.From], to = boxes[a.To], middle = (box) => box.y + Math.trunc(box.h / 2);
  let at = c.column[b.item.get(a.From)];
  const points = [[from.x + from.w, middle(from)], [x + c.left[at] + c.width[at], middle(from)]];
  for (const item of a.Lanes ?? []) {
    at++;
    const height = y + Math.floor(c.middle[item] + 0.5);
    points.push([x + c.left[at], height], [x + c.left[at] + c.width[at], height]);
  }
  points.push([x + c.left[at + 1], middle(to)], [to.x, middle(to)]);
  let d = "M" + points[0].join(" ");
  for (let k = 1; k < points.length; k++) {
    const [px, py] = points[k - 1], [qx, qy] = points[k], turn = Math.trunc((px + qx) / 2);
    if (px === qx && py === qy) continue;
    d += py === qy ? "H" + qx : `C${turn} ${py} ${turn} ${qy} ${qx} ${qy}`;
  }
  return d;
}
