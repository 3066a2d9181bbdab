import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Answer, onBench, waitingBench } from './native-bench.ts';

const apply = 'apply @/c.vfio --native --state-dir @/state';
const nobody = (): Answer => 'nothing';

describe('what the policy says somebody has to confirm', () => {
  test('is taken back when nobody does', () =>
    waitingBench(nobody, async ({ call, shows }) => {
      const before = shows();
      const { code, out, err } = await call(apply);
      expect(code).toBe(3);
      expect(err).toContain('It is taken back in 2 min, unless you type yes');
      expect(err).toContain('error[VP6016]: generation 1 was not confirmed: nobody did within 2 min');
      expect(out).toContain('rolled back: everything is as it was before');
      expect(shows()).toEqual(before);
      expect((await call('confirm --state-dir @/state')).err).toContain('error[VP6017]');
    }));

  test('stays when the person says yes', () =>
    waitingBench(
      (_, asked) => (asked === 3 ? 'yes' : 'nothing'),
      async ({ folder, call, shows }) => {
        const { code, out } = await call(apply);
        expect(code).toBe(0);
        expect(out).toContain('\n  confirmed\n');
        expect(shows()['/dev/vfio/noiommu-0']).toBe('600 990:0');
        expect(readFileSync(join(folder, 'state/journal-1.jsonl'), 'utf8')).toContain('"verdict":"done"');
      },
    ));

  test('stays when somebody confirms it in another session, and says so to programs', () =>
    waitingBench(
      async ({ call }, asked): Promise<Answer> => {
        if (asked === 2)
          expect(await call('confirm --state-dir @/state')).toMatchObject({ code: 0, err: '' });
        return 'nothing';
      },
      async ({ call, shows }) => {
        const { code, out } = await call(`${apply} --format json`);
        expect(code).toBe(0);
        expect(JSON.parse(out)).toMatchObject({ execution: { verdict: 'done', confirmed: true } });
        expect(shows()['/sys/bus/pci/devices/0000:03:00.0/driver']).toBe('vfio-pci');
      },
    ));

  test('is taken back at once when the program is asked to end', () =>
    waitingBench(
      () => 'end',
      async ({ call, shows }) => {
        const before = shows();
        const { code, err } = await call(apply);
        expect(code).toBe(3);
        expect(err).toContain('not confirmed: the program was asked to end before');
        expect(shows()).toEqual(before);
      },
    ));

  test('is over when another session recovers', () =>
    waitingBench(
      async ({ call }, asked): Promise<Answer> => {
        if (asked === 2) expect(await call('recover --state-dir @/state')).toMatchObject({ code: 0 });
        return 'nothing';
      },
      async ({ call, shows }) => {
        const before = shows();
        const { code, err } = await call(apply);
        expect(code).toBe(3);
        expect(err).toContain('not confirmed: another run took it back');
        expect(shows()).toEqual(before);
      },
    ));

  test('is rehearsed as if somebody had confirmed it, and waits for nobody', () =>
    waitingBench(
      () => {
        throw new Error('nobody is asked');
      },
      async ({ call }) => {
        const { code, out } = await call('apply @/c.vfio --machine @/edge.json');
        expect(code).toBe(0);
        expect(out).toContain('5 steps done');
        const plan = await call('plan @/c.vfio --machine @/edge.json');
        expect(plan.out).toContain('taken back unless somebody confirms it within 2 min');
      },
    ));

  test('is not waited for where nothing is to be done', () =>
    waitingBench(
      () => 'yes',
      async ({ folder, call }) => {
        writeFileSync(join(folder, 'n.vfio'), 'host edge {}\npolicy p on edge { confirm within 1 s }');
        const { code, out, err } = await call('apply @/n.vfio --native --state-dir @/state');
        expect({ code, err }).toEqual({ code: 0, err: '' });
        expect(out).toContain('nothing had to be done');
      },
    ));
});

describe('--confirm-within', () => {
  test('goes before the policy', () =>
    waitingBench(nobody, async ({ call }) => {
      const { code, err } = await call(`${apply} --confirm-within 90s`);
      expect(code).toBe(3);
      expect(err).toContain('It is taken back in 90 s');
    }));

  test('needs no word of the policy', () =>
    waitingBench(nobody, async ({ call, shows }) => {
      const before = shows();
      const { code } = await call('apply @/p.vfio --native --state-dir @/state --confirm-within 1h');
      expect(code).toBe(3);
      expect(shows()).toEqual(before);
    }));

  test.each(['0s', '120', '2d', '-1s', '25h', '1.5min', 's'])('is refused: %s', (word) =>
    onBench(async ({ call }) => {
      const { code, err } = await call(`apply @/p.vfio --native --confirm-within=${word}`);
      expect(code).toBe(64);
      expect(err).toContain(`\`${word}\` is not a time`);
    }),
  );

  test('is refused without --native', () =>
    onBench(async ({ call }) => {
      const { code, err } = await call('apply @/p.vfio --machine @/edge.json --confirm-within 5s');
      expect(code).toBe(64);
      expect(err).toContain('a rehearsal leaves nothing');
    }));
});
