"use strict";
// A list: tick a page at once, and a button that says how many it takes.
(() => {
  const all = document.getElementById("tick-all");
  const button = document.querySelector("button[value=these]");
  if (!all || !button) return;
  const boxes = [...document.querySelectorAll(".list tbody input[type=checkbox]")];

  function say() {
    const number = boxes.filter((box) => box.checked).length;
    all.checked = number === boxes.length;
    all.indeterminate = number > 0 && number < boxes.length;
    button.disabled = number === 0;
    button.textContent = number ? button.dataset.some.replace("NUMBER", number) : button.dataset.none;
  }

  all.addEventListener("input", () => {
    for (const box of boxes) box.checked = all.checked;
  });
  document.querySelector(".list").addEventListener("input", say);
  window.addEventListener("pageshow", say); // a page that the browser kept whole has its ticks
  say();
})();
