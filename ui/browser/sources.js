// The ranked sources of a section: hover lights the way on the map at once, a click keeps it and tells Python.
function element(tag, className, ...children) {
  const made = document.createElement(tag);
  made.className = className;
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

function row(source, data, choose) {
  const bar = element("i", `bar ${source.kind}`);
  bar.style.width = `${Math.max(0, Math.min(100, source.width))}%`;
  const line = element(
    "button",
    `row${source.id && source.id === data.chosen ? " on" : ""}${source.path ? " path" : ""}`,
    element("span", `glyph ${source.kind}`),
    ...(source.share
      ? [element("span", "name", source.name), element("span", "track", bar), element("span", "number", source.share)]
      : [element("span", "name wide", source.name)]),
    element("span", "number", source.load),
    element("span", "number listed", source.listed),
    element("span", "number", source.time),
  );
  line.type = "button";
  line.title = source.note;
  line.dataset.source = source.id;
  line.disabled = !source.path;
  line.setAttribute("aria-pressed", Boolean(source.id) && source.id === data.chosen);
  if (source.path) {
    line.onmouseenter = () => map()?.light(source.id);
    line.onmouseleave = () => map()?.light(map()?.chosen.source);
    line.onclick = () => choose(source.id);
  }
  return line;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".sources");
  let open = root.dataset.open === data.section;
  const choose = (id) => setTriggerValue("chosen", id);
  const draw = () => {
    const shown = open ? data.rows : data.rows.filter((source, i) => i < data.few || source.id === data.chosen);
    const more = element("button", "more", open ? data.less : data.more);
    more.type = "button";
    more.onclick = () => {
      open = !open;
      root.dataset.open = open ? data.section : "";
      draw();
    };
    root.replaceChildren(
      element("div", "row head", ...data.heads.map((head, i) => element("span", i > 1 ? "number" : i ? "name" : "", head))),
      ...shown.map((source) => row(source, data, choose)),
      ...(data.rows.length > data.few ? [more] : []),
      ...data.last.map((source) => row(source, data, choose)),
    );
  };
  draw();
}
