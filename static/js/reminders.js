// «Дозвон»: double click marks, right click on the surname (or «…», or M) opens the menu, buttons of rows answer with
// the row.
// Without this script every button is an ordinary form button and «…» opens the row's page.
"use strict";
(() => {
  const menu = () => document.getElementById("row-menu");
  const dialog = () => document.getElementById("card-dialog");
  const fields = () => Object.fromEntries(new FormData(document.getElementById("marks")));
  let menuRow = null;

  function post(url, row, values = {}) {
    if (row?.dataset.busy) return; // the second click of a double one finds the first under way
    if (row) row.dataset.busy = "1";
    window.htmx
      .ajax("POST", url, {
        source: row || document.body,
        target: row || "body",
        swap: "outerHTML",
        values: { ...fields(), ...values },
      })
      .finally(() => {
        if (row) delete row.dataset.busy;
      });
  }

  // The row whose card is open is being worked in: it stays as it is, where it is, until the card is closed.
  function openCard(url) {
    document.getElementById(`r${/\/reminders\/(\d+)\//.exec(url)?.[1]}`)?.setAttribute("data-editing", "");
    dialog().onclose = () =>
      document.querySelectorAll("#rows [data-editing]").forEach((row) => row.removeAttribute("data-editing"));
    window.htmx.ajax("GET", url, { target: "#card", swap: "innerHTML" }).then(() => {
      if (!dialog().open) dialog().showModal();
      dialog().querySelector("input:not([type=hidden]), textarea")?.focus();
    });
  }

  document.addEventListener("click", (event) => {
    const close = event.target.closest("[data-close]");
    if (close && dialog()?.open) {
      dialog().close();
      return;
    }
    const dots = event.target.closest("[data-menu-button]");
    if (dots) {
      event.preventDefault();
      openMenu(dots.closest("tr"), dots.getBoundingClientRect());
      return;
    }
    if (menu() && !menu().hidden && !event.target.closest("#row-menu")) closeMenu();
    const item = event.target.closest("#row-menu [data-act]");
    if (item) {
      event.preventDefault();
      const row = menuRow;
      closeMenu();
      post(`/reminders/${row.id.slice(1)}/${item.dataset.act}`, row, item.name ? { [item.name]: item.value } : {});
      return;
    }
    // Whoever dials from the row is seen by the colleagues as calling.
    const number = event.target.closest("tr[data-row] a[href^='tel:']");
    if (number && menu()) {
      post(`/reminders/${number.closest("tr").id.slice(1)}/calling/`, number.closest("tr"));
      return;
    }
    const card = event.target.closest("a[data-card], tr[data-row] a[data-open]");
    if (card && !event.ctrlKey && !event.metaKey && dialog()) {
      event.preventDefault();
      closeMenu();
      openCard(card.href);
      return;
    }
    const button = event.target.closest("tr[data-row] button[form=marks]");
    if (button) {
      event.preventDefault();
      post(button.getAttribute("formaction"), button.closest("tr"), button.name ? { [button.name]: button.value } : {});
    }
  });

  document.addEventListener("dblclick", (event) => {
    const row = event.target.closest("table.reminders tr[data-row]");
    if (!row || event.target.closest("a, button, input, textarea, select")) return;
    window.getSelection()?.removeAllRanges();
    row.querySelector("[data-mark]")?.click();
  });

  document.addEventListener("contextmenu", (event) => {
    const name = event.target.closest("[data-menu]");
    if (!name || !menu()) return;
    event.preventDefault();
    openMenu(name.closest("tr"), new DOMRect(event.clientX, event.clientY, 0, 0));
  });

  function openMenu(row, at) {
    if (!menu() || !row.querySelector("[data-menu]")) return;
    menuRow = row;
    window.dozvonRows?.select(row);
    const facts = row.querySelector("[data-menu]").dataset;
    menu()
      .querySelectorAll("[data-link]")
      .forEach((link) => {
        link.href = link.dataset.link
          .replace("{id}", facts.menu)
          .replace("{run}", facts.run)
          .replace("{appointment}", facts.appointment)
          .replace("{patient}", facts.patient);
      });
    menu().hidden = false;
    menu().style.left = `${Math.max(4, Math.min(at.left, innerWidth - menu().offsetWidth - 8))}px`;
    menu().style.top = `${Math.max(4, Math.min(at.bottom, innerHeight - menu().offsetHeight - 8))}px`;
    menu().querySelector(".dropdown-item").focus();
  }
  function closeMenu() {
    if (!menu() || menu().hidden) return;
    menu().hidden = true;
    menuRow = null;
  }

  document.addEventListener(
    "keydown",
    (event) => {
      if (menu() && !menu().hidden) {
        const items = [...menu().querySelectorAll(".dropdown-item")],
          at = items.indexOf(document.activeElement);
        if (event.code === "Escape") {
          closeMenu();
          event.preventDefault();
        }
        if (event.code === "ArrowDown" || event.code === "ArrowUp") {
          items[(at + (event.code === "ArrowDown" ? 1 : items.length - 1)) % items.length].focus();
          event.preventDefault();
          event.stopPropagation();
        }
        return;
      }
      if (
        event.target.closest("input, textarea, select") ||
        event.ctrlKey ||
        event.altKey ||
        event.metaKey ||
        dialog()?.open
      )
        return;
      const row = document.querySelector("table.reminders tr[aria-selected=true]");
      if (row && event.code === "KeyM") {
        event.preventDefault();
        openMenu(row, row.getBoundingClientRect());
      }
    },
    true,
  );

  document.addEventListener("card:close", () => dialog()?.close());
  // A row swapped by its own button keeps being the selected one; counters and places follow at once.
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.requestConfig?.verb !== "post") return;
    const id = event.detail.target?.id || event.detail.requestConfig.elt?.id,
      row = id?.startsWith("r") && document.getElementById(id);
    if (!row || !row.matches("tr[data-row]")) return;
    window.dozvonRows?.select(row);
    window.htmx.trigger("#counters", "live");
  });

  // A row of ДД leaves when its visit begins: the list is asked at that moment, since nothing is written then.
  setInterval(() => {
    const now = Date.now() / 1000,
      begun = [...document.querySelectorAll("tr[data-until]")].filter(
        (row) => row.dataset.until && row.dataset.until <= now,
      );
    begun.forEach((row) => delete row.dataset.until);
    if (begun.length) window.htmx.trigger("#counters", "live");
  }, 1000);
})();
