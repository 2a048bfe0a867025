// Live screens by hints (callcenter/lib/live.py): asks `/live` every 2 s and lets htmx fetch again only the parts that changed.
//
// How a template marks a live part. The part names its topics, the address that renders it, and swaps itself:
//
//   {% partialdef rows inline %}
//   <div id="rows" {% live "journal:clinic:3" %} hx-get="{{ request.get_full_path }}" hx-trigger="live" hx-target="this" hx-swap="outerHTML">
//     … <tr id="row-15"> …
//   </div>
//   {% endpartialdef %}
//
// * `{% live "topic" … %}` gives `data-live`; the action that writes says `live.bump("topic")`.
// * `hx-trigger="live"` is the event this script sends. The view answers with the part alone (its partial), or the whole
//   page together with `hx-select="#rows"`.
// * Give rows (`tr`, `li`, cards) an id: the row under the cursor then keeps its content and its place on the screen while the
//   others change; it is brought up to date when the cursor leaves.
// * A part in which somebody is typing (a field with the focus, changed fields, an open menu or dialog) waits until he is done.
// * For long lists, let the live part be a small element whose answer carries only the changed rows as `hx-swap-oob` (each
//   inside `<template>`, else the parser drops a lone `tr`); a row that must be held back is fetched again by its
//   `data-row-url`, and its `data-v` (a number that grows) keeps a late answer from showing an older state.
//
// Pauses in hidden tabs, slows down when nobody moves, refreshes all parts every 10 s while Valkey is away.
"use strict";
(() => {
  const EVERY = 2000, IDLE_AFTER = 60_000, IDLE_EVERY = 5000, ASLEEP_AFTER = 600_000, ASLEEP_EVERY = 20_000, FIELDS = "input, textarea, select, [contenteditable]";
  let timer = 0, running = false, moved = Date.now();
  const marks = new Map(); // of each part (by its id): the state of its topics when it was last looked at
  const waiting = new Set(); // ids of parts and rows that changed while somebody was in them

  const parts = () => [...document.querySelectorAll("[data-live]")];
  const state = (word) => { document.body.dataset.liveState = word; };

  function busy(element) {
    const focus = document.activeElement;
    if (focus && focus !== document.body && element.contains(focus) && focus.matches(FIELDS) && !focus.matches("[type=checkbox], [type=radio], [type=button], [type=submit]")) return true;
    if (element.dataset.busy || element.matches("tr.htmx-request")) return true;
    if (element.querySelector(".dropdown-menu.show, dialog[open], [data-editing], .htmx-request")) return true;
    return [...element.querySelectorAll("textarea, input[type=text], input:not([type])")].some((field) => field.value !== field.defaultValue);
  }
  const hovered = (part) => [...part.querySelectorAll("tr[id], li[id], [data-live-row][id]")].find((row) => row.matches(":hover"));

  function refresh(part) {
    if (!part.isConnected) return;
    if (busy(part)) { if (part.id) waiting.add(part.id); return; }
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
    if (busy(part)) { event.detail.shouldSwap = false; if (part.id) waiting.add(part.id); return; }
    const row = hovered(part), focus = document.activeElement;
    const kept = { row: row?.id, top: row?.getBoundingClientRect().top, focus: part.contains(focus) ? focus.id : "", selected };
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
    if (kept.focus && document.activeElement === document.body) document.getElementById(kept.focus)?.focus({ preventScroll: true });
  }

  // A row that comes out of band waits, too, while somebody points at it or works in it.
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const row = event.detail.target;
    if (!row?.dataset?.rowUrl) return;
    if (isOlder(row, event.detail.fragment.querySelector?.("[data-v]")?.dataset.v)) { event.detail.shouldSwap = false; return; }
    if (row.matches(":hover") || busy(row)) { event.detail.shouldSwap = false; waiting.add(row.id); return; }
    if (row.getAttribute("aria-selected") === "true") event.detail.fragment.querySelector?.("tr")?.setAttribute("aria-selected", "true");
  });

  // An answer that was asked for before a later write and arrives after it shows what is no longer so.
  const isOlder = (row, version) => Number(version || 0) < Number(row.dataset.v || 0);
  document.addEventListener("htmx:beforeSwap", (event) => {
    const row = event.detail.target;
    if (!row?.dataset?.rowUrl || event.detail.requestConfig?.verb !== "get") return;
    if (isOlder(row, /data-v="(\d+)"/.exec(event.detail.serverResponse)?.[1])) event.detail.shouldSwap = false;
  });

  function catchUp() {
    for (const id of [...waiting]) {
      const element = document.getElementById(id);
      if (!element) { waiting.delete(id); continue; }
      if (busy(element) || element.dataset.rowUrl && element.matches(":hover") || !element.dataset.rowUrl && hovered(element)) continue;
      waiting.delete(id);
      if (element.dataset.rowUrl) window.htmx.ajax("GET", element.dataset.rowUrl, { target: element, swap: "outerHTML" });
      else refresh(element);
    }
  }

  async function look() {
    const all = parts();
    if (!all.length || document.hidden) return EVERY;
    const keys = all.map((part, number) => part.id || `#${number}`);
    const query = new URLSearchParams(all.map((part) => ["topics", part.dataset.live]));
    query.set("since", keys.map((key) => marks.get(key) || "").join("."));
    let answer;
    try { answer = await fetch(`/live?${query}`, { credentials: "omit", cache: "no-store" }); } catch { state("away"); return EVERY * 2; }
    if (answer.status === 204) { state("ok"); return EVERY; }
    if (answer.status === 400) { state("old"); return ASLEEP_EVERY; }
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
    try { catchUp(); wait = await look(); } finally { running = false; }
    const idle = Date.now() - moved;
    timer = setTimeout(tick, Math.max(wait, idle > ASLEEP_AFTER ? ASLEEP_EVERY : idle > IDLE_AFTER ? IDLE_EVERY : 0));
  }

  for (const name of ["pointermove", "pointerdown", "keydown", "scroll"]) {
    document.addEventListener(name, () => {
      const slept = Date.now() - moved > IDLE_AFTER;
      moved = Date.now();
      if (slept) tick();
    }, { passive: true, capture: true });
  }
  document.addEventListener("visibilitychange", () => { if (!document.hidden) { moved = Date.now(); tick(); } });
  document.addEventListener("pointerout", () => { if (waiting.size) setTimeout(catchUp, 50); }, { passive: true });
  document.addEventListener("focusout", () => { if (waiting.size) setTimeout(catchUp, 50); });
  document.addEventListener("DOMContentLoaded", () => { if (parts().length) tick(); });
  document.addEventListener("htmx:load", () => { if (!timer && !running && parts().length) tick(); });
  window.addEventListener("pageshow", (event) => { if (event.persisted) tick(); });
})();
