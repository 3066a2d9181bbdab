import { isIP } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { contains, parseAddress, parsePrefix } from '../../../src/machine/networks.ts';
import { seed } from '../../seed.ts';

test('what is an address is what Node says is one', () => {
  const near = fc.array(fc.constantFrom('0', '1', 'ff', 'fe80', ':', '::', '.', '255', '256', 'g'), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(
      fc.oneof(
        fc.ipV4(),
        fc.ipV6(),
        near.map((parts) => parts.join('')),
      ),
      (text) => {
        expect(parseAddress(text) !== null).toBe(isIP(text) !== 0);
      },
    ),
    { seed, numRuns: 5000 },
  );
});

test.each([
  ['10.0.0.0/8', '10.255.0.1', true],
  ['10.0.0.0/8', '11.0.0.1', false],
  ['10.128.0.0/9', '10.200.0.1', true],
  ['10.128.0.0/9', '10.100.0.1', false],
  ['0.0.0.0/0', '1.2.3.4', true],
  ['fe80::/10', 'fe90::1%eth0', true],
  ['10.0.0.1', '10.0.0.1', true],
  ['::/0', '10.0.0.1', false],
])('%s holds %s: %s', (prefix, address, held) => {
  const parsed = parsePrefix(prefix);
  const ip = parseAddress(address);
  expect(parsed !== null && ip !== null && contains(parsed, ip)).toBe(held);
});

test.each(['10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/8/8', 'default', '', '::/129'])(
  '%s is no prefix',
  (text) => {
    expect(parsePrefix(text)).toBeNull();
  },
);
