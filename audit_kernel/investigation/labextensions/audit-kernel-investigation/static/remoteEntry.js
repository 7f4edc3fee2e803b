// A prebuilt JupyterLab extension without a build step: the two functions of a module-federation container, by hand.
// It runs the investigator's, the operator's, the reviewer's and the auditor's page when they open, once the kernel is there, and no other notebook.
(() => {
  "use strict";

  const NAME = "audit-kernel-investigation";
  const PAGES = ["notebooks/investigate.ipynb", "notebooks/operate.ipynb", "notebooks/review.ipynb", "notebooks/audit.ipynb", "notebooks/worklist.ipynb"];
  let shared;

  // A shared scope holds, for each package, its versions; the running JupyterLab is the one that counts as loaded.
  async function sharedModule(name) {
    const versions = Object.values(shared[name] || {});
    const version = versions.find((candidate) => candidate.loaded) || versions[0];
    if (!version) throw new Error(`${NAME}: JupyterLab shares no ${name}`);
    return (await version.get())();
  }

  // View > Appearance brings the activity bars back for those who want the folders.
  function hideActivityBars(shell) {
    if (shell.mode !== "single-document" || !shell.isSideTabBarVisible) return;
    for (const side of ["left", "right"]) if (shell.isSideTabBarVisible(side)) shell.toggleSideTabBarVisibility(side);
  }

  async function runPage(app, panel, NotebookActions) {
    panel.addClass("audit-kernel-page");
    panel.toolbar.hide();
    app.restored.then(() => hideActivityBars(app.shell));
    await panel.context.ready;
    await panel.sessionContext.ready;
    await panel.revealed;
    const kernel = panel.sessionContext.session && panel.sessionContext.session.kernel;
    if (kernel) await kernel.info;
    await NotebookActions.runAll(panel.content, panel.sessionContext);
    // A page with only a widget has nothing to save: without this the browser would ask before it closes.
    panel.context.model.dirty = false;
  }

  async function extension() {
    const { INotebookTracker, NotebookActions } = await sharedModule("@jupyterlab/notebook");
    return {
      id: `${NAME}:run-on-opening`,
      description: "Runs the pages of audit-kernel when they open.",
      autoStart: true,
      requires: [INotebookTracker],
      activate: (app, tracker) => {
        const style = document.createElement("style");
        style.textContent = STYLE;
        document.head.append(style);
        tracker.widgetAdded.connect((_tracker, panel) => {
          if (!PAGES.includes(panel.context.path)) return;
          runPage(app, panel, NotebookActions).catch((error) => console.error(`${NAME}: the page did not run`, error));
        });
      },
    };
  }

  // The page is a form, not a notebook: nothing around it that belongs to code.
  const STYLE = `
    .audit-kernel-page .jp-InputPrompt,
    .audit-kernel-page .jp-OutputPrompt,
    .audit-kernel-page .jp-Cell-inputWrapper,
    .audit-kernel-page .jp-CellHeader,
    .audit-kernel-page .jp-OutputCollapser,
    .audit-kernel-page .jp-OutputArea-promptOverlay,
    .audit-kernel-page .jp-Collapser,
    .audit-kernel-page .jp-Notebook-footer,
    .audit-kernel-page .jp-cell-toolbar { display: none !important; }
    .audit-kernel-page .jp-Cell,
    .audit-kernel-page .jp-Cell.jp-mod-active,
    .audit-kernel-page .jp-OutputArea-output { padding: 0; box-shadow: none; background: none; overflow: visible; }
    .audit-kernel-page .jp-OutputArea-child { overflow: visible; }
    .audit-kernel-page .jp-WindowedPanel-outer { padding: 8px clamp(8px, 2vw, 32px); box-sizing: border-box; }
  `;

  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB[NAME] = {
    init: (scope) => {
      shared = scope;
    },
    get: async (module) => {
      if (module !== "./extension") throw new Error(`${NAME}: no module ${module}`);
      const plugin = await extension();
      return () => plugin;
    },
  };
})();
