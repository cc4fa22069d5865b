"use strict";
// What every page does: forms that are sent once, copy buttons, no question to the server from a tab that nobody sees.
(() => {
  const BUSY = 2000;
  const LOOK = 500;

  // A second press within two seconds is a slip. After it, the form's key still makes it one order.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (form.ariaBusy === "true") {
      event.preventDefault();
      return;
    }
    form.ariaBusy = "true";
    setTimeout(() => { form.ariaBusy = null; }, BUSY);
    if (form.elements.order_key) renew(form.elements.order_key);
  });

  // A download leaves the page as it is. The cookie says that it was answered: the next press is a new order.
  function renew(field) {
    const answered = `rowferry_answered=${field.value}`;
    const timer = setInterval(() => {
      if (!document.cookie.split("; ").includes(answered)) return;
      clearInterval(timer);
      setTimeout(() => { field.value = key(); }, BUSY);
    }, LOOK);
  }

  function key() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  // Back to a page that the browser kept whole: it was left, so its forms are no more what they were sent as.
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const field of document.querySelectorAll("[name=order_key]")) field.value = key();
  });

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      const before = button.textContent;
      button.textContent = button.dataset.done;
      setTimeout(() => { button.textContent = before; }, 1500);
    } catch {
      window.prompt("", button.dataset.copy);
    }
  });

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target.id === "poll" && document.hidden) event.preventDefault();
  });
  document.addEventListener("visibilitychange", () => {
    const poll = document.getElementById("poll");
    if (poll && !document.hidden) window.htmx.trigger(poll, "awake");
  });
})();
