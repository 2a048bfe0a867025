// The report: double click opens a group or a contact, right click shows the row's own menu, arrows unfold, windows
// open, charts draw.
// Each of these has a visible control; this only makes the old habits of the hands work.
"use strict";
(() => {
  const menu = () => document.getElementById("row-menu");
  const interactive = "a, button, input, select, textarea, summary, label, audio";

  // Only one pop-over at a time, and none after a click elsewhere.
  document.addEventListener(
    "toggle",
    (event) => {
      if (event.target.matches?.("details.pop[open]"))
        document.querySelectorAll("details.pop[open]").forEach((other) => {
          if (other !== event.target && !other.contains(event.target)) other.open = false;
        });
    },
    true,
  );
  document.addEventListener("click", (event) => {
    document.querySelectorAll("details.pop[open]").forEach((pop) => {
      if (!pop.contains(event.target)) pop.open = false;
    });
    if (menu() && !menu().contains(event.target)) menu().hidden = true;
  });
  document.addEventListener("keydown", (event) => {
    if (event.code !== "Escape") return;
    document.querySelectorAll("details.pop[open]").forEach((pop) => {
      pop.open = false;
      pop.querySelector("summary").focus();
    });
    if (menu()) menu().hidden = true;
  });

  document.addEventListener("dblclick", (event) => {
    const row = event.target.closest("tr[data-open-row]");
    if (!row || event.target.closest(interactive)) return;
    const unfold = row.querySelector("[data-unfold]");
    if (unfold) unfold.click();
    else row.querySelector("[data-open]")?.click();
  });

  document.addEventListener("contextmenu", (event) => {
    const row = event.target.closest("tr[data-open-row]");
    if (!row || event.target.closest("input, textarea, audio") || !menu()) return;
    event.preventDefault();
    const own = row.querySelector("[data-menu]");
    menu().replaceChildren(...(own ? [...own.children].map((item) => item.cloneNode(true)) : groupItems(row)));
    menu().hidden = false;
    menu().style.left = `${Math.min(event.clientX, innerWidth - menu().offsetWidth - 8)}px`;
    menu().style.top = `${Math.min(event.clientY, innerHeight - menu().offsetHeight - 8)}px`;
    menu().querySelector("a, button")?.focus();
  });
  function groupItems(row) {
    const items = [
      [row.querySelector("[data-open]"), "Детализировать"],
      [row.querySelector("td.num a"), "Показать обращения"],
    ];
    if (row === row.parentElement.querySelector("tr"))
      items.push([document.querySelector("thead [data-key=KeyD]"), "Детализировать все группы"]);
    return items
      .filter(([link]) => link)
      .map(([link, text]) => {
        const item = document.createElement("a");
        item.className = "pop-item";
        item.href = link.href;
        item.textContent = text;
        return item;
      });
  }

  async function part(url) {
    const answer = await fetch(url, { headers: { "HX-Request": "true" } });
    if (!answer.ok) throw new Error(String(answer.status));
    const box = document.createElement("div");
    box.innerHTML = await answer.text();
    return box;
  }

  // The arrow in the first column unfolds a contact under its row; without scripts it is a link to the contact's page.
  document.addEventListener("click", async (event) => {
    const arrow = event.target.closest("[data-unfold]");
    if (!arrow || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const row = arrow.closest("tr"),
      next = row.nextElementSibling;
    if (next?.classList.contains("unfolded-row")) {
      next.remove();
      arrow.setAttribute("aria-expanded", "false");
      return;
    }
    const unfolded = document.createElement("tr"),
      cell = document.createElement("td");
    unfolded.className = "unfolded-row";
    cell.colSpan = row.cells.length;
    unfolded.append(cell);
    try {
      cell.append(...(await part(arrow.href)).childNodes);
    } catch {
      location.href = arrow.href;
      return;
    }
    row.after(unfolded);
    arrow.setAttribute("aria-expanded", "true");
    window.htmx?.process(cell);
  });

  // Rules of the channel, the transcript, the conversation: in a window over the report.
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("[data-window]"),
      box = document.getElementById("window");
    if (!link || !box || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (menu()) menu().hidden = true;
    try {
      box.replaceChildren(...(await part(link.href)).childNodes);
    } catch {
      location.href = link.href;
      return;
    }
    const close = document.createElement("button");
    close.className = "btn-close window-close";
    close.type = "button";
    close.setAttribute("aria-label", "Закрыть");
    close.addEventListener("click", () => box.close());
    box.prepend(close);
    if (!box.open) box.showModal();
    document.dispatchEvent(new CustomEvent("window:shown"));
  });
  document.addEventListener(
    "close",
    (event) => {
      if (event.target.id === "window") event.target.replaceChildren();
    },
    true,
  );

  // A date typed in means a period of its own: the preset in the address goes.
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-report-filters]")) return;
    event.target.querySelectorAll("input, select").forEach((field) => {
      if (field.value === "" && field.name) field.disabled = true;
    });
  });
  window.addEventListener("pageshow", () =>
    document.querySelectorAll("[data-report-filters] :disabled").forEach((field) => {
      field.disabled = false;
    }),
  );

  function draw() {
    const data = document.getElementById("chart-data"),
      place = document.getElementById("chart");
    if (!data || !place || !window.echarts) return;
    const facts = JSON.parse(data.textContent),
      chart = window.echarts.getInstanceByDom(place) || window.echarts.init(place, null, { renderer: "canvas" });
    const base = {
      animation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
      grid: { left: 44, right: 16, top: 32, bottom: 28 },
      tooltip: {},
    };
    if (facts.kind === "day")
      chart.setOption({
        ...base,
        tooltip: { trigger: "axis" },
        legend: { top: 0 },
        xAxis: { type: "category", data: facts.days },
        yAxis: { type: "value", minInterval: 1 },
        series: [
          { name: facts.unit, type: "bar", data: facts.total, itemStyle: { color: "#9fc5bd" } },
          { name: "Записались", type: "bar", data: facts.booked, itemStyle: { color: "#0b6b5d" } },
          { name: "Пришли", type: "line", data: facts.came, itemStyle: { color: "#c98a00" } },
        ],
      });
    else if (facts.kind === "funnel")
      chart.setOption({
        ...base,
        series: [
          {
            type: "funnel",
            sort: "none",
            left: "5%",
            right: "30%",
            top: 10,
            bottom: 10,
            label: { position: "right", formatter: (item) => `${item.name}: ${item.value}` },
            data: facts.steps,
            color: ["#9fc5bd", "#5fa697", "#0b6b5d", "#c98a00"],
          },
        ],
      });
    else
      chart.setOption({
        ...base,
        grid: { left: 40, right: 16, top: 10, bottom: 56 },
        tooltip: {
          formatter: (cell) => `${facts.weekdays[cell.value[1]]}, ${facts.hours[cell.value[0]]}: ${cell.value[2]}`,
        },
        xAxis: { type: "category", data: facts.hours },
        yAxis: { type: "category", data: facts.weekdays, inverse: true },
        visualMap: {
          min: 0,
          max: facts.max,
          orient: "horizontal",
          left: "center",
          bottom: 0,
          inRange: { color: ["#f3f6f5", "#ffd37a", "#f2765f"] },
        },
        series: [{ type: "heatmap", data: facts.cells, label: { show: true, color: "#1b1f24", fontWeight: 600 } }],
      });
    place.dataset.drawn = facts.kind;
  }
  document.addEventListener("DOMContentLoaded", draw);
  document.addEventListener("htmx:afterSettle", draw);
  window.addEventListener("resize", () => {
    const place = document.getElementById("chart");
    if (place) window.echarts?.getInstanceByDom(place)?.resize();
  });
})();
