// Where one is: the address says everything that is shown, so that it can be kept, sent and gone back to.

/** @typedef {{path: string[], query: URLSearchParams}} Route */

export class Router extends EventTarget {
  constructor() {
    super();
    addEventListener("popstate", () => this.#moved());
    document.addEventListener("click", (event) => this.#clicked(event));
  }

  /** @returns {Route} */
  get route() {
    const path = location.pathname.split("/").filter((part) => part !== "");
    return { path, query: new URLSearchParams(location.search) };
  }

  /**
   * Goes to an address of the client.
   * @param {string} address
   * @param {{replace?: boolean}} [options]
   */
  go(address, options = {}) {
    if (address === location.pathname + location.search) return;
    if (options.replace) history.replaceState(null, "", address);
    else history.pushState(null, "", address);
    this.#moved();
  }

  /**
   * The address of here with some of its query changed; null takes a part away.
   * @param {Record<string, string | null>} changes
   * @param {string} [path]
   */
  here(changes, path = location.pathname) {
    const query = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(changes)) {
      if (value === null || value === "") query.delete(name);
      else query.set(name, value);
    }
    const text = query.toString();
    return text === "" ? path : `${path}?${text}`;
  }

  #moved() {
    this.dispatchEvent(new Event("moved"));
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
    if (!(link instanceof HTMLAnchorElement) || event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    if (link.target !== "" || link.hasAttribute("download") || link.origin !== location.origin) return;
    if (!OWN.test(link.pathname)) return;
    event.preventDefault();
    this.go(link.pathname + link.search);
  }
}

const OWN = /^\/($|account$|projects(\/|$))/;
