// Times as people read them, and one clock for everything on the page that counts.

import { h } from "./dom.js";

const DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
const MINUTE = new Intl.DateTimeFormat(undefined, {
  day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit",
});
const SECOND = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const RELATIVE = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "short" });

/** @type {[Intl.RelativeTimeFormatUnit, number][]} */
const UNITS = [["year", 31557600], ["month", 2629800], ["day", 86400], ["hour", 3600], ["minute", 60]];

/** @param {string} time */
export const shownMinute = (time) => MINUTE.format(new Date(time));

/** @param {string} time */
export const shownSecond = (time) => SECOND.format(new Date(time));

/**
 * A date without a time, as it stands in a calendar: no time zone moves it.
 * @param {string} date
 */
export const shownDay = (date) => DAY.format(new Date(`${date}T12:00:00`));

/**
 * @param {string} time
 * @returns {string} such as "3 hours ago"
 */
export function ago(time) {
  const seconds = (new Date(time).getTime() - Date.now()) / 1000;
  for (const [unit, length] of UNITS) {
    if (Math.abs(seconds) >= length) return RELATIVE.format(Math.round(seconds / length), unit);
  }
  return "just now";
}

/**
 * @param {number} seconds
 * @returns {string} such as "2 h 05 min"
 */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const days = Math.floor(whole / 86400);
  const hours = Math.floor(whole / 3600) % 24;
  const minutes = Math.floor(whole / 60) % 60;
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${String(minutes).padStart(2, "0")} min`;
  if (minutes > 0) return `${minutes} min ${String(whole % 60).padStart(2, "0")} s`;
  return `${whole} s`;
}

/**
 * A time that is shown relative to now and stays right.
 * @param {string} time
 */
export function agoElement(time) {
  return h("time", { datetime: time, title: shownSecond(time), "data-ago": "" }, ago(time));
}

/**
 * How long something has waited, counting up.
 * @param {string} since
 */
export function waitingElement(since) {
  return h("time", { datetime: since, title: `since ${shownSecond(since)}`, "data-since": "" }, sinceText(since));
}

/**
 * How long is left, counting down.
 * @param {string} until
 */
export function leftElement(until) {
  return h("time", { datetime: until, title: `until ${shownSecond(until)}`, "data-left": "" }, leftText(until));
}

/** @param {string} since */
const sinceText = (since) => duration((Date.now() - new Date(since).getTime()) / 1000);

/** @param {string} until */
function leftText(until) {
  const seconds = (new Date(until).getTime() - Date.now()) / 1000;
  return seconds > 0 ? `${duration(seconds)} left` : "has run out";
}

/** Keeps every counting time on the page right, each second while somebody looks. */
export function startClock() {
  setInterval(() => {
    if (document.hidden) return;
    for (const element of document.querySelectorAll("time[data-ago], time[data-since], time[data-left]")) {
      const time = element.getAttribute("datetime") ?? "";
      const text = element.hasAttribute("data-ago") ? ago(time)
        : element.hasAttribute("data-since") ? sinceText(time) : leftText(time);
      if (element.textContent !== text) element.textContent = text;
    }
  }, 1000);
}
