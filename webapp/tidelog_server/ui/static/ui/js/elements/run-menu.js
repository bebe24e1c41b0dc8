import { ask } from "tidelog/api";
import { find } from "tidelog/dom";
import { toast } from "tidelog/toast";

/**
 * The menu of a run's page: copy its path or the command that continues it, delete it.
 * @param {{ url: string, workspace: string }} run
 */
export function wireMenu(run) {
  const menu = find(document, "#run-menu");
  menu.addEventListener("click", async (event) => {
    const item = /** @type {HTMLElement | null} */ (
      /** @type {Element} */ (event.target).closest(".item")
    );
    if (!item) return;
    menu.hidePopover();
    const text = item.dataset.copy;
    if (text) {
      await navigator.clipboard.writeText(text);
      toast(`Copied ${text}`);
    } else if (item.hasAttribute("data-delete")) {
      confirm(run);
    }
  });
}

/** Deleting cannot be undone, so it alone asks first. @param {{ url: string, workspace: string }} run */
function confirm(run) {
  const dialog = /** @type {HTMLDialogElement} */ (find(document, "#delete-run"));
  const button = /** @type {HTMLButtonElement} */ (find(dialog, ".danger"));
  button.onclick = async () => {
    button.disabled = true;
    try {
      await ask(run.url, { method: "DELETE" });
      location.assign(run.workspace);
    } catch (error) {
      button.disabled = false;
      find(dialog, ".fault").textContent =
        `Could not delete it. ${/** @type {Error} */ (error).message}`;
    }
  };
  dialog.showModal();
}
