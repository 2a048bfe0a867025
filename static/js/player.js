// Recordings in the row: speed 1–2×, five seconds back and on, jumps from the transcript. Without scripts a link opens
// the sound itself.
"use strict";
(() => {
  const SPEEDS = [1, 1.25, 1.5, 2];
  const saved = () => Number(sessionStorage.getItem("player-speed")) || 1;

  function button(text, label, act) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "btn btn-sm";
    made.textContent = text;
    made.title = label;
    made.setAttribute("aria-label", label);
    made.addEventListener("click", act);
    return made;
  }

  function equip(player) {
    const audio = player.querySelector("audio");
    if (!audio || player.dataset.ready) return;
    player.dataset.ready = "1";
    const speed = document.createElement("select");
    speed.className = "form-select form-select-sm w-auto";
    speed.setAttribute("aria-label", "Скорость");
    for (const value of SPEEDS)
      speed.add(new Option(`${value}×`.replace(".", ","), String(value), false, value === saved()));
    audio.playbackRate = audio.defaultPlaybackRate = saved();
    speed.addEventListener("change", () => {
      audio.playbackRate = audio.defaultPlaybackRate = Number(speed.value);
      sessionStorage.setItem("player-speed", speed.value);
    });
    player.append(
      button("−5 с", "Назад на 5 секунд", () => {
        audio.currentTime = Math.max(0, audio.currentTime - 5);
      }),
      button("+5 с", "Вперёд на 5 секунд", () => {
        audio.currentTime = Math.min(audio.duration || 0, audio.currentTime + 5);
      }),
      speed,
    );
    audio.addEventListener("timeupdate", () => follow(audio));
    audio.addEventListener("play", () =>
      document.querySelectorAll("audio").forEach((other) => {
        if (other !== audio) other.pause();
      }),
    );
  }
  function follow(audio) {
    const lines = [...document.querySelectorAll(".transcript [data-jump]")];
    if (!lines.length || !audio.closest(".window, #content")) return;
    const now = lines.filter((line) => Number(line.dataset.jump) <= audio.currentTime).pop();
    lines.forEach((line) => line.closest("li").classList.toggle("now", line === now));
  }

  document.addEventListener("click", (event) => {
    const play = event.target.closest("[data-play]");
    if (!play || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const row = play.closest("tr:not(.unfolded-row)"),
      inside = play.closest(".unfolded");
    const open = inside
      ? play.parentElement.querySelector(".player")
      : row?.nextElementSibling?.classList.contains("player-row")
        ? row.nextElementSibling
        : null;
    if (open) {
      open.remove();
      return;
    }
    const player = document.createElement("div"),
      audio = document.createElement("audio");
    player.className = "player";
    player.dataset.player = "";
    audio.controls = true;
    audio.src = play.dataset.play;
    player.append(audio);
    if (inside || !row) play.parentElement.append(player);
    else {
      const line = document.createElement("tr"),
        cell = document.createElement("td");
      line.className = "player-row";
      cell.colSpan = row.cells.length;
      cell.append(player);
      line.append(cell);
      row.after(line);
    }
    equip(player);
    audio.play().catch(() => {}); // a browser may want the person's own click on the player
  });

  document.addEventListener("click", (event) => {
    const jump = event.target.closest("[data-jump]"),
      audio = document.querySelector(".window[open] audio, #content .window-body audio");
    if (!jump || !audio) return;
    event.preventDefault();
    const go = () => {
      audio.currentTime = Number(jump.dataset.jump);
      audio.play().catch(() => {});
    };
    if (audio.readyState >= 1) go();
    else {
      audio.addEventListener("loadedmetadata", go, { once: true });
      audio.load();
    }
  });

  const equipAll = () => document.querySelectorAll("[data-player]").forEach(equip);
  document.addEventListener("DOMContentLoaded", equipAll);
  document.addEventListener("window:shown", equipAll);
})();
