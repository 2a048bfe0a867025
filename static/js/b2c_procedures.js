// The step's clock: counts on from where the page was made; calm → amber → red, always with a word. And what a
// diagram's click opens.
"use strict";
(() => {
  const WORDS = {
    calm: "в пределах норматива",
    amber: "норматив скоро выйдет",
    red: "сверх норматива",
    none: "без норматива",
  };
  const two = (number) => String(number).padStart(2, "0");

  function spoken(seconds) {
    const sign = seconds < 0 ? "+" : "",
      all = Math.abs(Math.trunc(seconds)),
      hours = Math.trunc(all / 3600);
    return hours
      ? `${sign}${hours}:${two(Math.trunc((all % 3600) / 60))}:${two(all % 60)}`
      : `${sign}${Math.trunc(all / 60)}:${two(all % 60)}`;
  }

  function tick(timer) {
    const start = Date.parse(timer.dataset.start),
      due = Date.parse(timer.dataset.due),
      held = Date.parse(timer.dataset.held);
    // The clock of the machine may be wrong: the server's, as it stood when the page came, goes on with ours.
    timer.skew ??= Date.parse(timer.dataset.now) - Date.now();
    const now = Number.isNaN(held) ? Date.now() + timer.skew : held;
    const clock = timer.querySelector("[data-clock]"),
      word = timer.querySelector("[data-word]");
    if (Number.isNaN(due)) {
      clock.textContent = spoken((now - start) / 1000);
      return;
    }
    const share = ((now - start) / (due - start)) * 100;
    const state = now >= due ? "red" : share >= Number(timer.dataset.amber) ? "amber" : "calm";
    clock.textContent = spoken((due - now) / 1000);
    if (!timer.classList.contains(`timer-${state}`)) {
      timer.classList.remove("timer-calm", "timer-amber", "timer-red");
      timer.classList.add(`timer-${state}`);
    }
    word.textContent = Number.isNaN(held) ? WORDS[state] : "на удержании";
  }

  const all = () => document.querySelectorAll("[data-timer]").forEach(tick);
  setInterval(all, 1000);
  document.addEventListener("DOMContentLoaded", () => {
    all();
    // The lit step of a diagram comes into view; the picture is wider than any screen.
    const frame = document.querySelector(".epc-frame"),
      now = frame?.querySelector("g.now") || frame?.querySelector("g.node");
    if (now) {
      const box = now.getBoundingClientRect(),
        outer = frame.getBoundingClientRect();
      frame.scrollTo({
        left: box.left - outer.left - outer.width / 3,
        top: box.top - outer.top - outer.height / 2 + box.height / 2,
      });
    }
    document.querySelector(".chat-lines")?.scrollTo(0, 1e6);
  });
  document.addEventListener("htmx:load", () => {
    all();
    document.querySelector(".chat-lines")?.scrollTo(0, 1e6);
  });

  // The size of a diagram: its own, smaller, or the whole of it on the screen.
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) {
      window.print();
      return;
    }
    const button = event.target.closest("[data-zoom]"),
      picture = document.querySelector(".epc-frame svg");
    if (!button || !picture) return;
    picture.dataset.width ||= picture.getAttribute("width");
    picture.dataset.height ||= picture.getAttribute("height");
    const width = Number(picture.dataset.width),
      fit = (picture.parentElement.clientWidth - 4) / width;
    const scale = button.dataset.zoom === "fit" ? Math.min(1, fit) : Number(button.dataset.zoom);
    picture.setAttribute("width", Math.round(width * scale));
    picture.setAttribute("height", Math.round(Number(picture.dataset.height) * scale));
  });

  // A long list of choices gets a box that hides what does not fit; what is chosen stays in sight.
  function filtered(list) {
    if (list.options.length < 8 || list.previousElementSibling?.matches("[data-filter]")) return;
    const box = document.createElement("input");
    box.className = "form-control form-control-sm mb-1";
    box.type = "search";
    box.dataset.filter = "";
    box.placeholder = "найти в списке";
    box.setAttribute("aria-label", "Найти в списке");
    box.addEventListener("input", () => {
      const words = box.value.toLowerCase().replaceAll("ё", "е").split(/\s+/);
      for (const option of list.options) {
        const text = option.text.toLowerCase().replaceAll("ё", "е");
        option.hidden = !option.selected && !words.every((word) => text.includes(word));
      }
    });
    box.addEventListener("keydown", (event) => {
      if (event.code === "Enter") event.preventDefault();
    });
    list.before(box);
  }
  document.addEventListener("DOMContentLoaded", () =>
    document.querySelectorAll("select[data-filtered]").forEach(filtered),
  );

  // A note that has been written leaves its field empty.
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.target.matches?.("form[data-cleared]") && event.detail.successful) event.target.reset();
  });

  // A template is put into the answer as if it were typed.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-insert]");
    if (!button) return;
    const field = document.getElementById(button.dataset.into);
    field.value = field.value ? `${field.value.trimEnd()}\n${button.dataset.insert}` : button.dataset.insert;
    field.focus();
  });
})();
