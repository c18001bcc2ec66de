// The form for a task: what a new one begins with, and what of one can be edited.

import { h } from "./dom.js";
import { field, openForm, select } from "./dialog.js";
import { Scope } from "./scope.js";
import { PRIORITIES } from "./states.js";

/** @typedef {import("../types").TaskDetail} TaskDetail */

/** @param {Scope} scope */
export function newTask(scope) {
  const fields = taskFields(scope, null);
  const { me, people } = scope.app;
  const assignee = select(
    [["", "Nobody"], ...scope.workers.map((id) => /** @type {[string, string]} */ ([id, id === me.account_id ? `${me.name} (you)` : people.name(id)]))],
    "",
  );
  openForm("New task", [...fields.elements, field("Assignee", assignee)], {
    button: "Make the task",
    wide: true,
    act: async () => {
      const body = { ...fields.values(), assignee_id: assignee.value === "" ? null : assignee.value };
      const made = await scope.app.api.command("POST", `${scope.path}/tasks`, body);
      scope.app.notices.say("The task is made.");
      scope.app.router.go(scope.app.router.here({ task: made.id }));
    },
  });
}

/**
 * @param {Scope} scope
 * @param {TaskDetail} detail
 */
export function editTask(scope, detail) {
  const fields = taskFields(scope, detail);
  openForm("Edit the task", fields.elements, {
    button: "Save",
    wide: true,
    act: async () => {
      const path = `/tasks/${detail.task.task_id}`;
      await scope.app.api.command("PATCH", path, fields.values(), { ifMatch: detail.task.version });
      scope.app.notices.say("The task is saved.");
    },
  });
}

/**
 * @param {Scope} scope
 * @param {TaskDetail | null} detail
 */
function taskFields(scope, detail) {
  const title = h("input", { required: true, maxlength: 300, autocomplete: "off", value: detail?.task.title ?? "" });
  const description = h("textarea", { rows: 8, maxlength: 65536, value: detail?.text.description ?? "" });
  const suggestions = h("datalist", { id: "labels-to-give" }, ...[...scope.labels].sort().map((label) => h("option", { value: label })));
  const labels = h("input", { autocomplete: "off", list: "labels-to-give", value: detail?.task.labels.join(", ") ?? "" });
  const priority = select(Object.entries(PRIORITIES), detail?.task.priority ?? "none");
  const due = h("input", { type: "date", value: detail?.task.due ?? "" });
  return {
    elements: [
      field("Title", title),
      field("Description", description, "Lists, **bold**, `code` and links are shown as in Markdown."),
      field("Labels", labels, "With commas between them."),
      suggestions,
      h("div", { class: "field-pair" }, field("Priority", priority), field("Due", due)),
    ],
    values: () => ({
      title: title.value.trim(),
      description: description.value,
      labels: labels.value.split(",").map((label) => label.trim()).filter((label) => label !== ""),
      priority: priority.value,
      due: due.value === "" ? null : due.value,
    }),
  };
}
