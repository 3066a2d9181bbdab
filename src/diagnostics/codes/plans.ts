import type { Declaration } from '../declare.ts';

/** A plan that was made earlier, held against the policy and the machine of today. */
export const plans = {
  VP5001: {
    severity: 'error',
    title: 'policy changed since the plan was made',
    message: 'this plan was made from another text of the policy',
  },
  VP5002: {
    severity: 'error',
    title: 'machine changed since the plan was made',
    message: '{count} of the facts that this plan rests on are no longer so',
  },
  VP5003: {
    severity: 'error',
    title: 'precondition does not hold',
    message: 'the plan needs that {sentence}, and the machine shows {found}',
  },
  VP5004: {
    severity: 'error',
    title: 'precondition cannot be answered with yes or no',
    message: 'the plan was made without knowing {fact}, and its steps depend on it',
  },
  VP5005: {
    severity: 'error',
    title: 'permission expired since the plan was made',
    message: 'the no-IOMMU permission that this plan uses ended on {until}, and today is {today}',
  },
  VP5006: {
    severity: 'error',
    title: 'plan is for another host',
    message: 'this plan was made for host `{host}`, and the machine is `{found}`',
  },
  VP5007: {
    severity: 'error',
    title: 'fact became unknown since the plan was made',
    message: 'the plan rests on {fact}, which the machine does not tell now',
  },
  VP5008: {
    severity: 'error',
    title: 'plan is not what its policy compiles to',
    message: 'step {step} of this plan is not the one that its policy asks for on this machine',
  },
  VP5009: {
    severity: 'error',
    title: 'policies of the plan are not at hand',
    message: 'a plan acts only together with the policies that it was made from',
  },
} as const satisfies Record<`VP5${number}`, Declaration>;
