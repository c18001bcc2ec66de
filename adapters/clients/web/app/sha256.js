// SHA-256 (FIPS 180-4). Browsers offer it on https and localhost only; a server in a local network may have neither.

const K = /* @__PURE__ */ constants();

/**
 * @param {Uint8Array} data
 * @returns {Promise<Uint8Array>}
 */
export async function sha256(data) {
  if (globalThis.crypto.subtle !== undefined) {
    return new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(data)));
  }
  return sha256Here(data);
}

/**
 * @param {Uint8Array} data
 * @returns {Uint8Array}
 */
export function sha256Here(data) {
  const padded = new Uint8Array(((data.length + 8) >> 6 << 6) + 64);
  padded.set(data);
  padded[data.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(data.length / 0x20000000));
  view.setUint32(padded.length - 4, data.length << 3);
  const state = new Uint32Array(
    [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19],
  );
  const w = new Uint32Array(64);
  for (let block = 0; block < padded.length; block += 64) compress(state, w, view, block);
  const digest = new DataView(new ArrayBuffer(32));
  state.forEach((word, index) => digest.setUint32(index * 4, word));
  return new Uint8Array(digest.buffer);
}

/**
 * @param {Uint32Array} state
 * @param {Uint32Array} w
 * @param {DataView} view
 * @param {number} block
 */
function compress(state, w, view, block) {
  for (let t = 0; t < 16; t++) w[t] = view.getUint32(block + t * 4);
  for (let t = 16; t < 64; t++) {
    const a = at(w, t - 15);
    const b = at(w, t - 2);
    w[t] = at(w, t - 16) + (turn(a, 7) ^ turn(a, 18) ^ (a >>> 3)) + at(w, t - 7) + (turn(b, 17) ^ turn(b, 19) ^ (b >>> 10));
  }
  let [a, b, c, d] = [at(state, 0), at(state, 1), at(state, 2), at(state, 3)];
  let [e, f, g, i] = [at(state, 4), at(state, 5), at(state, 6), at(state, 7)];
  for (let t = 0; t < 64; t++) {
    const one = (i + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + at(K, t) + at(w, t)) | 0;
    const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [i, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
  }
  [a, b, c, d, e, f, g, i].forEach((word, index) => {
    state[index] = at(state, index) + word;
  });
}

/**
 * @param {Uint32Array} words
 * @param {number} index
 */
const at = (words, index) => /** @type {number} */ (words[index]);

/**
 * @param {number} word
 * @param {number} by
 */
const turn = (word, by) => (word >>> by) | (word << (32 - by));

/** The first 32 bits of the fractions of the cube roots of the first 64 primes. */
function constants() {
  const words = new Uint32Array(64);
  let found = 0;
  for (let number = 2; found < 64; number++) {
    let prime = true;
    for (let divisor = 2; divisor * divisor <= number; divisor++) if (number % divisor === 0) prime = false;
    if (prime) words[found++] = Math.floor((Math.cbrt(number) % 1) * 2 ** 32);
  }
  return words;
}
