"use strict";
// The filters, on the form of a new export and beside a list: how many are ticked, and days that are often wanted.
(() => {
  // Days: the presets in the time zone that the file will have.
  function days(which, zone) {
    const [year, month, day] = new Intl.DateTimeFormat("en-CA", { timeZone: zone }).format(new Date()).split("-").map(Number);
    const iso = (y, m, d) => new Date(Date.UTC(y, m, d)).toISOString().slice(0, 10);
    const today = iso(year, month - 1, day);
    return {
      today: [today, today],
      week: [iso(year, month - 1, day - 6), today],
      month: [iso(year, month - 1, 1), today],
      before: [iso(year, month - 2, 1), iso(year, month - 1, 0)],
      year: [iso(year, 0, 1), today],
    }[which] ?? ["", ""];
  }

  function preset(form, which) {
    const [first, last] = days(which, form.elements.time_zone?.value || "UTC");
    const field = form.elements["filters.date_from"];
    field.value = first;
    form.elements["filters.date_to"].value = last;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-preset]");
    if (button) preset(button.form, button.dataset.preset);
  });

  function count(pick) {
    const number = pick.querySelectorAll("ul input:checked").length;
    const shown = pick.querySelector("output");
    shown.textContent = number ? `${number} ${shown.dataset.some}` : shown.dataset.any;
  }

  document.addEventListener("input", (event) => {
    const pick = event.target.closest(".pick");
    if (pick && event.target.type === "checkbox") count(pick);
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("[name^='find.'], #find-column")) event.preventDefault();
  });
})();
