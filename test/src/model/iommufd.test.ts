import { expect, test } from 'vitest';
import { IommufdSession } from './iommufd-session.ts';
import { cdevVectors } from './vectors-cdev.ts';
import { compatVectors, ioasVectors } from './vectors-iommufd.ts';
import { pageTableVectors } from './vectors-pagetables.ts';

const vectors = [...cdevVectors, ...ioasVectors, ...pageTableVectors, ...compatVectors];

test.each(vectors.map((vector) => [vector.id, vector.sequence, vector] as const))(
  '%s: %s',
  (_id, _sequence, { run, expected }) => {
    expect(run(new IommufdSession())).toEqual(expected);
  },
);
