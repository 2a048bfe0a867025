// Keys by their physical place (event.code), so that they work in the Russian layout.
// Markup: data-key="KeyC" clicks the element, data-key-focus="Slash" focuses it, data-key="Ctrl+Enter" also while
// typing.
// data-row-key="KeyX" with data-key-hint does the same inside the current row of a list.
// Lists: a table[data-rows] whose rows are tr[data-row]; ↑ ↓ move, Enter opens the row's a[data-open], Space clicks its
// [data-mark].
// `?` shows the keys of the page: every element with data-key and data-key-hint, and the list keys.
"use strict";
(() => {
  const TEXT = "input:not([type=checkbox], [type=radio], [type=button], [type=submit])";
  const typing = (target) => target.closest(`${TEXT}, textarea, select, [contenteditable]`);
  const visible = (element) => element.getClientRects().length > 0 && !element.disabled;
  const named = (attribute, code) => [...document.querySelectorAll(`[${attribute}="${code}"]`)].find(visible);

  function rows() {
    const table = [...document.querySelectorAll("table[data-rows]")].find(visible);
    return table ? [...table.querySelectorAll("tr[data-row]")].filter(visible) : [];
  }
  const current = () => document.querySelector("tr[data-row][aria-selected=true]");

  function select(row) {
    current()?.removeAttribute("aria-selected");
    if (!row) return;
    row.setAttribute("aria-selected", "true");
    row.scrollIntoView({ block: "nearest" });
    row.dispatchEvent(new CustomEvent("row:selected", { bubbles: true }));
  }
  function move(step) {
    const all = rows();
    if (!all.length) return false;
    const at = all.indexOf(current());
    select(all[Math.min(all.length - 1, Math.max(0, at < 0 ? (step > 0 ? 0 : all.length - 1) : at + step))]);
    return true;
  }
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-keys-help]")) help();
    const row = event.target.closest("tr[data-row]");
    if (row) select(row);
  });

  function help() {
    let box = document.getElementById("key-help");
    if (box) {
      box.close();
      box.remove();
      return;
    }
    box = document.createElement("dialog");
    box.id = "key-help";
    box.className = "card card-body";
    const lines = [
      ["/", "поиск пациента"],
      ["?", "эта подсказка"],
    ];
    if (rows().length) lines.push(["↑ ↓", "строка"], ["Enter", "открыть"]);
    document.querySelectorAll("[data-key][data-key-hint], [data-key-focus][data-key-hint]").forEach((element) => {
      if (visible(element))
        lines.push([
          element.dataset.keyHint,
          (element.dataset.keyName || element.getAttribute("aria-label") || element.textContent)
            .trim()
            .replace(/\s+/g, " ")
            .slice(0, 60),
        ]);
    });
    const seen = new Set();
    document.querySelectorAll("tr[data-row] [data-row-key][data-key-hint]").forEach((element) => {
      if (seen.has(element.dataset.rowKey) || !visible(element)) return;
      seen.add(element.dataset.rowKey);
      lines.push([element.dataset.keyHint, `${element.dataset.keyName} (в выбранной строке)`]);
    });
    const title = document.createElement("h2");
    title.className = "h3";
    title.textContent = "Клавиши";
    const list = document.createElement("dl");
    list.className = "facts";
    for (const [key, what] of lines) {
      const dt = document.createElement("dt"),
        dd = document.createElement("dd"),
        kbd = document.createElement("kbd");
      kbd.textContent = key;
      dt.append(kbd);
      dd.textContent = what;
      list.append(dt, dd);
    }
    const close = document.createElement("button");
    close.className = "btn mt-3";
    close.textContent = "Закрыть (Esc)";
    close.addEventListener("click", () => box.close());
    box.addEventListener("close", () => box.remove());
    box.append(title, list, close);
    document.body.append(box);
    box.showModal();
  }

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey || event.metaKey) return;
    const code =
      (event.ctrlKey ? "Ctrl+" : "") +
      (event.shiftKey ? "Shift+" : "") +
      event.code.replace("Numpad", "Digit").replace("DigitEnter", "Enter");
    if (typing(event.target) && !event.ctrlKey && event.code !== "Escape") return;
    if (document.querySelector("dialog[open]")) return; // Escape closes the dialog alone
    if (code === "Shift+Slash" || code === "Shift+Digit7") {
      event.preventDefault();
      help();
      return;
    }
    const focused = named("data-key-focus", code);
    if (focused) {
      event.preventDefault();
      focused.focus();
      focused.select?.();
      return;
    }
    const pressed = named("data-key", code);
    if (pressed) {
      event.preventDefault();
      pressed.click();
      return;
    }
    const inRow = current()?.querySelector(`[data-row-key="${code}"]`);
    if (inRow) {
      event.preventDefault();
      inRow.click();
      return;
    }
    if (
      event.ctrlKey ||
      (event.target.closest("a, button, summary, [role=menu]") &&
        event.code !== "ArrowDown" &&
        event.code !== "ArrowUp")
    )
      return;
    if ((event.code === "ArrowDown" && move(1)) || (event.code === "ArrowUp" && move(-1))) {
      event.preventDefault();
      return;
    }
    const row = current();
    if (row && event.code === "Enter") {
      row.querySelector("[data-open]")?.click();
      event.preventDefault();
    }
    if (row && event.code === "Space") {
      const mark = row.querySelector("[data-mark]");
      if (mark) {
        mark.click();
        event.preventDefault();
      }
    }
  });

  window.dozvonRows = { select, current, rows };
})();
