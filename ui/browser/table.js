// A table one can sort and click: text, figures, class as a coloured square with its numeral, a margin about its target, a series of months.
const SVG = "http://www.w3.org/2000/svg";

function element(tag, className, ...children) {
  const made = document.createElement(tag);
  made.className = className;
  made.append(...children);
  return made;
}

function drawn(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value));
  made.append(...children);
  return made;
}

const KINDS = {
  text: (value) => [document.createTextNode(value)],
  number: (value) => [document.createTextNode(value)],
  two: (value) => [element("b", "", value[0]), element("small", "", value[1])],
  class: (value) => {
    const square = element("i", value.colour ? "class" : "class unknown");
    square.style.background = value.colour;
    return [square, document.createTextNode(value.label)];
  },
  mark: (value) => [element("span", `mark ${value.kind}`, value.text)],
  margin: (value) => {
    const track = element("span", "track");
    if (value.share !== null) {
      const part = Math.max(-1, Math.min(1, value.share / value.full));
      const bar = element("i", part < 0 ? "bar over" : "bar");
      bar.style.left = part < 0 ? `${50 + 50 * part}%` : "50%";
      bar.style.width = `${50 * Math.abs(part)}%`;
      track.append(bar);
    }
    track.append(element("i", "target"));
    return [track, element("span", "aside", value.text)];
  },
  share: (value) => {
    const track = element("span", "track thin");
    const bar = element("i", "bar");
    bar.style.left = "0";
    bar.style.width = `${100 * Math.max(0, Math.min(1, value.share ?? 0))}%`;
    track.append(bar);
    return [track, element("span", "aside", value.text)];
  },
  months: (value) => {
    const wide = 144, high = 26, known = value.values.filter((one) => one !== null);
    const highest = Math.max(value.target ?? 0, ...known) * 1.05 || 1;
    const most = value.target === null ? highest : Math.min(highest, 2 * value.target);
    const x = (i) => 2 + (i * (wide - 6)) / Math.max(value.values.length - 1, 1);
    const y = (one) => high - 2 - ((high - 5) * Math.min(one, most)) / most;
    const chart = drawn("svg", { viewBox: `0 0 ${wide} ${high}`, class: "spark" });
    let path = "", pen = false;
    value.values.forEach((one, i) => {
      if (one !== null) path += `${pen ? "L" : "M"}${x(i).toFixed(1)} ${y(one).toFixed(1)}`;
      pen = one !== null;
    });
    if (value.target !== null) chart.append(drawn("path", { d: `M0 ${y(value.target)}H${wide}`, class: "goal" }));
    chart.append(drawn("path", { d: path, class: "line" }));
    value.values.forEach((one, i) => {
      if (one !== null && value.target !== null && one > value.target + 1e-12)
        chart.append(drawn("path", { d: `M${x(i)} ${y(one) - 2.4}l2.4 4.2h-4.8z`, class: "peak" }));
    });
    const last = value.values.length - 1;
    if (value.values[last] != null) chart.append(drawn("circle", { cx: x(last), cy: y(value.values[last]), r: 2.4, class: "now" }));
    return [chart];
  },
};

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".table");
  const previous = root.sorted && data.columns.some((column) => column.key === root.sorted.key) ? root.sorted : null;
  root.sorted = previous;
  const table = element("table", "");
  const weights = data.columns.map((column) => column.width);
  const whole = weights.reduce((sum, one) => sum + one, 0);
  const group = document.createElement("colgroup");
  weights.forEach((weight) => { const col = document.createElement("col"); col.style.width = `${(100 * weight) / whole}%`; group.append(col); });
  const body = document.createElement("tbody");
  const compare = (a, b, key) => {
    const [one, other] = [a.sort[key] ?? null, b.sort[key] ?? null];
    if (one === null || other === null) return (one === null) - (other === null);
    return typeof one === "number" && typeof other === "number" ? one - other : String(one).localeCompare(String(other), "zh");
  };
  const fill = () => {
    const order = [...data.rows];
    if (root.sorted) {
      const { key, down } = root.sorted;
      order.sort((a, b) => {
        const found = compare(a, b, key);
        const blank = a.sort[key] == null || b.sort[key] == null;
        return down && !blank ? -found : found;
      });
    }
    body.replaceChildren(...order.map((row) => {
      const line = element("tr", row.id ? (row.id === data.chosen ? "way chosen" : "way") : "");
      line.title = row.note ?? "";
      line.dataset.id = row.id ?? "";
      line.append(...data.columns.map((column) => {
        const value = row.cells[column.key];
        return element("td", `${column.kind} ${column.align ?? ""}`, ...(value == null ? ["–"] : KINDS[column.kind](value)));
      }));
      if (row.id) {
        line.tabIndex = 0;
        const choose = () => setTriggerValue("chosen", row.id);
        line.onclick = choose;
        line.onkeydown = (event) => { if (event.key === "Enter") choose(); };
      }
      return line;
    }));
    table.querySelectorAll("th").forEach((cell, i) => {
      const here = root.sorted?.key === data.columns[i].key;
      cell.ariaSort = here ? (root.sorted.down ? "descending" : "ascending") : "none";
    });
  };
  const heads = element("tr", "", ...data.columns.map((column) => {
    const cell = element("th", `${column.kind} ${column.align ?? ""}`, column.title);
    cell.title = column.help ?? "";
    cell.onclick = () => {
      root.sorted = root.sorted?.key === column.key ? (root.sorted.down ? null : { key: column.key, down: true }) : { key: column.key, down: false };
      fill();
    };
    return cell;
  }));
  table.append(group, element("thead", "", heads), body);
  fill();
  root.replaceChildren(table);
}
