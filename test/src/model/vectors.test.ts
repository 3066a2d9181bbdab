import { describe, expect, test } from 'vitest';
import { profilesSince } from '../../../src/model/profiles.ts';
import { Session } from './session.ts';
import { deviceVectors } from './vectors-device.ts';
import { noiommuVectors } from './vectors-noiommu.ts';
import { realVectors } from './vectors-real.ts';
import { sysfsVectors } from './vectors-sysfs.ts';

const vectors = [...noiommuVectors, ...realVectors, ...deviceVectors, ...sysfsVectors];

/**
 * The test vectors that were run on real kernels 6.1.192 and 6.12.117: T1 to T42, T68 to T79, and those of the others
 * that the model's operations can say. The series after 6.12 changed none of these answers.
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

test('T1 to T57 and T68 to T79 are all there', () => {
  const ids = new Set(vectors.map(({ id }) => id));
  for (let number = 1; number <= 57; number += 1) expect(ids).toContain(`T${number}`);
  for (let number = 68; number <= 79; number += 1) expect(ids).toContain(`T${number}`);
});
