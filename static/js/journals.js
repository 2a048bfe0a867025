// Журнал КОС: the card by keyboard, and its reservation given back when the card is left.
// The card's markup says what an outcome asks for (data-asks) and which comment fits it (data-proposes); CSS shows the
// fields beside the chosen button, this script moves the cursor to the first of them.
"use strict";
(() => {
  const form = document.querySelector("form[data-call-form]");

  // A double click on a row opens it, as its link does.
  document.addEventListener("dblclick", (event) =>
    event.target.closest("tr[data-row]")?.querySelector("[data-open]")?.click(),
  );

  // The list begins at its first row, so that Enter opens what is to be called next.
  let selected = "";
  document.addEventListener("row:selected", (event) => {
    selected = event.target.id;
  });
  function selectAgain() {
    const list = window.dozvonRows;
    if (list && !list.current()) list.select(document.getElementById(selected) || list.rows()[0]);
  }
  document.addEventListener("DOMContentLoaded", () => {
    if (!form) selectAgain();
  });
  // A live refresh must not leave a moment in which Enter opens nothing.
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id === "recall-rows" || event.detail.target?.id === "recall-rows") selectAgain();
  });
  if (!form) return;

  const comment = form.elements.comment;
  const windows = () => [...document.querySelectorAll("input[name=window]")];
  let asked = null; // the outcome whose fields have had the cursor
  let written = ""; // the comment this script proposed: replaced by the next proposal, never what a person typed

  function propose(text) {
    if (comment.value.trim() === "" || comment.value === written) {
      comment.value = text;
      written = text;
    }
  }

  function ask(outcome) {
    asked = outcome;
    propose(outcome.dataset.proposes || "");
    const group = outcome.closest(".outcome-choice").querySelector(".chips");
    if (outcome.matches("[data-asks~=window]")) (windows().find((one) => one.checked) || windows()[0])?.focus();
    else (group?.querySelector("input:checked") || group?.querySelector("input") || comment).focus();
    if (document.activeElement === comment) comment.select();
  }

  function show(choice) {
    const label = document.querySelector(`label[for="${choice.id}"]`);
    const day = choice.closest(".window-day")?.querySelector(".window-date")?.textContent.trim().replace(/\s+/g, " ");
    const picked = form.querySelector("[data-picked]");
    picked.textContent = `${day}, ${label.textContent.trim()} · ${label.title}`;
    picked.classList.remove("text-secondary");
  }

  document.addEventListener("change", (event) => {
    if (event.target.name === "outcome") ask(event.target);
    if (event.target.dataset.other !== undefined) event.target.closest(".ask").querySelector(".day-other").focus();
    else if (event.target.closest(".days")) event.target.focus(); // chosen by its letter: Enter goes on from here
    if (event.target.name === "window") {
      show(event.target);
      const booked = form.querySelector("input[data-asks~=window]");
      if (!booked.checked) {
        booked.checked = true;
        propose("");
      }
    }
  });

  // A day typed by hand is the chosen one.
  form.addEventListener("input", (event) => {
    if (event.target.matches(".day-other") && event.target.value)
      event.target.closest(".ask").querySelector("[data-other]").checked = true;
  });

  // Enter on a window, a reason or a date goes on to the comment instead of sending a half-filled form.
  document.addEventListener(
    "keydown",
    (event) => {
      if (event.code === "Escape" && event.target.matches("textarea, input:not([type=radio])")) {
        event.target.blur();
        event.preventDefault();
        event.stopPropagation();
        return;
      }
      if (event.ctrlKey || (event.code !== "Enter" && event.code !== "NumpadEnter")) return;
      if (event.target.matches("input[name=window], .ask input")) {
        if (event.target.type === "radio" && !event.target.checked) event.target.click();
        event.preventDefault();
        event.stopPropagation();
        if (event.target.dataset.other === undefined) comment.focus();
        else event.target.closest(".ask").querySelector(".day-other").focus();
      }
    },
    true,
  );

  // Leaving the card frees it at once; a closed laptop frees it by the lease.
  let saved = false;
  form.addEventListener("submit", () => {
    saved = true;
  });
  window.addEventListener("pagehide", () => {
    if (saved) return;
    const data = new FormData();
    data.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
    data.append("key", form.dataset.keyOf);
    navigator.sendBeacon(form.dataset.release, data);
  });
  // Back to a page kept in memory: its reservation is gone, ask for it anew.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });

  // The digit of the outcome that is chosen already (after a refusal): no change comes of it, but it asks again.
  form.addEventListener("click", (event) => {
    if (event.target.name === "outcome" && event.target === asked) ask(asked);
  });

  const chosen = windows().find((one) => one.checked);
  if (chosen) show(chosen);
  const refused = form.querySelector("input[name=outcome]:checked");
  if (refused) {
    ask(refused);
    form.querySelector(".invalid-feedback")?.scrollIntoView({ block: "nearest" });
  }
})();
