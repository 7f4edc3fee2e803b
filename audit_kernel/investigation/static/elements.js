// Shared by the widgets' scripts, which are each read behind this file. Text becomes text nodes, never markup.

function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) node.setAttribute(key, String(value));
  }
  node.append(...children.map((child) => (typeof child === "string" ? document.createTextNode(child) : child)));
  return node;
}

// JupyterLab's shortcuts reach every element that does not say this: "d d" on a focused button deletes the cell.
const NO_SHORTCUTS = { "data-lm-suppress-shortcuts": "true" };

function button(attributes, ...children) {
  return element("button", { type: "button", ...NO_SHORTCUTS, ...attributes }, ...children);
}

// The page around says that it is English.
function rootElement(model, style) {
  return element("div", { class: `audit-kernel ${style}`, lang: model.get("language"), ...NO_SHORTCUTS });
}
