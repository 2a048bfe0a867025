// Light or dark: as the system says, or as this browser was told («Тёмная тема» in the user's menu).
// Loaded before anything is painted, so that the page does not flash.
"use strict";
(() => {
  const wanted = () =>
    localStorage.getItem("theme") || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  const show = () => document.documentElement.setAttribute("data-bs-theme", wanted());
  show();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);

  function name(button) {
    button.querySelector("span").textContent = wanted() === "dark" ? "Светлая тема" : "Тёмная тема";
    button.hidden = false;
  }
  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("[data-theme-toggle]").forEach(name));
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-theme-toggle]");
    if (!button) return;
    localStorage.setItem("theme", wanted() === "dark" ? "light" : "dark");
    show();
    name(button);
  });
})();
