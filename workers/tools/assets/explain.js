// Pointing at a shared passage shows it on both sides; choosing it brings the other one into view.
"use strict";
(() => {
  const same = (n) => document.querySelectorAll(`mark[data-n="${n}"]`);
  document.addEventListener("pointerover", (event) => {
    const n = event.target.closest?.("mark[data-n]")?.dataset.n;
    for (const mark of document.querySelectorAll("mark.lit")) if (mark.dataset.n !== n) mark.classList.remove("lit");
    if (n !== undefined) for (const mark of same(n)) mark.classList.add("lit");
  });
  document.addEventListener("click", (event) => {
    const mark = event.target.closest?.("mark[data-n]");
    if (!mark) return;
    for (const other of same(mark.dataset.n)) if (other.closest("article") !== mark.closest("article")) { other.scrollIntoView({ block: "nearest" }); break; }
  });
})();
