// What every page does: errors of htmx become a message a person can read, and search results close by Esc or a click elsewhere.
"use strict";
(() => {
  const messages = () => document.getElementById("messages");

  function say(text, tone = "warning") {
    const box = document.createElement("div");
    box.className = `alert alert-${tone} alert-dismissible`;
    box.setAttribute("role", "alert");
    box.textContent = text;
    const close = document.createElement("button");
    close.type = "button";
    close.className = "btn-close";
    close.dataset.bsDismiss = "alert";
    close.setAttribute("aria-label", "Закрыть");
    box.append(close);
    messages()?.append(box);
  }

  document.addEventListener("htmx:sendError", () => say("Нет связи с сервером. Ничего не потеряно: проверьте сеть и повторите."));
  document.addEventListener("htmx:responseError", (event) => {
    const status = event.detail.xhr.status;
    say(status === 404 ? "Этого больше нет: обновите страницу." : `Сервер не справился (${status}). Повторите; если не помогает — сообщите старшему.`, "danger");
  });

  // «Отмена» of a small form inside a list: data-clear-closest="td" empties the cell the form was put into.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-clear-closest]");
    if (button) button.closest(button.dataset.clearClosest).replaceChildren();
  });

  const results = () => document.getElementById("search-results");
  document.addEventListener("click", (event) => {
    if (results() && !event.target.closest(".topbar-search")) results().replaceChildren();
  });
  document.addEventListener("keydown", (event) => {
    if (event.code === "Escape" && results()?.childElementCount) { results().replaceChildren(); event.stopPropagation(); }
  }, true);

  // Filters that apply themselves when a choice is made; the button stays for those without scripts and for text.
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-autosubmit]");
    if (form && event.target.matches("select, input[type=date], input[type=checkbox]")) form.requestSubmit();
  });

  // A form that has been sent is not sent again by a second click.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || form.hasAttribute("hx-post") || event.defaultPrevented) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
  });
  window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent));
})();
