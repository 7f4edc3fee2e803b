// A table that a screen reader can read: real elements, text nodes only. Sorting and paging happen in Python.

// A shorter cell is not broken in lines; a log's text can be one word of any length, which must be.
const LONGEST_WHOLE = 14;
const SHORTEST_LONG = 40;
const ARROWS = { ascending: "\u25B2", descending: "\u25BC", none: "\u2195" };

function headerCell(column, model) {
  const sort = button(
    { class: "ak-sort", title: column.meaning || null, "data-focus": `sort:${column.name}` },
    `${column.label}\u00A0`,
    element("span", { "aria-hidden": "true", class: "ak-arrow" }, ARROWS[column.sort]),
  );
  sort.addEventListener("click", () => model.send({ kind: "sort", column: column.name }));
  const order = column.sort === "none" ? null : column.sort;
  return element("th", { scope: "col", "aria-sort": order, class: column.numeric ? "ak-number" : null }, sort);
}

function styleOf(text) {
  if (text.length <= LONGEST_WHOLE) return "ak-whole";
  return text.length < SHORTEST_LONG ? null : "ak-long";
}

function bodyRow(row, index, view, model) {
  const cells = row.map((text, position) => {
    const column = view.columns[position];
    const style = column.numeric ? "ak-number" : column.whole ? "ak-whole" : styleOf(text);
    return position === view.heading
      ? element("th", { scope: "row", class: style }, text)
      : element("td", { class: style }, text);
  });
  const actions = [];
  if (view.action) {
    const name = `${view.action}: ${row.slice(view.heading, view.heading + 2).join(" ")}`;
    const open = button({ class: "ak-open", "data-focus": `row:${index}`, "aria-label": name }, view.action);
    open.addEventListener("click", () => model.send({ kind: "choose", row: index }));
    actions.push(open);
  }
  if (view.ways.length) actions.push(" ", moreButton(row, index, view, model));
  if (actions.length) cells.unshift(element("td", { class: "ak-action" }, ...actions));
  const marked = index === view.marked;
  return element("tr", { class: marked ? "ak-marked" : null, "aria-current": marked ? "true" : null }, ...cells);
}

// One button a row; what it opens stands in a row of its own below, so that it can be read and reached in order.
function moreButton(row, index, view, model) {
  const name = `${view.texts.more_of}: ${row.slice(view.heading, view.heading + 2).join(" ")}`;
  const attributes = { class: "ak-more", "data-focus": `more:${index}`, "aria-label": name, "aria-expanded": "false" };
  const more = button(attributes, view.texts.more);
  more.addEventListener("click", () => toggleWays(more, index, view, model));
  return more;
}

function toggleWays(more, index, view, model) {
  const wasOpen = more.getAttribute("aria-expanded") === "true";
  const table = more.closest("table");
  table.querySelector(".ak-ways")?.remove();
  for (const each of table.querySelectorAll(".ak-more")) each.setAttribute("aria-expanded", "false");
  if (wasOpen) return;
  const ways = view.ways.map(([name, label]) => {
    const way = button({ class: "ak-way" }, label);
    way.addEventListener("click", () => model.send({ kind: "way", row: index, way: name }));
    return way;
  });
  const cell = element("td", { colspan: more.closest("tr").cells.length }, element("div", { class: "ak-buttons" }, ...ways));
  const opened = element("tr", { class: "ak-ways" }, cell);
  opened.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    toggleWays(more, index, view, model);
    more.focus();
  });
  more.closest("tr").after(opened);
  more.setAttribute("aria-expanded", "true");
  ways[0].focus();
}

function pager(view, model) {
  if (view.pages < 2) return "";
  const goals = { first: 0, previous: view.page - 1, next: view.page + 1, last: view.pages - 1 };
  const buttons = Object.entries(goals).map(([name, goal]) => {
    const possible = goal >= 0 && goal < view.pages && goal !== view.page;
    // aria-disabled keeps the focus on a button that just became useless; disabled would throw it to the page's top.
    const turn = button(
      { class: "ak-turn", "data-focus": `page:${name}`, "aria-disabled": possible ? null : "true" },
      view.texts[name],
    );
    if (possible) turn.addEventListener("click", () => model.send({ kind: "page", page: goal }));
    return turn;
  });
  const where = element("span", { class: "ak-where", role: "status" }, view.texts.where);
  return element("nav", { class: "ak-pager", "aria-label": view.texts.pages }, ...buttons, where);
}

function draw(view, model) {
  const action = (view.action || view.ways.length) && view.rows.length ? [element("th", { scope: "col" }, view.texts.action)] : [];
  const head = element("tr", {}, ...action, ...view.columns.map((column) => headerCell(column, model)));
  const body = view.rows.map((row, index) => bodyRow(row, index, view, model));
  const table = element(
    "table",
    {},
    element("caption", {}, view.caption),
    element("thead", {}, head),
    element("tbody", {}, ...body),
  );
  const label = { role: "region", tabindex: "0", "aria-label": view.caption, ...NO_SHORTCUTS };
  const scroller = element("div", { class: "ak-scroller", ...label }, table);
  if (!view.folded) return [scroller, pager(view, model)];
  const summary = element("summary", { ...NO_SHORTCUTS }, view.folded);
  return [element("details", {}, summary, scroller, pager(view, model))];
}

function moveBetweenRows(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || !event.target.classList.contains("ak-open")) return;
  const buttons = [...event.currentTarget.querySelectorAll(".ak-open")];
  const next = buttons[buttons.indexOf(event.target) + step];
  if (next) {
    event.preventDefault();
    next.focus();
  }
}

function render({ model, el }) {
  const root = rootElement(model, "ak-table");
  root.addEventListener("keydown", moveBetweenRows);
  el.append(root);
  const redraw = () => {
    const view = model.get("view");
    const focused = root.contains(document.activeElement) ? document.activeElement.dataset.focus : undefined;
    const wasOpen = root.querySelector("details")?.open;
    root.replaceChildren();
    if (!view.columns) return;
    root.append(...draw(view, model));
    if (wasOpen) root.querySelector("details").open = true;
    if (focused) root.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
  };
  model.on("change:view", redraw);
  redraw();
}

export default { render };
