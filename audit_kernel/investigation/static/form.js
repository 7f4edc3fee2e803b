// A form: fields, one main button, further ones. Python decides whether the answer is a good one.

const PIECE = 1 << 20;

function control(description, attributes) {
  if (description.type === "textarea") return element("textarea", { rows: 3, ...attributes });
  if (description.type !== "select") return element("input", { type: description.type, ...attributes });
  return element("select", attributes, ...choices(description.options));
}

function choices(options) {
  return options.map(([value, label]) => element("option", { value }, label));
}

// A list that follows another one offers only what fits the other's value: the third of an option's three texts.
function follow(form, description) {
  const leader = form.elements.namedItem(description.follows);
  const follower = form.elements.namedItem(description.name);
  const offer = () =>
    follower.replaceChildren(...choices(description.options.filter(([, , of]) => !of || of === leader.value)));
  leader.addEventListener("change", offer);
  offer();
}

function field(description, prefix) {
  const id = `${prefix}-${description.name}`;
  const input = control(description, {
    id,
    name: description.name,
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

// A file goes over in pieces, the next when the one before was written: a message has a largest size.
async function upload(file, model) {
  let offset = 0;
  do {
    const piece = await file.slice(offset, offset + PIECE).arrayBuffer();
    const received = new Promise((resolve) => {
      const listen = (content) => {
        if (content.kind !== "received") return;
        model.off("msg:custom", listen);
        resolve(content);
      };
      model.on("msg:custom", listen);
    });
    model.send({ kind: "upload", name: file.name, offset, size: file.size }, undefined, [piece]);
    if (!(await received).go_on) return;
    offset += PIECE;
  } while (offset < file.size);
}

function render({ model, el }) {
  // Each form is a module of its own, so no counter would keep their ids apart.
  const prefix = `audit-kernel-${Math.random().toString(36).slice(2)}`;
  const content = element("div", {});
  // The region stands in the page before anything is said in it: a reader announces changes, not arrivals.
  const alert = element("div", { id: `${prefix}-error`, class: "ak-error", role: "alert", "aria-live": "assertive" });
  const root = rootElement(model, "ak-question");
  root.append(content, alert);
  el.append(root);
  let form;
  let submit;

  const send = (event) => {
    event.preventDefault();
    if (model.get("is_busy")) return;
    const values = Object.fromEntries([...new FormData(form)].filter(([, value]) => typeof value === "string"));
    const action = event.submitter?.dataset.action;
    model.send({ kind: "search", values: action ? { ...values, action } : values });
  };

  const draw = () => {
    const texts = model.get("texts");
    const typed = form ? Object.fromEntries(new FormData(form)) : {};
    const focused = content.contains(document.activeElement) ? document.activeElement : null;
    submit = button({ type: "submit", class: "ak-submit" });
    const actions = (texts.actions || []).map(([name, label]) =>
      button({ type: "submit", class: "ak-other", "data-action": name }, label),
    );
    const titleId = `${prefix}-actions`;
    const further = texts.actions_title
      ? [element("div", { class: "ak-buttons", role: "group", "aria-labelledby": titleId },
          element("p", { id: titleId, class: "ak-group" }, texts.actions_title), ...actions)]
      : [];
    form = element(
      "form",
      { class: texts.is_compact ? "ak-form ak-compact" : "ak-form", novalidate: "", "aria-label": texts.title },
      ...texts.fields.map((description) => field(description, prefix)),
      element("div", { class: "ak-buttons" }, submit, ...(further.length ? [] : actions)),
      ...further,
    );
    for (const description of texts.fields) {
      const input = form.elements.namedItem(description.name);
      if (description.type === "file") {
        input.addEventListener("change", () => input.files.length && upload(input.files[0], model));
      } else {
        if (description.follows) follow(form, description);
        input.value = description.value ?? typed[description.name] ?? (description.options?.[0]?.[0] || "");
      }
    }
    // A field that another one makes useless is neither shown nor reached by Tab.
    const showFitting = () => {
      for (const { name, when } of texts.fields) {
        if (!when) continue;
        const fits = when[1].includes(form.elements.namedItem(when[0]).value);
        form.elements.namedItem(name).closest(".ak-field").hidden = !fits;
      }
    };
    form.addEventListener("change", showFitting);
    showFitting();
    const lead = element("p", { class: "ak-lead" }, texts.lead);
    for (const link of [texts.link, ...(texts.links || [])].filter(Boolean)) {
      lead.append(" ", element("a", { href: link.href, ...NO_SHORTCUTS }, link.text));
    }
    const heading = element(texts.level || "h1", {}, texts.title);
    if (texts.folded) {
      const wasOpen = content.querySelector("details")?.open && !texts.drawn;
      const summary = element("summary", { ...NO_SHORTCUTS }, heading);
      content.replaceChildren(element("details", wasOpen ? { open: "" } : {}, summary, lead, form));
    } else content.replaceChildren(heading, lead, form);
    // JupyterLab swallows the key press by which a browser would send the form itself.
    form.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.target.tagName !== "INPUT" || event.target.type === "file") return;
      event.preventDefault();
      form.requestSubmit(submit);
    });
    form.addEventListener("submit", send);
    if (focused?.name) form.elements.namedItem(focused.name)?.focus();
    if (focused?.tagName === "BUTTON") {
      const action = focused.dataset.action;
      (form.querySelector(action ? `[data-action="${CSS.escape(action)}"]` : ".ak-submit") || submit).focus();
    }
    showBusy();
  };
  const showBusy = () => {
    const busy = model.get("is_busy");
    const texts = model.get("texts");
    submit.textContent = busy ? texts.busy : texts.submit;
    for (const each of form.querySelectorAll("button")) each.setAttribute("aria-disabled", String(busy));
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
  model.on("change:texts", draw);
  draw();
  showError();
  // The page is there for this field; JupyterLab gives the focus to the cell around it when the page opens.
  requestAnimationFrame(() => form.elements.namedItem("purpose")?.focus({ preventScroll: true }));
}

export default { render };
