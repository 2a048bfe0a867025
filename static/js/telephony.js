// The telephone of every page (templates/telephony/phone.html): looks for a ring every 2 s as long as somebody sits at
// a telephone, also when he has not moved the mouse for long or works in another tab; rings, plays the robot's speech.
// It never takes the focus: whoever types goes on typing.
"use strict";
(() => {
  const EVERY = 2000,
    AWAY_EVERY = 10_000;
  let mark = "",
    heard = "",
    timer = 0;
  const box = () => document.getElementById("phone");

  async function look() {
    const phone = box();
    if (!phone?.dataset.phoneLive || phone.dataset.phoneWatch === undefined) return EVERY;
    const query = new URLSearchParams({ topics: phone.dataset.phoneLive, since: mark });
    let answer;
    try {
      answer = await fetch(`/live?${query}`, { credentials: "omit", cache: "no-store" });
    } catch {
      return EVERY * 2;
    }
    if (answer.status === 204) return EVERY;
    if (answer.status !== 200) {
      refresh();
      return AWAY_EVERY;
    }
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
    try {
      wait = await look();
    } finally {
      timer = setTimeout(tick, wait);
    }
  }

  // Two players that outlive the bar, which is fetched anew every few seconds: what plays goes on playing, and what a
  // press has allowed stays allowed as long as the page does.
  const ringer = player("phone-ringer"),
    voice = player("phone-voice");
  ringer.loop = true;
  let blocked = false,
    probed = false;

  function player(id) {
    const made = document.createElement("audio");
    made.id = id;
    document.body.append(made);
    return made;
  }
  // A browser plays nothing on a page that nobody has touched yet. That is said before the first ring, too.
  function sound(element) {
    element.play().then(
      () => hint(false),
      (why) => {
        if (why.name === "NotAllowedError") hint(true);
      },
    );
  }
  function hint(muted) {
    blocked = muted;
    for (const button of box()?.querySelectorAll("[data-phone-unmute]") ?? []) button.hidden = !muted;
  }
  // Each sound once: the same clip comes again with every refresh of the bar.
  function listen() {
    const phone = box();
    if (!phone) return;
    hint(blocked);
    if (phone.dataset.phoneSound && !probed) probe(phone.dataset.phoneSound);
    const ring = phone.querySelector("[data-phone-ring]"),
      speech = phone.querySelector("[data-phone-speech]");
    if (!ring) ringer.pause();
    else if (ringer.paused) {
      ringer.src = ring.dataset.phoneRing;
      sound(ringer);
    }
    const name = speech ? `${speech.dataset.channel}:${speech.dataset.phoneSpeech}` : "";
    if (name === heard) return;
    heard = name;
    if (speech) {
      voice.src = speech.dataset.clip;
      sound(voice);
    } else voice.pause();
  }
  // Asked once, by playing a moment of the ring without a sound: no browser tells it otherwise.
  function probe(ring) {
    probed = true;
    ringer.src = ring;
    ringer.volume = 0;
    ringer
      .play()
      .catch((why) => {
        if (why.name === "NotAllowedError") hint(true);
      })
      .finally(() => {
        ringer.volume = 1;
      });
  }
  // Any press on the page lets the sound on, the button that says so among them.
  function allow() {
    if (!blocked) return;
    hint(false);
    const phone = box();
    if (phone?.querySelector("[data-phone-ring]")) sound(ringer);
    else ringer.load();
    if (phone?.querySelector("[data-phone-speech]") && !voice.ended) sound(voice);
    else voice.load();
  }
  for (const press of ["click", "keydown"]) document.addEventListener(press, allow, true);
  document.addEventListener("htmx:load", listen);
  document.addEventListener("DOMContentLoaded", () => {
    timer = setTimeout(tick, 500);
  });
  // After an answer by a press, the bar follows within moments instead of at the next look.
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt?.closest?.("#phone") && event.detail.requestConfig?.verb === "post")
      for (const pause of [400, 1000]) setTimeout(refresh, pause);
  });
})();
