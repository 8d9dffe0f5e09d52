"use strict";
// Tables can be sorted and filtered; without this script they are read as they are.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const text = (row, column) => row.cells[column].textContent.trim();
  const asNumber = (cell) => (cell === "" ? NaN : Number(cell));
  const compare = (one, other) => {
    const [a, b] = [asNumber(one), asNumber(other)];
    if (!Number.isNaN(a) && !Number.isNaN(b)) return a - b;
    return one.localeCompare(other);
  };
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const isUp = head.getAttribute("aria-sort") !== "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", isUp ? "ascending" : "descending");
      const rows = [...body.rows].sort((one, other) => {
        const [a, b] = [text(one, column), text(other, column)];
        if (a === "" || b === "") return (a === "") - (b === ""); // what is missing comes last, either way
        return isUp ? compare(a, b) : compare(b, a);
      });
      body.append(...rows);
    });
  });
  if (!table.classList.contains("filtered")) continue;
  const filter = document.createElement("input");
  filter.type = "search";
  filter.className = "filter";
  filter.placeholder = "Show rows with …";
  filter.setAttribute("aria-label", "Show only the rows that contain this text");
  filter.addEventListener("input", () => {
    const wanted = filter.value.toLowerCase();
    for (const row of body.rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
  });
  table.parentElement.before(filter);
}
