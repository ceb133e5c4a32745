// The panel of the offline map: a list of sections, a search, and the sources of the section chosen on the map or here.
(() => {
  const told = JSON.parse(document.getElementById("told").textContent);
  const panel = document.getElementById("panel");
  const sections = new Map(told.sections.map((one) => [one.id, one]));
  const SIGN = { over: "▲", at: "◆", holds: "●", none: "○" };

  const element = (tag, text = "", attributes = {}) => {
    const made = document.createElement(tag);
    made.textContent = text;
    Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value));
    return made;
  };

  const row = (cells, act) => {
    const made = element("tr", "", act ? { tabindex: 0 } : {});
    cells.forEach((cell) => made.append(element("td", cell)));
    if (act) {
      made.addEventListener("click", act);
      made.addEventListener("keydown", (event) => event.key === "Enter" && act());
    }
    return made;
  };

  const table = (heads, rows) => {
    const made = element("table");
    const head = element("tr");
    heads.forEach((word) => head.append(element("th", word)));
    made.append(head, ...rows);
    return made;
  };

  const app = () => window.qingyuan.app;
  const body = element("div");

  const choose = (id) => app().choose({ section: id }, "panel");

  function list(words = "") {
    const rows = told.sections
      .filter((one) => `${one.id} ${one.name} ${one.river}`.toLowerCase().includes(words))
      .map((one) => row([`${SIGN[one.status]} ${one.name}`, one.target, one.value, one.margin], () => choose(one.id)));
    const found = words ? points(words) : [];
    body.replaceChildren(
      rows.length ? table([told.words.all, told.words.target, told.words.value, told.words.margin], rows) : "",
      found.length ? table([""], found) : "",
      rows.length || found.length ? "" : element("p", told.words.none, { class: "quiet" }),
    );
  }

  function points(words) {
    const { list: all } = app().points;
    const rows = [];
    for (let i = 0; i < all.id.length && rows.length < 30; i += 1) {
      const name = `${all.id[i]} ${all.name[i]} ${all.code[i]}`;
      if (name.toLowerCase().includes(words)) rows.push(row([`${all.name[i]} ${all.id[i]}`], () => app().chooseSource(app().sourceOf(i), "panel")));
    }
    return rows;
  }

  function show(id) {
    const one = sections.get(id);
    if (!one) return list();
    const rows = one.sources.map(([source, name, kg, share, time, basis]) => {
      const made = row([name, kg, share, time], source && source !== "DIFFUSE" ? () => app().chooseSource(source, "panel") : null);
      made.title = basis;
      return made;
    });
    const back = element("button", told.words.all);
    back.addEventListener("click", () => choose(""));
    body.replaceChildren(
      element("h2", one.verdict),
      element("p", `${one.river} · ${told.words.target} ${one.target} · ${told.words.value} ${one.value} mg/L · ${one.state}`, { class: "quiet" }),
      table([told.words.sources, "kg/d", told.words.share, told.words.time], rows),
      element("p", one.gap || ""),
      back,
    );
    if (one.rows.length) app().showResult({ section: id, rows: one.rows });
    return body;
  }

  const search = element("input", "", { type: "search", placeholder: told.words.search, "aria-label": told.words.search });
  search.addEventListener("input", () => list(search.value.trim().toLowerCase()));
  const print = element("button", told.words.print);
  print.addEventListener("click", () => window.print());
  panel.append(
    element("mark", told.demo), element("h1", told.title), element("div", told.month, { class: "quiet" }), element("p", told.lead),
    search, body, element("footer", told.credit), print,
  );

  // The map's own script stands after this one: it has run when the page has loaded.
  window.addEventListener("load", async () => {
    await app().loaded;
    const { choose: inner } = app();
    app().choose = function chooseAndShow(what, from) {
      inner.call(this, what, from);
      show(this.chosen.section);
    };
    show(app().chosen.section);
    document.body.dataset.ready = "1";
  });
})();
