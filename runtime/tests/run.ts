import type { CheckedHost } from '../../src/check/checked.ts';
import type { Diagnostic, KernelAnswer, Place } from '../../src/diagnostics/diagnostic.ts';
import { type Meant, nameMeant } from '../../src/diagnostics/fixes.ts';
import { report } from '../../src/diagnostics/report.ts';
import { textAt } from '../../src/machine/configuration.ts';
import { isVfioDriver } from '../../src/machine/drivers.ts';
import { type Address, isUnknown } from '../../src/machine/snapshot.ts';
import type { ResolvedDevice } from '../../src/policy/policy.ts';
import { whoMay } from '../../src/policy/principals.ts';
import { driverPath } from '../../src/script/paths.ts';
import type {
  ActStatement,
  ApplyStatement,
  Call,
  Expectation,
  Hole,
  TestStatement,
  Word,
} from '../../src/syntax/ast.ts';
import { placeOf } from '../../src/syntax/places.ts';
import { quoted } from '../execute/verify.ts';
import { limitWords, SandboxFailure } from '../kernel/failure.ts';
import { bootSandbox, type SandboxOptions } from '../kernel/sandbox.ts';
import { Actor } from './actor.ts';
import type { Case } from './cases.ts';
import type { Ground } from './ground.ts';
import type { TestResult } from './result.ts';
import { Scene, taintPath } from './scene.ts';

/**
 * Runs one test on a simulated copy of its machine, up to the first thing that is not as it says. `onStep` is called
 * whenever something was done: it goes on. Rejects only where vfioplan itself has a bug.
 */
export async function runTest(
  its: Case,
  ground: Ground,
  limits: Pick<SandboxOptions, 'memoryLimitBytes' | 'deadlineMs'>,
  onStep: () => void = () => {},
): Promise<TestResult> {
  const policy = ground.policyOf(its);
  if (policy === undefined) return unable(its, `there is no snapshot of \`${its.host}\``);
  const { snapshot } = policy;
  try {
    const sandbox = await bootSandbox(snapshot, limits);
    try {
      const trial = new Trial(its, policy.devices, new Scene(ground, its, snapshot, sandbox, onStep));
      return { ...resultOf(its), ...trial.run() };
    } finally {
      sandbox.dispose();
    }
  } catch (error) {
    if (!(error instanceof SandboxFailure) || error.failure === 'exception') throw error;
    return unable(its, limitWords[error.failure]);
  }
}

/** The result of a test of which whoever ran it was lost, so that nobody knows what it would have shown. */
export function unfinished(its: Case, reason: string): TestResult {
  const holes = { name: its.node.name.text, reason };
  const cures = [
    'run it alone: `--jobs 1 --filter NAME`; with VFIOPLAN_DEBUG=1 a bug says where it is, for the maintainers of vfioplan',
  ];
  return failed(its, report('VP6306', placeOf(its, its.node.name), holes, { cures }));
}

function unable(its: Case, reason: string): TestResult {
  const holes = { name: its.node.name.text, reason };
  const cures = ['give the machine that the test needs, and take what is too much out of it'];
  return failed(its, report('VP6305', placeOf(its, its.node.name), holes, { cures }));
}

function failed(its: Case, diagnostic: Diagnostic): TestResult {
  return { ...resultOf(its), passed: false, diagnostics: [diagnostic] };
}

function resultOf(its: Case): Omit<TestResult, 'passed' | 'diagnostics'> {
  const { node, host } = its;
  return {
    name: node.name.text,
    place: placeOf(its, node.name),
    host,
    trace: [],
    exercised: [],
    refusals: [],
  };
}

/** One test at work. Each statement answers with what did not hold; null: it held. */
class Trial {
  readonly #case: Case;
  readonly #devices: ReadonlyMap<string, ResolvedDevice>;
  readonly #scene: Scene;
  readonly #exercised: Place[] = [];
  readonly #refusals: string[] = [];

  constructor(its: Case, devices: ReadonlyMap<string, ResolvedDevice>, scene: Scene) {
    this.#case = its;
    this.#devices = devices;
    this.#scene = scene;
  }

  run(): Pick<TestResult, 'passed' | 'diagnostics' | 'trace' | 'exercised' | 'refusals'> {
    let failed: Diagnostic | null = null;
    for (const statement of this.#case.node.statements) {
      failed = this.#statement(statement);
      if (failed !== null) break;
    }
    return {
      passed: failed === null,
      diagnostics: failed === null ? [] : [failed],
      trace: this.#scene.trace,
      exercised: this.#exercised,
      refusals: this.#refusals,
    };
  }

