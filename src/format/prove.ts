/** Whether one text is another, laid out: asked of every text that was formatted, before it is given away. */
import { readDocument } from '../syntax/read.ts';
import type { Element, Elements } from './elements.ts';

/** A text, its elements, and itself formatted. */
export interface Laid {
  readonly source: string;
  readonly elements: Elements;
  readonly text: string;
}

/** What the formatted text has otherwise than it may, in words; nothing when it says the same. */
export function difference(file: string, before: Laid, after: Laid): string | undefined {
  const elements = firstDifference(before.elements.list, after.elements.list);
  if (elements !== undefined) return elements;
  const [was, is] = [before.source, after.source].map((text) => readDocument(file, text).document);
  if (!isSame(was, is)) return 'the formatted text would mean something else';
  if (after.text !== after.source) return 'the formatted text would be formatted otherwise again';
  return undefined;
}

/** The same words and comments in the same order, each comment where it was to its neighbours; the same bytes of what is kept. */
function firstDifference(before: readonly Element[], after: readonly Element[]): string | undefined {
  const index = before.findIndex((element, at) => !isElement(element, after[at]));
  const was = index < 0 ? after[before.length] : before[index];
  if (was === undefined) return undefined;
  const shown = was.image.length > 40 ? `${was.image.slice(0, 40)}…` : was.image;
  return `formatting would lose, add or move ${JSON.stringify(shown)}`;
}

function isElement(before: Element, after: Element | undefined): boolean {
  if (after?.kind !== before.kind || after.image !== before.image) return false;
  return after.kind !== 'comment' || before.kind !== 'comment' || after.trailing === before.trailing;
}

const places: ReadonlySet<string> = new Set(['span', 'base']);

/** Whether two trees differ in nothing but the places that they speak of. */
function isSame(a: unknown, b: unknown): boolean {
  if (!isObject(a) || !isObject(b)) return a === b;
  const keys = Object.keys(a);
  if (Array.isArray(a) !== Array.isArray(b) || keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => places.has(key) || (Object.hasOwn(b, key) && isSame(a[key], b[key])));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
