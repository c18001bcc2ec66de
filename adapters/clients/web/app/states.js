// The words for states, transitions, priorities and roles: one place for what people read.

/** @typedef {import("../types").TaskCard["state"]} State */
/** @typedef {import("../types").TaskCard["priority"]} Priority */
/** @typedef {import("../types").ShownMember["role"]} Role */

/** @type {Record<State, string>} */
export const STATES = {
  open: "Open",
  help_requested: "Help wanted",
  helping: "Being helped",
  completed: "To review",
  approved: "Approved",
  archived: "Archived",
};

/** @type {State[]} */
export const BOARD_STATES = ["open", "help_requested", "helping", "completed", "approved"];

/** @type {Record<Priority, string>} */
export const PRIORITIES = { none: "No priority", low: "Low", medium: "Medium", high: "High", urgent: "Urgent" };

/** @type {Record<Role, string>} */
export const ROLES = { owner: "Owner", member: "Member", auditor: "Auditor" };

/** @type {Record<string, string>} */
const TRANSITIONS = {
  complete: "complete",
  request_help: "ask for help",
  claim_help: "help",
  withdraw_help: "withdraw the call",
  check_in_help: "check in",
  release_help: "give the claim back",
  approve: "approve",
  deny: "deny",
  reassign: "assign",
  edit: "edit",
  comment: "comment",
  archive: "archive",
  restore: "restore",
};

/** @param {string} name */
export const transitionName = (name) => TRANSITIONS[name] ?? name.replaceAll("_", " ");