  #statement(statement: TestStatement): Diagnostic | null {
    switch (statement.kind) {
      case 'apply':
        return this.#apply(statement);
      case 'act':
        return this.#act(statement);
      case 'refused':
        return this.#refused(statement);
      case 'hole':
        return null;
      default:
        return this.#holds(statement);
    }
  }

  #apply(statement: ApplyStatement): Diagnostic | null {
    const { policies, fault } = statement;
    const names = policies.map(({ text }) => text);
    const applied = this.#scene.apply(names, fault);
    const fails = (what: string, cure: string, causes: readonly string[] = []): Diagnostic =>
      report(
        'VP6302',
        placeOf(this.#case, statement),
        { policies: names.join(', '), what },
        { causes, cures: [cure] },
      );
    if ('refused' in applied) {
      const cure = 'mend the policy, or say with `expect apply … refused` that it is refused here';
      return fails('is refused', cure, refusalsOf(applied.refused).map(sentenceOf));
    }
    const { ending, policy, steps, held } = applied;
    if (fault?.kind === 'unconfirmed' && !held) {
      const cure =
        steps === 0
          ? 'leave the fault away'
          : 'say `confirm within 120 s` in a policy, or leave the fault away';
      return fails(steps === 0 ? 'has no step, and nothing to confirm' : 'need not be confirmed', cure);
    }
    if (fault !== undefined && 'step' in fault && fault.step > steps) {
      const cure =
        steps === 0 ? 'leave the fault away' : `name a step from 1 to ${steps}: \`vfioplan plan\` shows them`;
      return fails(`has no step ${fault.step}: its plan has ${steps === 0 ? 'none' : steps}`, cure);
    }
    const verdict = ending === 'killed' ? 'rolled back' : ending.verdict;
    if (verdict !== (fault === undefined ? 'done' : 'rolled back'))
      return fails(
        `ended otherwise: ${verdict}`,
        'see in the trace which step was answered otherwise than foretold',
        ending === 'killed' ? [] : ending.diagnostics.map(sentenceOf),
      );
    if (fault !== undefined) {
      if (fault.kind === 'unconfirmed') for (const { place } of policy.confirms) this.#exercised.push(place);
      return null;
    }
    const { binds, creates, limits, persists } = policy;
    for (const { policy: of, place } of [...binds, ...creates, ...limits, ...persists])
      if (names.includes(of)) this.#exercised.push(place);
    return null;
  }

  #refused({ policy, code, span }: Extract<Expectation, { kind: 'refused' }>): Diagnostic | null {
    const errors = refusalsOf(this.#scene.judge([policy.text]));
    const meant = errors.filter((error) => error.code === code.text);
    for (const { place, related } of meant) this.#exercised.push(place, ...related.map((each) => each.place));
    if (meant.length > 0) {
      this.#refusals.push(code.text);
      return null;
    }
    const got =
      errors.length === 0 ? 'accepted' : `refused with ${errors.map((each) => each.code).join(', ')}`;
    const cures = ['write what is true of it, or mend the policy'];
    const holes = { policy: policy.text, code: code.text, got };
    return report('VP6304', placeOf(this.#case, { span }), holes, { causes: errors.map(sentenceOf), cures });
  }

  #act({ principal, calls }: ActStatement): Diagnostic | null {
    const actor = new Actor(this.#scene, whoMay(principal));
    try {
      for (const call of calls) {
        const failed = call.kind === 'hole' ? null : this.#call(actor, call);
        if (failed !== null) return failed;
      }
      return null;
    } finally {
      actor.end();
    }
  }

  #call(actor: Actor, call: Exclude<Call, Hole>): Diagnostic | null {
    const before = this.#scene.trace.length;
    let got: string;
    if (call.kind === 'map') got = actor.map(call.bytes, BigInt(call.at.text));
    else {
      const functions = this.#functionsOf(call.device);
      if (!Array.isArray(functions)) return functions as Diagnostic;
      got = call.kind === 'open' ? actor.open(functions, call.via) : actor.use(functions, call.via);
      if (got === 'ok') for (const { place } of actor.allowsOf(functions)) this.#exercised.push(place);
    }
    if (got === call.result.text) return null;
    const last = this.#scene.trace.slice(before).at(-1);
    const cures = ['write what the kernel answers, or mend the policy'];
    const holes = { call: call.kind, got, expected: call.result.text };
    const kernel: KernelAnswer | undefined =
      last?.reason?.errno == null
        ? undefined
        : {
            step: `\`${last.what}\``,
            guard: last.reason.words,
            errno: last.reason.errno,
            citation: last.reason.citation,
          };
    return report('VP6301', placeOf(this.#case, call), holes, { cures, ...(kernel ? { kernel } : {}) });
  }

  #functionsOf(word: Word): readonly Address[] | Diagnostic {
    const device = this.#devices.get(word.text);
    if (device !== undefined) return device.functions;
    const reason = `\`${word.text}\` is not found on \`${this.#case.host}\``;
    return this.#unanswered(word, reason, 'see what `vfioplan check` says of the device');
  }

  #unanswered(word: Word, reason: string, cure: string): Diagnostic {
    const holes = { name: this.#case.node.name.text, reason };
    return report('VP6305', placeOf(this.#case, word), holes, { cures: [cure] });
  }

  /** Where the snapshot does not tell of the file, nobody knows it before a plan has looked. */
  #file({ path, says, texts }: Extract<Expectation, { kind: 'file' }>, wrong: Wrong): Diagnostic | null {
    const scene = this.#scene;
    const told = textAt(scene.snapshot, path.text);
    if (isUnknown(told) && !scene.touches(path.text)) {
      const cure = 'take a new snapshot on the machine: `vfioplan snapshot` reads these files';
      return this.#unanswered(
        path,
        `it is not known whether there is \`${path.text}\`: ${told.unknown}`,
        cure,
      );
    }
    const shown = scene.look(path.text);
    const what = `\`${path.text}\``;
    if (says === 'absent') return shown === null ? null : wrong(what, 'nothing', quoted(shown));
    if (shown === null) return wrong(what, says === 'present' ? 'a file' : `a ${says} of a file`, 'nothing');
    const lines = shown.split('\n');
    for (const word of says === 'present' ? [] : texts) {
      const { text } = word;
      if (says === 'line' ? lines.includes(text) : shown.includes(text)) continue;
      const meant = nameMeant(placeOf(this.#case, word), text, says === 'line' ? lines : []);
      return wrong(what, `the ${says} \`${text}\``, quoted(shown), meant);
    }
    return null;
  }

  #holds(statement: Exclude<Expectation, { kind: 'refused' }>): Diagnostic | null {
    const scene = this.#scene;
    const wrong: Wrong = (what, expected, got, { cures, fixes } = { cures: [], fixes: [] }) =>
      report(
        'VP6303',
        placeOf(this.#case, statement),
        { what, expected, got },
        { cures: [...cures, 'write what is true of it, or mend the policy'], fixes },
      );
    if (statement.kind === 'tainted') {
      const shown = scene.look(taintPath);
      const tainted = shown !== '0';
      if (tainted === statement.tainted) return null;
      return wrong(`\`${taintPath}\``, statement.tainted ? 'a taint' : '`0`', quoted(shown));
    }
    if (statement.kind === 'unchanged') {
      const found = scene.changed();
      return found && wrong(`\`${found.path}\``, quoted(found.expected), quoted(found.found));
    }
    if (statement.kind === 'file') return this.#file(statement, wrong);
    const functions = this.#functionsOf(statement.device);
    if (!Array.isArray(functions)) return functions as Diagnostic;
    for (const address of functions) {
      const bound = scene.look(driverPath(address));
      const { text } = statement.driver;
      if (!isBoundTo(bound, text, scene, address))
        return wrong(`the driver of ${address}`, text === 'none' ? 'nothing' : `\`${text}\``, quoted(bound));
    }
    return null;
  }
}

/** What shows something else than was expected. */
type Wrong = (what: string, expected: string, got: string, meant?: Meant) => Diagnostic;

function isBoundTo(bound: string | null, word: string, { snapshot }: Scene, address: Address): boolean {
  if (word === 'none') return bound === null;
  if (word === 'vfio') return bound !== null && isVfioDriver(bound);
  if (word !== 'default') return bound === word;
  // The driver that it had when the machine was read.
  return snapshot.functions.find((each) => each.address === address)?.driver === bound;
}

function refusalsOf({ diagnostics }: CheckedHost): readonly Diagnostic[] {
  return diagnostics.filter(({ severity }) => severity === 'error');
}

function sentenceOf({ code, message }: Diagnostic): string {
  return `${code}: ${message}`;
}
