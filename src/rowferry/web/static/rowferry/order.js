"use strict";
// The form of a new export. Without this file it works as plain HTML: only the order of columns stays as it is.
(() => {
  const form = document.getElementById("order");
  const chosen = document.getElementById("chosen");
  const said = document.getElementById("said");
  const ask = () => window.htmx.trigger("#seen", "asked");

  // Columns: what is ticked moves to the file's list, what is unticked back to its group.
  const rows = () => [...form.querySelectorAll("li[data-name]")];
  const home = (row) => form.querySelector(`.group[data-group="${CSS.escape(row.dataset.group)}"] ul`);

  function place(row) {
    const box = row.querySelector("input");
    const list = box.checked ? chosen : home(row);
    if (row.parentElement !== list) list.append(row);
  }

  function say(row) {
    const all = [...chosen.children];
    const name = row.querySelector("label").textContent.trim();
    said.textContent = said.dataset.words.replace("NAME", name)
      .replace("NUMBER", all.indexOf(row) + 1).replace("MANY", all.length);
  }

  function move(row, by) {
    const other = by < 0 ? row.previousElementSibling : row.nextElementSibling;
    if (!other) return;
    by < 0 ? other.before(row) : other.after(row);
    row.querySelector(`[data-move="${by}"]`).focus();
    say(row);
  }

  function tick(which) {
    for (const row of rows()) {
      const wanted = which === "all" || (which === "default" && "default" in row.dataset);
      row.querySelector("input").checked = wanted;
      place(row);
    }
  }

  let dragged = null;
  rows().forEach((row) => { row.draggable = true; });
  form.addEventListener("dragstart", (event) => {
    dragged = event.target.closest?.("#chosen li") ?? null;
    dragged?.classList.add("dragged");
  });
  chosen.addEventListener("dragover", (event) => {
    const over = event.target.closest("li");
    if (!dragged) return;
    event.preventDefault();
    if (!over || over === dragged) return;
    const box = over.getBoundingClientRect();
    event.clientY < box.top + box.height / 2 ? over.before(dragged) : over.after(dragged);
  });
  form.addEventListener("drop", (event) => { if (dragged) event.preventDefault(); });
  form.addEventListener("dragend", () => {
    if (!dragged) return;
    dragged.classList.remove("dragged");
    say(dragged);
    dragged = null;
    ask();
  });

  form.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button || button.type !== "button") return;
    const { move: by, columns } = button.dataset;
    if (by) move(button.closest("li"), Number(by));
    if (columns) tick(columns);
    ask();
  });

  function options() {
    const format = form.querySelector("[name=format]:checked")?.value;
    for (const part of form.querySelectorAll("[data-format]")) part.hidden = part.dataset.format !== format;
  }

  form.addEventListener("input", (event) => {
    const field = event.target;
    if (field.id === "find-column") {
      const text = field.value.toLowerCase();
      for (const row of rows()) row.hidden = !row.textContent.toLowerCase().includes(text);
      return;
    }
    if (field.name.startsWith("find.")) return;
    if (field.name === "columns") {
      const next = field.closest("li").nextElementSibling ?? field.closest("li").previousElementSibling;
      place(field.closest("li"));
      (next?.querySelector("input") ?? field).focus();
    }
    if (field.name === "format") options();
    ask();
  });

  // Back to a page that the browser kept whole: rows may have changed meanwhile.
  window.addEventListener("pageshow", (event) => { if (event.persisted) ask(); });
  options();
})();
