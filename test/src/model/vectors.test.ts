import { describe, expect, test } from 'vitest';
import { profilesSince } from '../../../src/model/profiles.ts';
import { Session } from './session.ts';
import { deviceVectors } from './vectors-device.ts';
import { noiommuVectors } from './vectors-noiommu.ts';
import { realVectors } from './vectors-real.ts';
import { sysfsVectors } from './vectors-sysfs.ts';

const vectors = [...noiommuVectors, ...realVectors, ...deviceVectors, ...sysfsVectors];

/**
 * The test vectors that the lab runs on real kernels, 6.1 and 6.12 (test/lab/vectors.ts). The series after 6.12 changed none of these answers.
 */
describe.each(profilesSince('6.1'))('Linux %s', (profile) => {
  test.each(vectors.map((vector) => [vector.id, vector.sequence, vector] as const))(
    '%s: %s',
    (_id, _sequence, vector) => {
      const older = profile === '6.1' ? '6.1' : '6.12';
      const expected = Array.isArray(vector.expected)
        ? vector.expected
        : (vector.expected as Readonly<Record<'6.1' | '6.12', unknown>>)[older];
      expect(vector.run(new Session(profile))).toEqual(expected);
    },
  );
});

test('T1 to T79 are all there', () => {
  const ids = new Set(vectors.map(({ id }) => id));
  for (let number = 1; number <= 79; number += 1) expect(ids).toContain(`T${number}`);
});
