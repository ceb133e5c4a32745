// Keys of the page beside the map: / searches, the arrows walk the list, Esc goes back. Enter is the button's own.
const TYPING = "input, textarea, select, [contenteditable='true'], [role='listbox'], [role='dialog']";

function rows() {
  const found = [];
  const collect = (root) => {
    for (const one of root.querySelectorAll("*")) {
      if (one.matches("button.row:not(:disabled)")) found.push(one);
      if (one.shadowRoot) collect(one.shadowRoot);
    }
  };
  const panel = document.querySelector(".st-key-panel");
  if (panel) collect(panel);
  return found.filter((one) => one.offsetParent !== null);
}

function focused(root = document) {
  const one = root.activeElement;
  return one?.shadowRoot ? focused(one.shadowRoot) : one;
}

export default function ({ setTriggerValue }) {
  const heard = (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const here = focused();
    if (here?.matches?.(TYPING) || here?.closest?.(TYPING)) return;
    if (event.key === "/") {
      document.querySelector(".st-key-pick_section input")?.focus();
      event.preventDefault();
    } else if (event.key === "Escape" && document.querySelector(".st-key-panel .headline")) {
      setTriggerValue("left", true);
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const list = rows();
      if (!list.length) return;
      const at = list.indexOf(here);
      const step = event.key === "ArrowDown" ? 1 : -1;
      const next = at < 0 ? 0 : Math.min(list.length - 1, Math.max(0, at + step));
      list[next].focus();
      event.preventDefault();
    }
  };
  document.addEventListener("keydown", heard);
  return () => document.removeEventListener("keydown", heard);
}
