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

  // A browser plays nothing on a page that nobody has touched yet: then it is said, and one press lets the sound on.
  function sound(element) {
    element.play().then(() => hint(false), (why) => { if (why.name === "NotAllowedError") hint(true); });
  }
  function hint(muted) {
    const button = box()?.querySelector("[data-phone-unmute]");
    if (button) button.hidden = !muted;
  }
  // Each sound once: the same clip comes again with every refresh of the bar.
  function listen() {
    const ring = box()?.querySelector("[data-phone-ring]");
    if (ring) sound(ring);
    const speech = box()?.querySelector("[data-phone-speech]");
    if (!speech) return;
    const name = `${speech.dataset.channel}:${speech.dataset.phoneSpeech}`;
    if (name === heard) return;
    heard = name;
    sound(speech);
  }
  document.addEventListener("htmx:load", listen);
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-phone-unmute]")) return;
    for (const element of box().querySelectorAll("[data-phone-ring], [data-phone-speech]")) sound(element);
  });
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
