import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { check } from '../../../src/check/check.ts';
import { type MachineWords, machine } from '../../machines.ts';
import { readPage } from '../../pages/page.ts';
import { seed } from '../../seed.ts';

/** Texts that break while they are typed: whatever is left of a policy, checking it ends with diagnostics, not a throw. */
const pages = new URL('../../../src/diagnostics/pages/', import.meta.url);
const policies = readdirSync(pages)
  .map((file) => readPage(readFileSync(new URL(file, pages), 'utf8')))
  .flatMap(({ bad, fixed }) => [...bad, ...fixed])
  .filter(({ language, text }) => language === 'vfio' && text.length < 2000)
  .map(({ text }) => text);
const fixture = readFileSync(new URL('../../pages/machines/server.json', import.meta.url), 'utf8');
const server = machine(JSON.parse(fixture) as MachineWords);

const cut = fc.record({ at: fc.nat({ max: 2000 }), length: fc.nat({ max: 40 }) });
const put = fc.constantFrom(
  '',
  ' ',
  '{',
  '}',
  '"',
  '*',
  'on',
  'device',
  'policy p {',
  'with',
  '0000:03:00.0',
  '\u0000',
  '🦆',
);

test('a policy from which something was cut, or into which something fell', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...policies),
      fc.constantFrom(...policies),
      fc.array(fc.tuple(cut, put), { maxLength: 4 }),
      (one, other, changes) => {
        const text = changes.reduce((now, [{ at, length }, word]) => {
          const from = at % (now.length + 1);
          return now.slice(0, from) + word + now.slice(from + length);
        }, one + other);
        const sources = [{ file: 'p.vfio', text }];
        const { diagnostics, hosts } = check({
          sources,
          machines: [{ name: 'server', snapshot: server }],
          today: '2026-11-22',
        });
        for (const { place } of diagnostics) {
          expect(place.span.start).toBeGreaterThanOrEqual(0);
          expect(place.span.end).toBeLessThanOrEqual(text.length);
        }
        const refused = diagnostics.some(({ severity }) => severity === 'error');
        if (!refused) expect(hosts.every(({ host, checked }) => host !== 'server' || checked)).toBe(true);
      },
    ),
    { seed, numRuns: 400 },
  );
});
