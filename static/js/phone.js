// The telephone of every page (templates/telephony/phone.html): looks for a ring every 2 s as long as somebody sits at a
// telephone, also when he has not moved the mouse for long or works in another tab; rings, plays the robot's speech.
// It never takes the focus: whoever types goes on typing.
"use strict";
(() => {
  const EVERY = 2000, AWAY_EVERY = 10_000;
  let mark = "", heard = "", timer = 0;
  const box = () => document.getElementById("phone");

  async function look() {
    const phone = box();
    if (!phone?.dataset.phoneLive || phone.dataset.phoneWatch === undefined) return EVERY;
    const query = new URLSearchParams({ topics: phone.dataset.phoneLive, since: mark });
    let answer;
    try { answer = await fetch(`/live?${query}`, { credentials: "omit", cache: "no-store" }); } catch { return EVERY * 2; }
    if (answer.status === 204) return EVERY;
    if (answer.status !== 200) { refresh(); return AWAY_EVERY; }
    mark = (await answer.json()).since;
    refresh();
    return EVERY;
  }
  // An open menu with a half-typed number stays; a ring does not wait for it.
  function refresh() {
    const phone = box();
    const typing = phone?.querySelector(".dropdown-menu.show") && !phone.querySelector(".phone-card");
    if (phone && !typing) window.htmx.ajax("GET", phone.getAttribute("hx-get"), { target: phone, swap: "outerHTML" });
  }
  async function tick() {
    clearTimeout(timer);
    let wait = EVERY;
    try { wait = await look(); } finally { timer = setTimeout(tick, wait); }
  }

  // Each sound once: the same clip comes again with every refresh of the bar.
  function listen() {
    const ring = box()?.querySelector("[data-phone-ring]");
    if (ring) ring.play().catch(() => document.body.dataset.phoneMuted = "1");
    const speech = box()?.querySelector("[data-phone-speech]");
    if (!speech) return;
    const name = `${speech.dataset.channel}:${speech.dataset.phoneSpeech}`;
    if (name === heard) return;
    heard = name;
    speech.play().catch(() => { document.body.dataset.phoneMuted = "1"; });
  }
  document.addEventListener("htmx:load", listen);
  // The speech goes on while the bar around it is fetched again: the playing element is carried over.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target?.id !== "phone") return;
    const old = box()?.querySelector("[data-phone-speech]");
    if (!old || old.paused) return;
    setTimeout(() => {
      const fresh = box()?.querySelector("[data-phone-speech]");
      if (fresh && fresh !== old && fresh.dataset.phoneSpeech === old.dataset.phoneSpeech && fresh.dataset.channel === old.dataset.channel) fresh.replaceWith(old);
      if (old.isConnected) old.play().catch(() => {});
    }, 30);
  });
  document.addEventListener("DOMContentLoaded", () => { timer = setTimeout(tick, 500); });
  // After an answer by a press, the bar follows within moments instead of at the next look.
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt?.closest?.("#phone") && event.detail.requestConfig?.verb === "post") for (const pause of [400, 1000]) setTimeout(refresh, pause);
  });
})();
