// The columns of a mapping: where each goes, its time format, whether it must have a value. Every change goes to Python.

function choice(options, value, attributes, send) {
  const list = options.map(([name, label]) => element("option", { value: name }, label));
  const select = element("select", { ...NO_SHORTCUTS, ...attributes }, ...list);
  select.value = value;
  select.addEventListener("change", () => send(select.value));
  return select;
}

function codes(column, index, view, model) {
  const name = (code) => ({ "data-focus": `value:${index}:${code}`, "aria-label": `${column.name}: ${code}` });
  const items = column.values.map(([code, shown, to]) => {
    const send = (value) => model.send({ kind: "value", column: index, code, value });
    return element("li", {}, `${shown} `, choice(column.allowed, to, name(shown), send));
  });
  return items.length ? element("ul", { class: "ak-codes" }, ...items) : "";
}

function columnRow(column, index, view, model) {
  const change = (field) => (value) => model.send({ kind: "change", column: index, field, value });
  const named = (field) => ({ "data-focus": `${field}:${index}`, "aria-label": `${column.name}: ${view.headings[field]}` });
  const format = element("input", { type: "text", value: column.format, spellcheck: "false", ...named("format") });
  format.addEventListener("change", () => change("format")(format.value));
  const required = element("input", { type: "checkbox", class: "ak-check", ...NO_SHORTCUTS, ...named("required") });
  required.checked = column.required;
  required.addEventListener("change", () => change("required")(required.checked));
  return element(
    "tr",
    { class: column.open ? "ak-marked" : null },
    element("th", { scope: "row" }, column.name),
    element("td", {}, column.examples),
    element("td", {}, choice(view.targets, column.to, named("to"), change("to")), codes(column, index, view, model)),
    element("td", {}, choice(view.types, column.type, named("type"), change("type"))),
    element("td", {}, column.timed ? format : ""),
    element("td", { class: "ak-middle" }, required),
  );
}

function render({ model, el }) {
  const root = rootElement(model, "ak-table");
  el.append(root);
  const draw = () => {
    const view = model.get("view");
    const focused = root.contains(document.activeElement) ? document.activeElement.dataset.focus : undefined;
    root.replaceChildren();
    if (!view.columns) return;
    const names = ["name", "examples", "to", "type", "format", "required"];
    const head = element("tr", {}, ...names.map((name) => element("th", { scope: "col" }, view.headings[name])));
    const rows = view.columns.map((column, index) => columnRow(column, index, view, model));
    const caption = element("caption", {}, view.caption);
    const table = element("table", {}, caption, element("thead", {}, head), element("tbody", {}, ...rows));
    const label = { role: "region", tabindex: "0", "aria-label": view.caption, ...NO_SHORTCUTS };
    root.append(element("div", { class: "ak-scroller", ...label }, table));
    if (focused) root.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
  };
  model.on("change:view", draw);
  draw();
}

export default { render };
