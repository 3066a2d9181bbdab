import { acting } from './codes/acting.ts';
import { bugs } from './codes/bugs.ts';
import { deeds } from './codes/deeds.ts';
import { files } from './codes/files.ts';
import { kernel } from './codes/kernel.ts';
import { machine } from './codes/machine.ts';
import { names } from './codes/names.ts';
import { plans } from './codes/plans.ts';
import { tests } from './codes/tests.ts';
import { topology } from './codes/topology.ts';
import { traces } from './codes/traces.ts';
import { words } from './codes/words.ts';

/**
 * Every diagnostic that vfioplan can give, declared once. A number is never used twice; a code that is no longer
 * emitted keeps its page. Families: VP1 words, VP2 names and types, VP3 machine and topology, VP4 refused by the
 * model, VP5 plan, VP6 deeds, VP9 a bug in vfioplan.
 */
export const codes = {
  ...words,
  ...names,
  ...files,
  ...machine,
  ...traces,
  ...topology,
  ...kernel,
  ...plans,
  ...deeds,
  ...acting,
  ...tests,
  ...bugs,
} as const;

export type Code = keyof typeof codes;
