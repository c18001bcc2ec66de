// Dialogs: the browser's own, which keep the focus inside, close with Escape, and give it back.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { explained } from "./notices.js";

let count = 0;

/**
 * Opens a dialog with a form; `act` carries it out and closes it by returning, or keeps it open by raising an error,
 * which is shown inside.
 * @param {string} title
 * @param {(Node | null)[]} content
 * @param {{button: string, danger?: boolean, wide?: boolean, act: () => Promise<void>}} options
 */
export function openForm(title, content, options) {
  const titleId = `dialog-${++count}`;
  const trouble = h("div", { class: "trouble", role: "alert" });
  const submit = h("button", { type: "submit", class: options.danger ? "danger" : "primary" }, options.button);
  const cancel = h("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Cancel");
  const form = h(
    "form",
    {
      onsubmit: async (/** @type {SubmitEvent} */ event) => {
        event.preventDefault();
        submit.disabled = true;
        trouble.replaceChildren();
        try {
          await options.act();
          dialog.close();
        } catch (error) {
          trouble.replaceChildren(...explained(error));
        } finally {
          submit.disabled = false;
        }
      },
    },
    ...content,
    trouble,
    h("div", { class: "dialog-actions" }, cancel, submit),
  );
  const dialog = h(
    "dialog",
    { "aria-labelledby": titleId, class: options.wide ? "wide" : null },
    h(
      "header",
      null,
      h("h2", { id: titleId }, title),
      h("button", { type: "button", class: "icon-button", "aria-label": "Close", onclick: () => dialog.close() }, icon("close")),
    ),
    form,
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  const first = form.querySelector("input, textarea, select");
  if (first instanceof HTMLElement) first.focus();
  return dialog;
}

/**
 * A labelled control.
 * @param {string} label
 * @param {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} control
 * @param {string} [hint]
 */
export function field(label, control, hint) {
  const id = control.id || `field-${++count}`;
  control.id = id;
  /** @type {HTMLElement[]} */
  const parts = [h("label", { for: id }, label), control];
  if (hint !== undefined) {
    const hintId = `${id}-hint`;
    control.setAttribute("aria-describedby", hintId);
    parts.push(h("p", { class: "hint", id: hintId }, hint));
  }
  return h("div", { class: "field" }, ...parts);
}

/**
 * A list to choose from.
 * @param {[string, string][]} choices value and text
 * @param {string} chosen
 * @param {Record<string, unknown>} [props]
 */
export function select(choices, chosen, props = {}) {
  return h(
    "select",
    props,
    ...choices.map(([value, text]) => h("option", { value, selected: value === chosen }, text)),
  );
}
