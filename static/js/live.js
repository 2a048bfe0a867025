// Live screens by hints (callcenter/lib/live_updates.py): asks `/live` every 2 s and lets htmx
// fetch again only the parts that changed.
//
// How a template marks a live part. The part names its topics, the address that renders it, and swaps itself:
//
//   {% partialdef rows inline %}
//   <div
//     id="rows"
//     {% live "journal:clinic:3" %}
//     hx-get="{{ request.get_full_path }}"
//     hx-trigger="live"
//     hx-target="this"
//     hx-swap="outerHTML"
//   >
//     … <tr id="row-15"> …
//   </div>
//   {% endpartialdef %}
//
// * `{% live "topic" … %}` gives `data-live`; the action that writes says `live.bump("topic")`.
// * `hx-trigger="live"` is the event this script sends. The view answers with the part alone (its partial), or the
//   whole page together with `hx-select="#rows"`.
// * Give rows (`tr`, `li`, cards) an id: the row under the cursor then keeps its content and its place on the screen
//   while the others change; it is brought up to date when the cursor leaves.
// * A part in which somebody is typing (a field with the focus, changed fields, an open menu or dialog) waits until he
//   is done.
// * For long lists, let the live part be a small element (counters, say) whose answer carries the changed rows alone:
//   `<template data-list="ID OF TBODY"><tr id data-order data-v data-row-url>…</tr></template>` for a row that is new,
//   changed or moved: it goes where its `data-order` (compared as text) wants it; `<template data-gone="ID OF ROW">`
//   for one that has left. The row under the cursor keeps its content and its place on the screen, whatever comes and
//   goes around it, until the cursor leaves. `data-v`, a number that grows, keeps a late answer from showing an older
//   state.
//
// Pauses in hidden tabs, slows down when nobody moves, refreshes all parts every 10 s while Valkey is away.
"use strict";
(() => {
  const EVERY = 2000,
    IDLE_AFTER = 60_000,
    IDLE_EVERY = 5000,
    ASLEEP_AFTER = 600_000,
    ASLEEP_EVERY = 20_000,
    FIELDS = "input, textarea, select, [contenteditable]";
  let timer = 0,
    running = false,
    moved = Date.now();
  const marks = new Map(); // of each part (by its id): the state of its topics when it was last looked at
  const waiting = new Set(); // ids of parts and rows that changed while somebody was in them

  const parts = () => [...document.querySelectorAll("[data-live]")];
  const state = (word) => {
    document.body.dataset.liveState = word;
  };

  let pressed = null; // what is being pressed: a click is lost when its button is exchanged between down and up
  document.addEventListener(
    "pointerdown",
    (event) => {
      pressed = event.target;
    },
    { passive: true, capture: true },
  );
  for (const name of ["pointerup", "pointercancel"]) {
    document.addEventListener(
      name,
      () =>
        setTimeout(() => {
          pressed = null;
        }),
      { passive: true, capture: true },
    );
  }

  function busy(element) {
    if (pressed && element.contains(pressed)) return true;
    const focus = document.activeElement;
    if (
      focus &&
      focus !== document.body &&
      element.contains(focus) &&
      focus.matches(FIELDS) &&
      !focus.matches("[type=checkbox], [type=radio], [type=button], [type=submit]")
    )
      return true;
    if (element.dataset.busy || element.matches("tr.htmx-request, [data-editing]")) return true;
    if (element.querySelector(".dropdown-menu.show, dialog[open], details[open] form, [data-editing], .htmx-request"))
      return true;
    return [...element.querySelectorAll("textarea, input[type=text], input:not([type])")].some(
      (field) => field.value !== field.defaultValue,
    );
  }
  const hovered = (part) =>
    [...part.querySelectorAll("tr[id], li[id], [data-live-row][id]")].find((row) => row.matches(":hover"));

  function refresh(part) {
    if (!part.isConnected) return;
    if (busy(part)) {
      if (part.id) waiting.add(part.id);
      return;
    }
    window.htmx.trigger(part, "live");
  }

  // The row under the cursor stays as it is, where it is.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const part = event.detail.target;
    if (!part?.matches?.("[data-live]") || !event.detail.shouldSwap || event.detail.xhr.status !== 200) return;
    const selected = part.querySelector("tr[aria-selected=true]")?.id;
    if (event.detail.requestConfig?.triggeringEvent?.type !== "live") {
      requestAnimationFrame(() => setTimeout(() => putBack({ selected })));
      return;
    }
    if (busy(part)) {
      event.detail.shouldSwap = false;
      if (part.id) waiting.add(part.id);
      return;
    }
    const row = hovered(part),
      focus = document.activeElement;
    const kept = {
      row: row?.id,
      top: row?.getBoundingClientRect().top,
      focus: part.contains(focus) ? focus.id : "",
      selected,
    };
    if (row) {
      const fresh = document.createElement("template");
      fresh.innerHTML = event.detail.serverResponse;
      const twin = fresh.content.querySelector(`#${CSS.escape(row.id)}`);
      if (twin && twin.outerHTML !== row.outerHTML) {
        twin.outerHTML = row.outerHTML;
        event.detail.serverResponse = fresh.innerHTML;
        if (part.id) waiting.add(part.id);
      }
    }
    requestAnimationFrame(() => setTimeout(() => putBack(kept)));
  });

  function putBack(kept) {
    const row = kept.row && document.getElementById(kept.row);
    if (row) window.scrollBy(0, row.getBoundingClientRect().top - kept.top);
    if (kept.selected) document.getElementById(kept.selected)?.setAttribute("aria-selected", "true");
    if (kept.focus && document.activeElement === document.body)
      document.getElementById(kept.focus)?.focus({ preventScroll: true });
  }

  // Rows of a long list come beside their part: taken out of its answer, each is put into its place.
  // What came for rows somebody points at or works in, by the row's id; the newest replaces the others.
  const held = new Map();
  document.addEventListener("htmx:beforeSwap", (event) => {
    const part = event.detail.target,
      text = event.detail.serverResponse,
      putBack = pin();
    if (!part?.matches?.("[data-live]") || !event.detail.shouldSwap) return;
    requestAnimationFrame(() => setTimeout(putBack)); // the part itself may have grown by a line
    if (!/<template data-(list|gone)=/.test(text)) return;
    const fresh = document.createElement("template");
    fresh.innerHTML = text;
    const came = [...fresh.content.querySelectorAll("template[data-list], template[data-gone]")];
    came.forEach((one) => one.remove());
    event.detail.serverResponse = fresh.innerHTML;
    came.forEach(settle);
    putBack();
  });

  let byKeys = false; // whoever works by keys points with the selection
  document.addEventListener(
    "keydown",
    () => {
      byKeys = true;
    },
    { capture: true },
  );
  document.addEventListener(
    "pointermove",
    () => {
      byKeys = false;
    },
    { passive: true, capture: true },
  );
  const isSelected = (row) => row.getAttribute("aria-selected") === "true";
  const isTouched = (row) => row.matches(":hover") || busy(row);
  const isHeld = (row) => isTouched(row) || (byKeys && isSelected(row));
  const isOlder = (row, version) => Number(version || 0) < Number(row.dataset.v || 0);

  function settle(came) {
    const row = came.content.firstElementChild?.cloneNode(true),
      id = row?.id || came.dataset.gone,
      old = document.getElementById(id);
    held.delete(id);
    if (old && row && isOlder(old, row.dataset.v)) return;
    if (old && isHeld(old)) held.set(id, came);
    if (old && isTouched(old)) return;
    if (!row) {
      if (old && !held.has(id)) leave(old);
      return;
    }
    if (old && isSelected(old)) row.setAttribute("aria-selected", "true");
    if (old && (held.has(id) || old.dataset.order === row.dataset.order)) old.replaceWith(row);
    else {
      old?.remove();
      const list = document.getElementById(came.dataset.list);
      list.insertBefore(
        row,
        [...list.children].find((other) => !held.has(other.id) && other.dataset.order > row.dataset.order) || null,
      );
    }
    window.htmx.process(row);
  }

  // Whoever looks at the row may still read why it goes.
  function leave(row) {
    const came = document.createElement("template");
    came.dataset.gone = row.id;
    row.classList.add("row-leaving");
    setTimeout(() => {
      if (isHeld(row)) {
        held.set(row.id, came);
        return;
      }
      const putBack = pin();
      row.remove();
      putBack();
    }, 1500);
  }

  // Rows come, go and move: the one under the cursor (or the selected one, for whoever works by keys) stays where it is
  // on the screen. Where there is nothing to scroll, the list's frame makes room until the cursor has left.
  let frame = null;
  function pin() {
    const row =
      document.querySelector("tr[data-order]:hover") ||
      document.activeElement?.closest?.("tr[data-order]") ||
      document.querySelector("tr[data-order][aria-selected=true]");
    const top = row?.getBoundingClientRect().top;
    const moved = () => Math.round(row.getBoundingClientRect().top - top);
    return () => {
      if (!row?.isConnected || top < 0 || top > innerHeight || !moved()) return;
      window.scrollBy(0, moved());
      if (!moved()) return;
      frame = row.closest("table").parentElement;
      const side = moved() > 0 ? "marginBottom" : "marginTop";
      frame.style[side] = `${parseFloat(getComputedStyle(frame)[side]) + Math.abs(moved()) + 1}px`;
      window.scrollBy(0, moved());
    };
  }
  function unframe() {
    if (!frame || frame.matches(":hover")) return;
    frame.style.marginTop = frame.style.marginBottom = "";
    frame = null;
  }

  // An answer that was asked for before a later write and arrives after it shows what is no longer so.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const row = event.detail.target;
    if (!row?.dataset?.rowUrl || event.detail.requestConfig?.verb !== "get") return;
    if (isOlder(row, /data-v="(\d+)"/.exec(event.detail.serverResponse)?.[1])) event.detail.shouldSwap = false;
  });

  function catchUp() {
    for (const id of [...waiting]) {
      const element = document.getElementById(id);
      if (!element) {
        waiting.delete(id);
        continue;
      }
      if (busy(element) || hovered(element)) continue;
      waiting.delete(id);
      refresh(element);
    }
    const free = [...held.entries()].filter(([id]) => {
      const row = document.getElementById(id);
      return !row || !isHeld(row);
    });
    const putBack = pin();
    free.forEach(([, came]) => settle(came));
    putBack();
    unframe();
  }

  async function look() {
    const all = parts();
    if (!all.length || document.hidden) return EVERY;
    const keys = all.map((part, number) => part.id || `#${number}`);
    const query = new URLSearchParams(all.map((part) => ["topics", part.dataset.live]));
    query.set("since", keys.map((key) => marks.get(key) || "").join("."));
    let answer;
    try {
      answer = await fetch(`/live?${query}`, { credentials: "omit", cache: "no-store" });
    } catch {
      state("away");
      return EVERY * 2;
    }
    if (answer.status === 204) {
      state("ok");
      return EVERY;
    }
    if (answer.status === 400) {
      state("old");
      return ASLEEP_EVERY;
    }
    if (answer.status !== 200) {
      state("away");
      all.forEach(refresh);
      return (Number(answer.headers.get("Retry-After")) || 10) * 1000;
    }
    const { since, changed } = await answer.json();
    since.split(".").forEach((mark, number) => marks.set(keys[number], mark));
    state("ok");
    changed.forEach((number) => refresh(all[number]));
    return EVERY;
  }

  async function tick() {
    if (running) return;
    running = true;
    clearTimeout(timer);
    let wait = EVERY;
    try {
      catchUp();
      wait = await look();
    } finally {
      running = false;
    }
    const idle = Date.now() - moved;
    timer = setTimeout(tick, Math.max(wait, idle > ASLEEP_AFTER ? ASLEEP_EVERY : idle > IDLE_AFTER ? IDLE_EVERY : 0));
  }

  for (const name of ["pointermove", "pointerdown", "keydown", "scroll"]) {
    document.addEventListener(
      name,
      () => {
        const slept = Date.now() - moved > IDLE_AFTER;
        moved = Date.now();
        if (slept) tick();
      },
      { passive: true, capture: true },
    );
  }
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) {
      moved = Date.now();
      tick();
    }
  });
  for (const name of ["pointerout", "focusout"]) {
    document.addEventListener(
      name,
      () => {
        if (waiting.size || held.size || frame) setTimeout(catchUp, 50);
      },
      { passive: true },
    );
  }
  document.addEventListener("DOMContentLoaded", () => {
    if (parts().length) tick();
  });
  document.addEventListener("htmx:load", () => {
    if (!timer && !running && parts().length) tick();
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) tick();
  });
})();
