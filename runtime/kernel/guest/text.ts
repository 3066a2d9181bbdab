/** UTF-8 by hand: the engine inside the sandbox has no TextEncoder. */

/** More arguments than this are too many for one call of a function. */
const chunk = 4096;
const notAscii = /[^\0-\x7f]/;

/** Bytes that are not UTF-8 become U+FFFD, one for each byte. */
export function decodeText(bytes: Uint8Array): string {
  const text = bytes.length <= chunk ? decodeLatin(bytes) : decodeChunks(bytes);
  return notAscii.test(text) ? decodeWide(bytes) : text;
}

function decodeLatin(bytes: Uint8Array): string {
  return String.fromCharCode.apply(null, bytes as unknown as number[]);
}

function decodeChunks(bytes: Uint8Array): string {
  let text = '';
  for (let from = 0; from < bytes.length; from += chunk) {
    text += decodeLatin(bytes.subarray(from, from + chunk));
  }
  return text;
}

function decodeWide(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at] ?? 0;
    const length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
    const rest = bytes.subarray(at + 1, at + length);
    if (length === 0 || rest.length !== length - 1 || rest.some((byte) => byte >> 6 !== 2)) {
      text += '\ufffd';
      at += 1;
      continue;
    }
    const bits = rest.reduce(
      (all, byte) => all * 64 + (byte & 63),
      length === 1 ? first : first & (0x7f >> length),
    );
    text += bits <= 0x10ffff ? String.fromCodePoint(bits) : '\ufffd';
    at += length;
  }
  return text;
}

/** Writes as many whole characters of `text` as fit; answers how many bytes that were. */
export function encodeInto(text: string, bytes: Uint8Array): number {
  let at = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code > 127) return at + encodeWide(text.slice(index), bytes.subarray(at));
    if (at >= bytes.length) return at;
    bytes[at++] = code;
  }
  return at;
}

function encodeWide(text: string, bytes: Uint8Array): number {
  let at = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    const more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    if (at + more >= bytes.length) break;
    bytes[at++] = more === 0 ? code : ((0xf00 >> (more + 1)) & 0xff) | (code >> (6 * more));
    for (let left = more - 1; left >= 0; left--) bytes[at++] = 0x80 | ((code >> (6 * left)) & 63);
  }
  return at;
}

/** The text's bytes. */
export function encodeText(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 3);
  return bytes.subarray(0, encodeInto(text, bytes));
}
