// Where the investigation stands: the way back, the report's title and question, what was asked, and its notices.

function crumb(label, index, last, model) {
  if (index === last) return element("li", {}, element("span", { "aria-current": "page" }, label));
  const back = button({}, label);
  back.addEventListener("click", () => model.send({ kind: "back", step: index }));
  return element("li", {}, back);
}

function render({ model, el }) {
  const content = element("div", {});
  const status = element("p", { class: "ak-status", role: "status", "aria-live": "polite" });
  // What comes after the rows is said in a line of its own, which moves neither the focus nor the page.
  const remark = element("p", { class: "ak-status", role: "status", "aria-live": "polite" });
  const root = rootElement(model, "ak-trail");
  root.append(content, status, remark);
  el.append(root);

  const redraw = () => {
    const view = model.get("view");
    content.replaceChildren();
    status.textContent = view.status || "";
    if (!view.title) return;
    const last = view.crumbs.length - 1;
    const crumbs = view.crumbs.map((label, index) => crumb(label, index, last, model));
    const heading = element("h2", { tabindex: "-1", ...NO_SHORTCUTS }, view.title);
    const facts = view.facts.map(([label, value]) =>
      element("div", {}, element("dt", {}, label), element("dd", {}, value)),
    );
    content.append(
      element("nav", { "aria-label": view.texts.trail }, element("ol", { class: "ak-crumbs" }, ...crumbs)),
      heading,
      element("p", { class: "ak-lead" }, view.question),
      element("dl", { class: "ak-facts" }, ...facts),
    );
    if (view.notices.length) {
      const items = view.notices.map((notice) => element("li", {}, notice));
      content.append(
        element("section", { class: "ak-notices", "aria-label": view.texts.notices }, element("ul", {}, ...items)),
      );
    }
    heading.focus({ preventScroll: true });
    root.scrollIntoView({ block: "start" });
  };
  const sayRemark = () => {
    remark.textContent = model.get("remark");
  };
  model.on("change:view", redraw);
  model.on("change:remark", sayRemark);
  sayRemark();
  redraw();
}

export default { render };
