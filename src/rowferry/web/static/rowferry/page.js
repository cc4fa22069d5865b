"use strict";
// What every page does: copy buttons, and no question to the server from a tab that nobody sees.
(() => {
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
    if (event.target.id === "pulse" && document.hidden) event.preventDefault();
  });
  document.addEventListener("visibilitychange", () => {
    const pulse = document.getElementById("pulse");
    if (pulse && !document.hidden) window.htmx.trigger(pulse, "awake");
  });
})();
