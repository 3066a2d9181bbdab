/** Which pieces of a text are those of the text before a change: all but the few that the change touches. */
import { cut, type Piece } from './blocks.ts';
import { changeOf } from './changed.ts';
import type { Block, PlacedBlock } from './parse.ts';

/** A text with what was made of it. */
export interface Parsed {
  readonly text: string;
  readonly blocks: readonly PlacedBlock[];
}

/** A piece that was read before, where it stands now. */
interface Known {
  readonly start: number;
  readonly read: Block;
}

/** The pieces of `text` as `cut` cuts them, those that are known as they were read. */
export function* cutAgain(text: string, { text: old, blocks }: Parsed): Generator<Piece | Known> {
  const { start, oldEnd, newEnd } = changeOf(old, text);
  // Where a piece ends is seen at the latest at the end of the line below it.
  const sure = beginningOfLine(text, start);
  let next = 0;
  let end = 0;
  for (let known = blocks[0]; known?.read !== undefined; known = blocks[++next]) {
    if (known.start + known.read.length >= sure) break;
    yield { start: known.start, read: known.read };
    end = known.start + known.read.length;
  }
  const moved = newEnd - oldEnd;
  for (const piece of cut(text, end)) {
    if (piece.start >= newEnd) {
      while ((blocks[next]?.start ?? Number.POSITIVE_INFINITY) + moved < piece.start) next += 1;
      // A piece depends on nothing above it: from here on, all are the old ones.
      if (blocks[next]?.start === piece.start - moved) {
        yield* unchanged(text, blocks, next, moved);
        return;
      }
    }
    yield piece;
  }
}

function* unchanged(
  text: string,
  blocks: readonly PlacedBlock[],
  from: number,
  moved: number,
): Generator<Piece | Known> {
  let end = 0;
  let next = from;
  for (let known = blocks[from]; known !== undefined; known = blocks[++next]) {
    end = known.start + moved;
    if (known.read === undefined) break;
    yield { start: end, read: known.read };
    end += known.read.length;
  }
  // The old text may not have been read to its end.
  yield* cut(text, end);
}

function beginningOfLine(text: string, offset: number): number {
  let at = offset;
  while (at > 0 && text[at - 1] !== '\n' && text[at - 1] !== '\r') at -= 1;
  return at;
}
