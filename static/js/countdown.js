// <time data-until="2026-03-18T12:05:00+00:00">: how long until then, counted down every second; after it «вот-вот».
"use strict";
(() => {
  function text(seconds) {
    if (seconds <= 0) return "вот-вот";
    const hours = Math.floor(seconds / 3600),
      minutes = Math.floor(seconds / 60) % 60,
      rest = String(seconds % 60).padStart(2, "0");
    if (hours >= 24) return "";
    return hours ? `через ${hours} ч ${String(minutes).padStart(2, "0")} мин` : `через ${minutes}:${rest}`;
  }
  function count() {
    if (document.hidden) return;
    for (const time of document.querySelectorAll("time[data-until]")) {
      const left = text(Math.round((Date.parse(time.dataset.until) - Date.now()) / 1000));
      if (left && time.textContent !== left) time.textContent = left;
    }
  }
  setInterval(count, 1000);
  document.addEventListener("htmx:load", count);
})();
