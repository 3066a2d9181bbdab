import { check } from '../../src/check/check.ts';
import type { CheckedHost, CheckedPolicy, CheckInput } from '../../src/check/checked.ts';
import { makePlan } from '../../src/plan/make.ts';
import type { Plan } from '../../src/plan/plan.ts';
import type { HostPolicy } from '../../src/policy/policy.ts';
import { resolve } from '../../src/policy/resolve.ts';
import { readDocument } from '../../src/syntax/read.ts';
import type { Case } from './cases.ts';

type Machines = CheckInput['machines'];

/**
 * What tests of the same files share: texts are read, hosts resolved, and policies judged and planned for a machine once,
 * however many tests ask. Each of these is a pure function of what it is asked with, so that no test sees another's.
 */
export class Ground {
  readonly #sources: CheckInput['sources'];
  readonly #today: string;
  readonly #hosts = new WeakMap<Machines, ReadonlyMap<string, HostPolicy>>();
  readonly #judged = new WeakMap<Machines, Map<string, CheckedHost>>();
  readonly #plans = new WeakMap<CheckedPolicy, Plan>();

  constructor({ sources, today }: Pick<CheckInput, 'sources' | 'today'>) {
    this.#sources = sources.map(({ file, text }) => ({ file, text, reading: readDocument(file, text) }));
    this.#today = today;
  }

  get today(): string {
    return this.#today;
  }

  /** What the files say of the host of a test; undefined: it has no machine. */
  policyOf({ host, machines }: Pick<Case, 'host' | 'machines'>): HostPolicy | undefined {
    let hosts = this.#hosts.get(machines);
    if (hosts === undefined) {
      const documents = this.#sources.flatMap(({ reading }) => (reading ? [reading.document] : []));
      const resolved = resolve(documents, machines, this.#today).hosts;
      hosts = new Map(resolved.map((policy) => [policy.host, policy]));
      this.#hosts.set(machines, hosts);
    }
    return hosts.get(host);
  }

  /** Judges policies as if they alone were to be established, as far as they say what shall be. */
  judge({ host, machines }: Pick<Case, 'host' | 'machines'>, policies: readonly string[]): CheckedHost {
    const before = this.#judged.get(machines) ?? new Map<string, CheckedHost>();
    this.#judged.set(machines, before);
    const key = [host, ...policies].join('\0');
    const known = before.get(key);
    if (known !== undefined) return known;
    const only = { host, policies };
    const input = { sources: this.#sources, machines, today: this.#today, only };
    const [found] = check(input).hosts;
    if (found === undefined) throw new Error(`no host ${host}, though it was found before`);
    before.set(key, found);
    return found;
  }

  plan(checked: CheckedPolicy): Plan {
    const known = this.#plans.get(checked);
    if (known !== undefined) return known;
    const plan = makePlan(checked, { sources: this.#sources, today: this.#today });
    this.#plans.set(checked, plan);
    return plan;
  }
}
