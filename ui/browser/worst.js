// The sections of a month, worst first: mark, class, name, value against its target; a click chooses one.
function element(tag, className, ...children) {
  const made = document.createElement(tag);
  made.className = className;
  made.append(...children);
  return made;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const rows = data.rows.map((section) => {
    const swatch = element("i", "swatch");
    swatch.style.background = section.colour;
    const bar = element("i", `bar ${section.status}`);
    bar.style.width = `${Math.min(100, section.part * 75)}%`;
    const line = element(
      "button",
      "row",
      element("span", "mark", section.mark),
      element("span", "name", section.name),
      element("span", "number", section.value),
      element("span", "track", bar, element("i", "target")),
      element("span", "aim", section.target),
    );
    line.querySelector(".number").prepend(swatch);
    line.type = "button";
    line.title = section.note;
    line.dataset.section = section.id;
    line.onclick = () => setTriggerValue("chosen", section.id);
    return line;
  });
  const heads = ["", data.heads[0], "mg/L", "", data.heads[1]];
  const head = element("div", "row head", ...heads.map((text, i) => element("span", ["mark", "name", "number", "", "aim"][i], text)));
  parentElement.querySelector(".worst").replaceChildren(head, ...rows);
}
