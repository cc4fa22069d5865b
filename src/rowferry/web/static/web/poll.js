"use strict";
// Replaces the list while something in it is not done. Without this file the page reloads itself instead.
(() => {
  const EVERY = 2000;
  const busy = (list) => list.contains(document.activeElement) || list.querySelector("details[open]");

  async function refresh() {
    const list = document.getElementById("exports");
    if (!document.hidden && !busy(list)) {
      const answer = await fetch(location.href, { credentials: "same-origin" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("exports");
      if (!fresh) return location.reload();
      list.replaceWith(fresh);
    }
    wait();
  }

  function wait() {
    if (document.querySelector("#exports[data-active]")) setTimeout(() => refresh().catch(wait), EVERY);
  }

  wait();
})();
