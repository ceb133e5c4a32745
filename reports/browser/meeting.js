// The meeting: one sentence, one picture, one source line a view. ← → space: move, B: blank, D: dark, F: full screen, E: edit.
(() => {
  const told = JSON.parse(document.getElementById("told").textContent);
  const { words } = told;
  const sections = new Map(told.sections.map((one) => [one.id, one]));
  const SVG = "http://www.w3.org/2000/svg";
  const ROWS = told.rows;
  const SIGN = { over: "▲", at: "◆", holds: "●", none: "○" };
  const STORE = `qy-story-${told.title}-${told.month}-${stamp(JSON.stringify(told.story))}`;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  let story = saved() || told.story;
  let at = Math.min(Number(location.hash.slice(1)) || 0, story.length - 1);
  let running = 0;

  /** A short mark of what the file itself tells: edits kept by this browser belong to that story, not to a newer one. */
  function stamp(words) {
    return [...words].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 4294967291, 7).toString(36);
  }

  function saved() {
    if (told.keeps) return null;
    try {
      const kept = JSON.parse(localStorage.getItem(STORE) || "null");
      return Array.isArray(kept) && kept.length ? kept.filter((step) => !step.section || sections.has(step.section)) : null;
    } catch {
      return null; // a browser that keeps nothing for files shows the usual story
    }
  }

  function keep() {
    if (told.keeps) return;
    try {
      localStorage.setItem(STORE, JSON.stringify(story));
    } catch {
      // nothing is kept; "save" still writes a file
    }
  }

  function made(tag, text = "", attributes = {}, ...inner) {
    const node = document.createElement(tag);
    node.textContent = text;
    Object.entries(attributes).forEach(([name, value]) => node.setAttribute(name, value));
    node.append(...inner);
    return node;
  }

  function press(word, act, attributes = {}) {
    const node = made("button", word, { type: "button", ...attributes });
    node.addEventListener("click", act);
    return node;
  }

  function full() {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen?.();
  }

  function drawn(tag, attributes = {}, text = "") {
    const node = document.createElementNS(SVG, tag);
    node.textContent = text;
    Object.entries(attributes).forEach(([name, value]) => node.setAttribute(name, value));
    return node;
  }

  const header = made("header", "", {}, made("h1"), made("mark", told.demo));
  const main = made("main");
  const tools = made("nav", "", {}, press(words.edit, () => edit(), { title: "E" }), press(words.full, () => full(), { title: "F" }));
  const footer = made("footer", "", {}, made("span", told.credit), made("kbd", words.keys), tools, made("span"));
  document.body.append(header, main, footer);

  const WHOLE = { x: -20, y: -20, wide: 1040, high: told.map.height + 40, scale: 1 };
  /** The part of the map that the view shows; ``scale`` keeps type and marks as large when it is a small part. */
  let frame = WHOLE;

  /** The part around a section's upstream, a quarter of the map at least. */
  function around([x0, y0, x1, y1]) {
    const [room, scale] = [60, Math.min(1, Math.max(0.25, (x1 - x0 + 120) / WHOLE.wide, (y1 - y0 + 120) / WHOLE.high))];
    const [wide, high] = [WHOLE.wide * scale, WHOLE.high * scale];
    const within = (at, size, least, whole) => Math.max(least, Math.min(at, least + whole - size));
    const x = within((x0 + x1 - wide) / 2, wide, WHOLE.x - room, WHOLE.wide + 2 * room);
    const y = within((y0 + y1 - high) / 2, high, WHOLE.y - room, WHOLE.high + 2 * room);
    return { x, y, wide, high, scale };
  }

  /** Districts, rivers, names. Reaches ``apart`` get a path of their own; the others share one for each width. */
  function basemap(apart = [], part = WHOLE) {
    frame = part;
    const svg = drawn("svg", { viewBox: `${part.x} ${part.y} ${part.wide} ${part.high}`, role: "img", style: `--scale:${part.scale}` });
    told.map.districts.forEach(([d]) => svg.append(drawn("path", { d, class: "district" })));
    told.map.districts.forEach(([, x, y, name]) => svg.append(drawn("text", { x, y, class: "name faint" }, name)));
    const own = new Set(apart);
    const [shared, reaches] = [new Map(), new Map()];
    const stroke = (d, width) => drawn("path", { d, class: "reach", "stroke-width": width * Math.sqrt(part.scale) });
    Object.entries(told.map.reaches).forEach(([id, [d, width]]) => {
      if (own.has(id)) reaches.set(id, stroke(d, width));
      else shared.set(width, (shared.get(width) || "") + d);
    });
    svg.append(...[...shared].map(([width, d]) => stroke(d, width)), ...reaches.values());
    told.map.rivers.forEach(([x, y, name]) => svg.append(drawn("text", { x, y: y - 8 * part.scale, class: "name" }, name)));
    return { svg, reaches };
  }

  /** Where a section's mark stands: apart from its neighbours on the whole map, in its place on a part. */
  const spot = (one) => (frame === WHOLE ? one.spot : one.at);

  /** Marks into a group, the worst last and so on top; each that had to be moved keeps a fine line to its place. */
  function marks(group, list, drawn_) {
    [...list].reverse().forEach((one) => {
      const [[x, y], [px, py]] = [spot(one), one.at];
      if (Math.hypot(x - px, y - py) > 5) group.append(drawn("line", { x1: px, y1: py, x2: x, y2: y, class: "lead" }));
      group.append(drawn_(one));
    });
  }

  function mark(one, points = 14, status = one.status, colour = one.colour) {
    const [x, y] = spot(one);
    const size = points * frame.scale;
    const shape = {
      over: ["path", { d: `M${x},${y - size * 1.2}L${x + size * 1.1},${y + size * 0.8}L${x - size * 1.1},${y + size * 0.8}Z` }],
      at: ["path", { d: `M${x},${y - size * 1.2}L${x + size * 1.2},${y}L${x},${y + size * 1.2}L${x - size * 1.2},${y}Z` }],
    }[status] || ["circle", { cx: x, cy: y, r: size }];
    return drawn(shape[0], { ...shape[1], class: "mark", fill: colour });
  }

  /** Section names beside their marks; one that would cover another or a mark goes round it, then farther with a line. */
  function name(svg, list, points = 29, words_ = (one) => `${one.name}${one.value === "—" ? "" : ` ${one.value}`}`) {
    const k = frame.scale;
    const size = points * k;
    const marked = frame === WHOLE ? placed() : list;
    const taken = marked.map((one) => spot(one)).map(([x, y]) => [x - 15 * k, y - 15 * k, x + 15 * k, y + 15 * k]);
    list.forEach((one) => {
      const [x, y] = spot(one);
      const text = words_(one);
      const wide = [...text].reduce((sum, c) => sum + (c.charCodeAt(0) > 0x2e7f ? size : size * 0.58), 0);
      const aside = Math.max(20, 0.75 * points) * k;
      const right = [[x + aside, y + 0.35 * size], [x + aside, y + 38 * k], [x + aside, y - 18 * k]];
      const left = right.map(([px, py]) => [2 * x - px - wide, py]);
      const near = [right[0], left[0], [x - wide / 2, y + 44 * k], [x - wide / 2, y - 22 * k], right[1], right[2], left[1], left[2]];
      const far = [60, 80, 100, 125, 150, 200].flatMap((away) => [[x - wide / 2, y - away * k], [x - wide / 2, y + (away + 20) * k], [x - wide - away * k, y - away * k], [x + away * k, y + away * k], [x - wide - away * k, y + away * k], [x + away * k, y - away * k]]);
      const free = [...near, ...far].find(([px, py]) => {
        const box = [px, py - size, px + wide, py + 4 * k];
        const inside = box[0] > frame.x && box[2] < frame.x + frame.wide && box[1] > frame.y && box[3] < frame.y + frame.high;
        return inside && !taken.some((t) => box[0] < t[2] && box[2] > t[0] && box[1] < t[3] && box[3] > t[1]);
      });
      if (!free) return;
      if (far.includes(free)) {
        const end = [Math.max(free[0], Math.min(x, free[0] + wide)), free[1] < y ? free[1] + 4 * k : free[1] - size];
        svg.insertBefore(drawn("line", { x1: x, y1: y, x2: end[0], y2: end[1], class: "lead" }), svg.querySelector(".marks"));
      }
      taken.push([free[0], free[1] - size, free[0] + wide, free[1] + 4 * k]);
      svg.append(drawn("text", { x: free[0], y: free[1], class: "place", style: `font-size:${size}px` }, text));
    });
  }

  function bars(one) {
    const most = Math.max(...one.sources.flatMap(([, , share, , listed]) => [share, listed]), 0.01);
    const wide = (share, kind) => made("b", "", { class: kind, style: `width:${(100 * share) / most}%` });
    return one.sources.map(([source, kg, share, percent, listed, said]) =>
      made("div", "", { class: "bar", title: `${words.listed} ${said}` }, made("span", source), made("span", "", {}, wide(share, ""), wide(listed, "listed")), made("span", `${kg} · ${percent}`)));
  }

  function history(one) {
    const svg = drawn("svg", { viewBox: "0 0 600 270", style: "height:34vh" });
    const values = one.history.map(([, value]) => value);
    const target = Number(one.target);
    const top = Math.max(...values, target) * 1.1;
    const x = (i) => 66 + (i * 514) / Math.max(values.length - 1, 1);
    const y = (value) => 222 - (value / top) * 207;
    svg.append(drawn("line", { x1: 66, x2: 580, y1: y(target), y2: y(target), stroke: "var(--red)", "stroke-width": 2, "stroke-dasharray": "7 5" }));
    svg.append(drawn("text", { x: 60, y: y(target) + 9, "text-anchor": "end", "font-size": 28, fill: "var(--red)" }, one.target));
    svg.append(drawn("polyline", { points: values.map((value, i) => `${x(i)},${y(value)}`).join(" "), fill: "none", stroke: "var(--blue)", "stroke-width": 4 }));
    svg.append(drawn("circle", { cx: x(values.length - 1), cy: y(values[values.length - 1]), r: 8, fill: "var(--blue)" }));
    if (one.history.length > 1) {
      svg.append(drawn("text", { x: 66, y: 260, "font-size": 28, fill: "var(--quiet)" }, one.history[0][0]));
      svg.append(drawn("text", { x: 580, y: 260, "font-size": 28, "text-anchor": "end", fill: "var(--quiet)" }, one.history[one.history.length - 1][0]));
    }
    return svg;
  }

  const placed = () => told.sections.filter((one) => one.at);
  const side = (...inner) => made("div", "", { class: "side" }, ...inner);

  const VIEWS = {
    situation() {
      const { svg } = basemap();
      const group = drawn("g", { class: "marks" });
      svg.append(group);
      marks(group, placed(), (one) => mark(one));
      name(svg, placed());
      const rows = told.sections.slice(0, ROWS).map((one) => made("tr", "", {}, made("td", `${SIGN[one.status]} ${one.name}`), made("td", one.target, { class: "n" }), made("td", one.value, { class: "n" })));
      const head = made("tr", "", {}, made("th", words.section), made("th", words.target, { class: "n" }), made("th", `${words.value} mg/L`, { class: "n" }));
      return [told.lead, svg, side(made("table", "", {}, head, ...rows), made("div", told.more, { class: "quiet" }), made("div", words.signs, { class: "quiet" }))];
    },

    section({ section }) {
      const one = sections.get(section);
      const { svg } = basemap();
      marks(svg, [one, ...placed().filter((other) => other !== one)].filter((other) => other.at), (other) => {
        const node = mark(other, other === one ? 22 : 9);
        if (other !== one) node.classList.add("faint");
        return node;
      });
      if (one.at) name(svg, [one], 42);
      return [one.verdict, svg, side(made("div", one.value, { class: "big" }), made("div", `mg/L · ${words.target} ${one.target} · ${one.state}`, { class: "quiet" }), made("div", words.since, { class: "quiet" }), history(one))];
    },

    trace({ section }) {
      const one = sections.get(section);
      const { svg, reaches } = basemap([...Object.keys(one.up), ...one.rest, ...one.way], one.box ? around(one.box) : WHOLE);
      svg.classList.add("tracing");
      const clock = drawn("text", { x: frame.x + 20 * frame.scale, y: frame.y + frame.high - 20 * frame.scale, class: "clock" });
      svg.append(clock);
      if (one.first) svg.append(drawn("text", { x: clock.getAttribute("x"), y: clock.getAttribute("y") - 46 * frame.scale, class: "clock of" }, one.first.join(" ")));
      if (one.at) svg.append(mark(one, 20));
      if (one.at) name(svg, [one], 36);
      light(one, reaches, clock, svg);
      const title = one.sources.length ? one.chief : one.verdict;
      return [title, svg, side(made("div", "", { class: "quiet" }, `${words.sources} kg/d　`, ...[["key", words.best], ["key listed", words.listed]].map(([kind, word]) => made("span", "", { class: "said" }, made("i", "", { class: kind }), `${word}　`))), ...bars(one), made("div", one.gap, { class: "quiet" }))];
    },

    causes({ section }) {
      const one = sections.get(section);
      const rows = one.causes.map(([who, chance, evidence]) => made("div", "", {}, made("div", `${who} ${(100 * chance).toFixed(0)}%`, { class: "big", style: "font-size:1.7em" }), ...evidence.map((line) => made("div", /^[＋－]/.test(line) ? line : `· ${line}`, { class: "quiet" }))));
      const { svg } = basemap();
      marks(svg, [one, ...placed().filter((other) => other !== one)].filter((other) => other.at), (other) => mark(other, other === one ? 20 : 9));
      if (one.at) name(svg, [one], 36);
      const next = one.next ? [made("div", `${words.next} ▸ ${one.next}`, { style: "font-weight:700" })] : [];
      const body = rows.length ? rows : [made("div", words.none), ...bars(one)];
      return [one.causes.length ? `${one.name}${words.colon}${one.likely}` : one.verdict, svg, side(...body, ...next)];
    },

    plan() {
      const { svg } = basemap();
      const [high, sides] = [told.map.height + 40, ["left", "right"].map((id) => drawn("clipPath", { id }))];
      const [window_, rest] = [drawn("rect", { x: -20, y: -20, width: 520, height: high }), drawn("rect", { x: 500, y: -20, width: 520, height: high })];
      [window_, rest].forEach((part, i) => sides[i].append(part));
      const [before, after] = ["left", "right"].map((id) => drawn("g", { class: "marks", "clip-path": `url(#${id})` }));
      const coloured = (one, status) => mark(one, 15, status, status === "over" ? "#d7301f" : "#4393c3");
      const told_ = placed().filter((one) => told.plan.sections[one.id]);
      marks(before, told_, (one) => coloured(one, told.plan.sections[one.id][0][1]));
      marks(after, told_, (one) => coloured(one, told.plan.sections[one.id][1][1]));
      const edge = drawn("line", { x1: 500, x2: 500, y1: -20, y2: told.map.height + 20, stroke: "var(--ink)", "stroke-width": 2 });
      svg.append(...sides, after, before, edge);
      name(svg, told_.filter((one) => told.plan.sections[one.id][0][1] === "over"), 26, (one) => one.name);
      const swipe = made("input", "", { type: "range", min: -20, max: 1020, value: 500, class: "swipe", "aria-label": `${words.before} / ${words.after}` });
      swipe.addEventListener("input", () => {
        window_.setAttribute("width", Number(swipe.value) + 20);
        rest.setAttribute("x", swipe.value);
        rest.setAttribute("width", 1020 - swipe.value);
        edge.setAttribute("x1", swipe.value);
        edge.setAttribute("x2", swipe.value);
      });
      const picture = made("div", "", { style: "display:grid;grid-template-rows:1fr auto;min-height:0" }, svg, swipe);
      const head = made("tr", "", {}, made("th", words.section), made("th", words.target, { class: "n" }), made("th", words.before, { class: "n" }), made("th", words.after, { class: "n" }));
      const rows = told.sections.filter((one) => told.plan.sections[one.id]).slice(0, ROWS).map((one) => {
        const [was, will, target, basis] = told.plan.sections[one.id];
        const cell = ([value, status]) => made("td", `${SIGN[status]} ${value}`, { class: status === "over" ? "n over" : "n" });
        return made("tr", "", {}, made("td", basis ? `${one.name} (${basis})` : one.name), made("td", target, { class: "n" }), cell(was), cell(will));
      });
      return [told.plan.title, picture, side(made("table", "", {}, head, ...rows), made("div", told.more ? `${told.more}${words.stop}${words.from}` : words.from, { class: "quiet" }))];
    },

    tasks() {
      const head = made("tr", "", {}, ...told.tasks.heads.map((word) => made("th", word)));
      const rows = told.tasks.rows.map((row) => made("tr", "", {}, ...row.map((cell) => made("td", cell))));
      return [told.tasks.title, side(made("table", "", {}, head, ...rows), made("div", told.tasks.more, { class: "quiet" }))];
    },
  };

  /** Upstream lights up in the order of travel time; then a plume runs down from the first source, to the same clock. */
  function light(one, reaches, clock, svg) {
    const longest = Math.max(...Object.values(one.up), 0.01);
    const order = Object.entries(one.up).sort((a, b) => a[1] - b[1]);
    const whole = still ? 0 : 3500;
    const start = performance.now();
    const way = one.way.map((id) => reaches.get(id)).filter(Boolean);
    const mine = ++running;
    const plume = drawn("path", { class: "plume" });
    svg.append(plume);
    let lit = 0;
    const step = (now) => {
      if (mine !== running) return;
      const part = whole ? Math.min((now - start) / whole, 1) : 1;
      for (; lit < order.length && order[lit][1] <= part * longest; lit += 1) reaches.get(order[lit][0])?.classList.add("lit");
      clock.textContent = `${words.upstream}${words.colon}${part < 1 ? "" : `${words.farthest} `}${Math.round(24 * part * longest)} ${words.hours}`;
      if (part < 1) return requestAnimationFrame(step);
      one.rest.forEach((id) => reaches.get(id)?.classList.add("lit"));
      way.forEach((path) => path.classList.add("way"));
      if (one.rest.length) clock.textContent += ` · ${words.unknown}`;
      return run(plume, one, reaches, mine);
    };
    requestAnimationFrame(step);
  }

  function run(plume, one, reaches, mine) {
    const ids = one.way.filter((id) => reaches.has(id) && id in one.up);
    if (!ids.length || still) return;
    const ends = [...ids.map((id) => one.up[id]), 0];
    const whole = 5000;
    const start = performance.now();
    const step = (now) => {
      if (mine !== running) return;
      const left = ends[0] * (1 - (((now - start) % (whole * 1.25)) / whole));
      const i = ids.findIndex((_, k) => left <= ends[k] && left >= ends[k + 1]);
      if (i >= 0) {
        const path = reaches.get(ids[i]);
        const length = path.getTotalLength();
        const to = length * ((ends[i] - left) / Math.max(ends[i] - ends[i + 1], 1e-9));
        const [a, b] = [path.getPointAtLength(Math.max(to - 26 * frame.scale, 0)), path.getPointAtLength(to)];
        plume.setAttribute("d", `M${a.x},${a.y}L${b.x},${b.y}`);
      }
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  function show() {
    running += 1;
    const step = story[at];
    const [title, ...parts] = VIEWS[step.kind](step);
    header.firstChild.textContent = title.replace(/(?<=\d) (?=\S)/g, "\u00a0"); // a figure is never parted from its unit
    main.classList.toggle("wide", parts.length === 1);
    if (step.note) parts[parts.length - 1].append(made("div", step.note, { class: "note" }));
    main.replaceChildren(...parts);
    main.querySelectorAll("svg").forEach(clear);
    footer.lastChild.textContent = `${at + 1} / ${story.length}`;
    document.body.dataset.view = step.kind;
    history_(at);
  }

  function history_(i) {
    try {
      window.history.replaceState(null, "", `#${i}`);
    } catch {
      // a page inside another may not change its address
    }
  }

  /** A river or district whose name would run into another, or under a mark, goes without its name. */
  function clear(svg) {
    const taken = [...svg.querySelectorAll(".place, .mark, .clock")].map((node) => node.getBBox());
    const hit = (a, b) => a.x < b.x + b.width && a.x + a.width > b.x && a.y < b.y + b.height && a.y + a.height > b.y;
    const outside = (box) => box.x < frame.x || box.y < frame.y || box.x + box.width > frame.x + frame.wide || box.y + box.height > frame.y + frame.high;
    [...svg.querySelectorAll(".name:not(.faint)"), ...svg.querySelectorAll(".name.faint")].forEach((node) => {
      const box = node.getBBox();
      if (outside(box) || taken.some((other) => hit(box, other))) node.remove();
      else taken.push(box);
    });
  }

  const move = (by) => {
    at = Math.max(0, Math.min(at + by, story.length - 1));
    show();
  };

  function blank() {
    const black = document.getElementById("black");
    if (black) black.remove();
    else document.body.append(made("div", "", { id: "black" }));
  }

  function edit() {
    const open = document.getElementById("edit");
    if (open) return open.remove();
    const list = made("ol");
    const box = made("div", "", { id: "edit" }, made("p", words.keys, { class: "quiet" }), list);
    const label = (step) => [words[step.kind], sections.get(step.section)?.name].filter(Boolean).join(" · ");
    const fill = () => {
      list.replaceChildren(...story.map((step, i) => {
        const note = made("input", "", { placeholder: words.note, value: step.note || "" });
        note.addEventListener("input", () => {
          step.note = note.value;
          keep();
        });
        const swap = (j) => {
          if (j < 0 || j >= story.length) return;
          [story[i], story[j]] = [story[j], story[i]];
          keep();
          fill();
        };
        return made("li", "", {}, made("span", label(step)), note, press(words.up, () => swap(i - 1)), press(words.down, () => swap(i + 1)), press(words.remove, () => {
          if (story.length === 1) return;
          story.splice(i, 1);
          keep();
          fill();
        }));
      }));
    };
    const kinds = made("select");
    const offered = [{ kind: "situation" }, ...(told.plan ? [{ kind: "plan" }] : []), ...(told.tasks ? [{ kind: "tasks" }] : [])];
    told.sections.forEach((one) => offered.push(...["section", "trace", "causes"].map((kind) => ({ kind, section: one.id }))));
    offered.forEach((step, i) => kinds.append(made("option", label(step), { value: i })));
    const add = press(words.add, () => {
      story.push({ ...offered[kinds.value] });
      keep();
      fill();
    });
    const usual = press(words.usual, () => {
      story = told.usual.map((step) => ({ ...step }));
      keep();
      fill();
    });
    const done = press(words.done, () => {
      box.remove();
      at = Math.min(at, story.length - 1);
      show();
    });
    box.append(kinds, add, ...(told.keeps ? [press(words.keep, handOver)] : []), press(words.save, download), usual, done);
    story = story.map((step) => ({ ...step }));
    fill();
    document.body.append(box);
    return box;
  }

  /** To the app around this page, which keeps it with the project; the usual story is kept by keeping none. */
  function handOver() {
    const plain = JSON.stringify(story) === JSON.stringify(told.usual);
    window.parent.postMessage({ qingyuan: "story", story: plain ? [] : story }, "*");
  }

  /** A copy of this file that tells the edited story. */
  function download() {
    const copy = document.implementation.createHTMLDocument(document.title);
    copy.documentElement.lang = document.documentElement.lang;
    copy.head.innerHTML = document.head.innerHTML;
    const data = JSON.stringify({ ...told, story, keeps: false }).replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
    const holder = copy.createElement("script");
    holder.id = "told";
    holder.type = "application/json";
    holder.textContent = data;
    const code = copy.createElement("script");
    code.textContent = [...document.querySelectorAll("script")].find((node) => !node.id).textContent;
    copy.body.append(holder, code);
    const link = made("a", "", { download: `${told.title}.html`, href: URL.createObjectURL(new Blob([`<!doctype html>\n${copy.documentElement.outerHTML}`], { type: "text/html" })) });
    link.click();
  }

  document.addEventListener("keydown", (event) => {
    if (event.target.tagName === "INPUT" && event.target.type !== "range") return;
    const keys = {
      ArrowRight: () => move(1), PageDown: () => move(1), " ": () => move(1), ArrowLeft: () => move(-1), PageUp: () => move(-1),
      Home: () => move(-story.length), End: () => move(story.length), b: blank, B: blank, ".": blank, e: edit, E: edit,
      f: full,
      d: () => document.documentElement.classList.toggle("dark"), Escape: () => document.getElementById("edit")?.remove(),
    };
    if (event.target.type === "range" && event.key.startsWith("Arrow")) return;
    const act = keys[event.key] || keys[event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    act();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("#edit, button, input, select, #black")) return;
    move(event.clientX > innerWidth * 0.25 ? 1 : -1);
  });
  /** Within the app a clicker works at once, unless somebody is typing beside the show. */
  function listen() {
    const { parent } = window;
    if (parent === window) return;
    try {
      if (parent.document.activeElement === parent.document.body) window.focus();
    } catch {
      // a page of somebody else's: one click in the show, and its keys work
    }
  }

  show();
  listen();
})();
