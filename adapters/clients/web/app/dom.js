// Makes and updates elements. Text is only ever set as text: nothing here can turn what somebody wrote into HTML.

/** @typedef {Node | string | number | null | undefined | false} Child */
/** @typedef {Record<string, unknown>} Props */

/**
 * An element with properties and children. `on…` are listeners, `class` and `data-…` attributes; true and false set
 * and leave out an attribute; what else the element has as a property is set as one.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Props | null} [props]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (name.startsWith("on") && typeof value === "function") {
      element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    } else if (name === "value" && "value" in element) {
      /** @type {{value: unknown}} */ (element).value = value;
    } else if (value === true) {
      element.setAttribute(name, "");
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, String(value));
    }
  }
  element.append(...nodes(children));
  return element;
}

/**
 * Puts children in the place of those that are there.
 * @param {Element} parent
 * @param {...(Child | Child[])} children
 */
export function fill(parent, ...children) {
  parent.replaceChildren(...nodes(children));
}

/**
 * @param {(Child | Child[])[]} children
 * @returns {Node[]}
 */
function nodes(children) {
  return children
    .flat()
    .filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : document.createTextNode(String(child))));
}

/**
 * Brings a list up to date: an item whose stamp is the same keeps its element, one that changed gets another, and where
 * that had the focus, so has the new one.
 * @template Item
 * @param {Element} parent
 * @param {Item[]} items
 * @param {(item: Item) => string} keyOf
 * @param {(item: Item) => string | number} stampOf
 * @param {(item: Item) => HTMLElement} make
 * @returns {string[]} the keys of elements that came or changed
 */
export function keyed(parent, items, keyOf, stampOf, make) {
  const before = new Map(
    [...parent.children].map((child) => [/** @type {HTMLElement} */ (child).dataset["key"] ?? "", child]),
  );
  /** @type {string[]} */
  const changed = [];
  /** @type {Element | null} */
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    const stamp = String(stampOf(item));
    let element = /** @type {HTMLElement | undefined} */ (before.get(key));
    before.delete(key);
    if (element === undefined || element.dataset["stamp"] !== stamp) {
      const made = make(item);
      made.dataset["key"] = key;
      made.dataset["stamp"] = stamp;
      changed.push(key);
      if (element !== undefined) {
        const focused = element.contains(document.activeElement);
        if (place === element) place = element.nextElementSibling;
        element.replaceWith(made);
        if (focused) firstFocusable(made)?.focus();
      }
      element = made;
    }
    if (element === place) place = element.nextElementSibling;
    else parent.insertBefore(element, place);
  }
  for (const gone of before.values()) gone.remove();
  return changed;
}

/**
 * @param {HTMLElement} element
 * @returns {HTMLElement | null}
 */
function firstFocusable(element) {
  return element.matches("a[href], button") ? element : element.querySelector("a[href], button, input, select");
}

/**
 * A function that runs `work` soon after it is called, once for many calls, and never twice at the same time. While calls
 * keep coming it runs each `busyMs`, so that an import of thousands is no flood of questions.
 * @param {() => Promise<void> | void} work
 * @param {number} waitMs
 * @param {number} [busyMs]
 * @returns {() => void}
 */
export function soon(work, waitMs, busyMs = 1000) {
  let waiting = false;
  let running = false;
  let again = false;
  let endedAt = -Infinity;
  const run = async () => {
    waiting = false;
    running = true;
    try {
      await work();
    } finally {
      running = false;
      endedAt = performance.now();
      if (again) {
        again = false;
        start();
      }
    }
  };
  const start = () => {
    if (running) again = true;
    else if (!waiting) {
      waiting = true;
      setTimeout(run, Math.max(waitMs, endedAt + busyMs - performance.now()));
    }
  };
  return start;
}

/**
 * One of so many hues that belongs to a text, for avatars and labels.
 * @param {string} text
 * @returns {string} a class
 */
export function hue(text) {
  let sum = 0;
  for (const letter of text) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) >>> 0;
  return `hue-${sum % 10}`;
}
