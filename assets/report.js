// Values of points under the pointer, or touched: the marks' titles, without the wait.
const box = document.getElementById("value");
document.addEventListener("pointerover", (event) => {
  const mark = event.target.closest(".values circle");
  box.hidden = !mark;
  if (!mark) return;
  box.textContent = mark.querySelector("title").textContent;
  const at = mark.getBoundingClientRect();
  const left = at.left + window.scrollX + at.width;
  const widest = document.documentElement.clientWidth - box.offsetWidth - 8;
  box.style.left = Math.max(8, Math.min(left, widest)) + "px";
  box.style.top = at.bottom + window.scrollY + 4 + "px";
});
// On narrow windows rows are cards, whose entries say what they are.
for (const table of document.querySelectorAll(".scroll table")) {
  table.classList.add("cards");
  const names = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
  for (const row of table.tBodies[0].rows)
    for (const cell of row.cells) cell.dataset.name = names[cell.cellIndex];
}
