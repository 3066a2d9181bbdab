import { describe, expect, test } from 'vitest';
import { generate } from '../../../src/model/generate.ts';
import type { Op, OpKind } from '../../../src/model/op.ts';
import { asking, ruleOf, rules } from '../../../src/model/ops.ts';
import type { Result } from '../../../src/model/outcome.ts';
import { type ProfileId, profileIds } from '../../../src/model/profiles.ts';
import { Session } from './session.ts';
import { noiommuVectors } from './vectors-noiommu.ts';
import { realVectors } from './vectors-real.ts';

const { 'docs/model.md': page = '' } = generate();
const kernels: readonly ProfileId[] = profileIds;

/** The guards that the page lists for an operation and a kernel, in the page's order. */
function listed(op: string, kernel: ProfileId): readonly string[] {
  const section = page.split(`\n### ${op}\n`)[1]?.split('\n**Effect.**')[0] ?? '';
  const titled = section.split(/^In (.+):$/m);
  const lists = titled.length === 1 ? [['all', section]] : pairs(titled.slice(1));
  const [, list = ''] =
    lists.find(([names = '']) => names === 'all' || names.split(', ').includes(kernel)) ?? [];
  return list.split('\n').flatMap((line) => {
    const cells = line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, ''));
    const heads = list.split('\n').find((head) => head.startsWith('|  |')) ?? '';
    const within = heads.includes('kernels') ? (cells.at(-1) ?? '') : 'all';
    const stands = within === 'all' || within.split(', ').includes(kernel);
    return /^\d+$/.test(cells[0] ?? '') && stands ? [cells[3]?.replaceAll('`', '') ?? ''] : [];
  });
}

function pairs(items: readonly string[]): readonly (readonly string[])[] {
  return items.flatMap((item, place) => (place % 2 === 0 ? [[item, items[place + 1] ?? '']] : []));
}

describe.each(kernels)('docs/model.md, %s', (kernel) => {
  test.each(Object.keys(rules) as OpKind[])('%s: the guards in the order of the model', (op) => {
    expect(listed(op, kernel)).toEqual(asking[kernel][op].guards.map(({ id }) => id));
  });
});

/** Calls back before each operation. */
class Watched extends Session {
  readonly saw: (session: Session, op: Op) => void;

  constructor(profile: ProfileId, saw: (session: Session, op: Op) => void) {
    super(profile);
    this.saw = saw;
  }

  override result(op: Op): Result {
    this.saw(this, op);
    return super.result(op);
  }
}

test('what the page says of undoing is what the rules do', () => {
  const asked = new Set<string>();
  const wrong = new Set<string>();
  const watch = ({ world, state }: Session, op: Op) => {
    const rule = ruleOf(op);
    const { undo: words } = rule.words;
    const undo = rule.undo(world, state, op);
    asked.add(op.op);
    if ('op' in undo && !words.includes(`\`${undo.op}\``)) wrong.add(`${op.op}: ${undo.op}, told: ${words}`);
    if ('none' in undo && words.startsWith('none: ') && words !== `none: ${undo.none}`)
      wrong.add(`${op.op}: ${undo.none}, told: ${words}`);
  };
  for (const { run } of [...noiommuVectors, ...realVectors]) run(new Watched('6.12', watch));
  expect([...wrong]).toEqual([]);
  expect(asked.size).toBeGreaterThan(15);
});
