// The question: purpose first, then patient and/or employee, then the period. Python decides whether it is a good one.

let formNumber = 0;

function field(description, prefix) {
  const id = `${prefix}-${description.name}`;
  const input = element("input", {
    id,
    name: description.name,
    type: description.type,
    value: description.value || "",
    autocomplete: "off",
    spellcheck: "false",
    "aria-required": description.required ? "true" : null,
    "aria-describedby": description.hint ? `${id}-hint` : null,
    ...NO_SHORTCUTS,
  });
  const parts = [element("label", { for: id }, description.label), input];
  if (description.hint) parts.splice(1, 0, element("p", { id: `${id}-hint`, class: "ak-hint" }, description.hint));
  return element("div", { class: `ak-field ak-field-${description.name}` }, ...parts);
}

function render({ model, el }) {
  const texts = model.get("texts");
  formNumber += 1;
  const prefix = `audit-kernel-${formNumber}`;
  const submit = button({ type: "submit", class: "ak-submit" });
  // The region stands in the page before anything is said in it: a reader announces changes, not arrivals.
  const alert = element("div", { id: `${prefix}-error`, class: "ak-error", role: "alert", "aria-live": "assertive" });
  const form = element(
    "form",
    { class: "ak-form", novalidate: "", "aria-label": texts.title },
    ...texts.fields.map((description) => field(description, prefix)),
    element("div", { class: "ak-buttons" }, submit),
  );
  const root = rootElement(model, "ak-question");
  root.append(element("h1", {}, texts.title), element("p", { class: "ak-lead" }, texts.lead), form, alert);
  el.append(root);

  // JupyterLab swallows the key press by which a browser would send the form itself.
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target.tagName !== "INPUT") return;
    event.preventDefault();
    form.requestSubmit();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (model.get("is_busy")) return;
    model.send({ kind: "search", values: Object.fromEntries(new FormData(form)) });
  });

  const showBusy = () => {
    const busy = model.get("is_busy");
    submit.textContent = busy ? texts.busy : texts.submit;
    submit.setAttribute("aria-disabled", String(busy));
  };
  const showError = () => {
    const error = model.get("error");
    for (const input of form.querySelectorAll("[aria-invalid]")) {
      input.removeAttribute("aria-invalid");
      input.removeAttribute("aria-errormessage");
    }
    alert.replaceChildren();
    if (!error.problem) return;
    alert.append(element("strong", {}, error.problem));
    if (error.remedy) alert.append(element("span", {}, ` ${error.remedy}`));
    const input = error.field ? form.elements.namedItem(error.field) : null;
    if (!input) return;
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-errormessage", alert.id);
    input.focus();
  };
  model.on("change:is_busy", showBusy);
  model.on("change:error", showError);
  showBusy();
  showError();
  // The page is there for this field; JupyterLab gives the focus to the cell around it when the page opens.
  requestAnimationFrame(() => form.elements.namedItem("purpose")?.focus({ preventScroll: true }));
}

export default { render };
