/** One policy that is open, with all that it is judged with, and what is known to be wrong, at any moment. */
import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts';
import { readDocument } from '../../src/syntax/read.ts';
import { carried } from '../service/carried.ts';
import {
  beyond,
  type Meaning,
  meaningOf,
  type Workspace,
  withText,
  wordsAndNames,
} from '../service/workspace.ts';
import type { Front } from './front.ts';

export class Session {
  readonly file: string;
  workspace: Workspace;
  /** Of the text as it was when the second wave came last. */
  meaning: Meaning | undefined;
  /** All that was read for the second wave. */
  texts: ReadonlyMap<string, string> = new Map();
  /** What the second wave said beside the first, and the front door, moved along with the text since. */
  private later: readonly Diagnostic[] = [];
  private now: readonly Diagnostic[] = [];
  private judged: Workspace | undefined;
  private readonly front: Front;

  constructor(front: Front, file: string, text: string) {
    this.front = front;
    this.file = file;
    this.workspace = { readings: new Map(), machines: [], today: front.today() };
    this.change(file, text);
  }

  /** Whether the second wave has seen the text as it is. */
  get isFresh(): boolean {
    return this.judged === this.workspace;
  }

  get diagnostics(): readonly Diagnostic[] {
    return [...this.now, ...this.later];
  }

  /** The first wave, after one of its files was changed. */
  change(file: string, text: string): void {
    const old = this.workspace.readings.get(file)?.text;
    this.workspace = withText(this.workspace, file, text);
    this.now = wordsAndNames(this.workspace);
    if (old !== undefined) this.later = carried(this.later, file, old, text);
    this.later = beyond(this.now, this.later);
  }

  /** The second wave. What the policy needs is read anew: it may have been changed outside. */
  judge(open: ReadonlyMap<string, string>): void {
    const loaded = this.front.load(this.file, open);
    this.texts = loaded.texts;
    const readings = new Map(
      loaded.sources.map(({ file, text }) => {
        const before = this.workspace.readings.get(file);
        return [file, before?.text === text ? before : readDocument(file, text, before)];
      }),
    );
    this.workspace = { readings, machines: loaded.machines, today: this.front.today() };
    this.meaning = meaningOf(this.workspace);
    this.judged = this.workspace;
    this.now = loaded.news({ diagnostics: wordsAndNames(this.workspace), hosts: [] });
    this.later = beyond(this.now, [...loaded.diagnostics, ...loaded.news(this.meaning)]);
  }
}
