// What every page does: errors of htmx become a message a person can read, and search results close by Esc or a click
// elsewhere.
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

  document.addEventListener("htmx:sendError", () =>
    say("Нет связи с сервером. Ничего не потеряно: проверьте сеть и повторите."),
  );
  document.addEventListener("htmx:responseError", (event) => {
    const status = event.detail.xhr.status;
    say(
      status === 404
        ? "Этого больше нет: обновите страницу."
        : `Сервер не справился (${status}). Повторите; если не помогает — сообщите старшему.`,
      "danger",
    );
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
  document.addEventListener(
    "keydown",
    (event) => {
      if (event.code === "Escape" && results()?.childElementCount) {
        results().replaceChildren();
        event.stopPropagation();
      }
    },
    true,
  );

  // Filters that apply themselves when a choice is made; the button stays for those without scripts and for text.
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-autosubmit]");
    if (form && event.target.matches("select, input[type=date], input[type=checkbox]")) form.requestSubmit();
  });

  // A form that has been sent is not sent again by a second click.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || form.hasAttribute("hx-post") || event.defaultPrevented) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "1";
  });

  // Nothing typed is lost when the session has run out: what was sent stays in this tab until its answer comes; if the
  // answer is the log-in page, the same person finds the form filled in again afterwards. Never passwords, files or
  // hidden fields, but for the stamp of what the form showed: what a colleague saved meanwhile must not be overwritten
  // by what is given back.
  const KEPT = "sent-form";
  const user = document.body.dataset.user;
  const address = (form) => form.getAttribute("action") || form.getAttribute("hx-post") || "";
  const typed = (form) =>
    [...form.elements].filter(
      (one) =>
        one.name &&
        (one.name === "shown" || !["password", "file", "hidden", "submit", "button", "fieldset"].includes(one.type)),
    );
  const forget = () => sessionStorage.removeItem(KEPT);
  document.addEventListener(
    "submit",
    (event) => {
      const form = event.target;
      const fields = typed(form).map((one) => [one.name, one.value, one.checked]);
      if (form.method === "post" && user && fields.some(([name]) => name !== "shown"))
        sessionStorage.setItem(KEPT, JSON.stringify({ user, path: location.pathname, address: address(form), fields }));
    },
    true,
  );
  document.addEventListener("htmx:afterRequest", (event) => {
    if (
      event.detail.requestConfig.verb !== "get" &&
      event.detail.xhr.status &&
      !event.detail.xhr.getResponseHeader("HX-Redirect")
    )
      forget();
  });
  function giveBack(kept) {
    for (const form of document.querySelectorAll("main form")) {
      const fields = typed(form);
      if (
        address(form) !== kept.address ||
        fields.length !== kept.fields.length ||
        fields.some((one, place) => one.name !== kept.fields[place][0])
      )
        continue;
      fields.forEach((one, place) => {
        const [, value, checked] = kept.fields[place];
        if (["checkbox", "radio"].includes(one.type)) one.checked = checked;
        else one.value = value;
      });
      say("Сеанс закончился, пока вы писали. Введённое возвращено: проверьте и отправьте ещё раз.", "info");
      return;
    }
  }
  const kept = JSON.parse(sessionStorage.getItem(KEPT) || "null");
  if (kept && !user) sessionStorage.setItem(KEPT, JSON.stringify({ ...kept, out: true }));
  const lost = kept?.out && kept.user === user;
  if (kept && user && !(lost && kept.path !== location.pathname)) {
    forget();
    if (lost) giveBack(kept);
  }

  window.addEventListener("pageshow", () =>
    document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent),
  );
})();
