import type { CallNode, FaultNode, TestNode, TestStatementNode, Token } from '../../grammar/tree.ts';
import { isMissing } from '../../grammar/tree.ts';
import { errnoPattern, ioAddressPattern } from '../../grammar/values.ts';
import { inQuotes } from '../../grammar/written.ts';
import { explain, explainAll } from '../diagnostics/explain.ts';
import { nameMeant, replacement } from '../diagnostics/fixes.ts';
import type { Call, Declaration, Fault, Path, TestStatement, Word } from './ast.ts';
import { shown } from './hidden.ts';
import { lowerPrincipal } from './lower-policy.ts';
import type { Lowering } from './lowering.ts';
import { lowerSize, whole } from './measures.ts';

/** No plan has more steps: a document may hold so many. */
const stepLimit = 100_000;

export function lowerTest(at: Lowering, node: TestNode): Declaration {
  const name = at.telling(node.name, 'the name of the test');
  const on = node.on && at.hostName(node.on);
  const snapshot = node.snapshot && at.text(node.snapshot);
  if (name === undefined) return at.hole(node);
  if (on === undefined && snapshot === undefined) return { ...at.hole(node), declares: name };
  const statements = node.statements.map((statement) => lowerStatement(at, statement));
  return {
    kind: 'test',
    name,
    ...(on === undefined ? {} : { on }),
    ...(snapshot === undefined ? {} : { snapshot }),
    statements,
    span: at.span(node),
  };
}

const aDevice = "a device's name";

function lowerStatement(at: Lowering, node: TestStatementNode): TestStatement {
  const span = at.span(node);
  switch (node.kind) {
    case 'apply': {
      const policies = whole(node.policies.map((token) => at.name(token, "a policy's name")));
      const fault = node.fault && lowerFault(at, node.fault);
      if (policies === undefined || (node.fault !== undefined && fault === undefined)) return at.hole(node);
      return { kind: 'apply', policies, ...(fault === undefined ? {} : { fault }), span };
    }
    case 'act': {
      const principal = lowerPrincipal(at, node.principal);
      if (principal === undefined) return at.hole(node);
      if (principal.name?.text.includes('*')) {
        const token = node.principal.name as Token;
        const cures = ['one process acts: name who it is'];
        at.report('VP1019', token, { text: principal.name.text, what: 'somebody who acts' }, { cures });
        return at.hole(node);
      }
      return { kind: 'act', principal, calls: node.calls.map((call) => lowerCall(at, call)), span };
    }
    case 'refused': {
      const policy = at.name(node.policy, "a policy's name");
      const code = lowerCode(at, node.code);
      return policy && code ? { kind: 'refused', policy, code, span } : at.hole(node);
    }
    case 'tainted':
      return { kind: 'tainted', tainted: node.tainted, span };
    case 'unchanged':
      return { kind: 'unchanged', span };
    case 'file': {
      const { says } = node;
      const path = at.text(node.path);
      const texts = whole(node.texts.map((token) => lowerSaid(at, token, says)));
      return path && texts ? { kind: 'file', path, says, texts, span } : at.hole(node);
    }
    case 'bound': {
      const device = at.name(node.device, aDevice);
      const driver = at.name(node.driver, "a driver's name");
      return device && driver ? { kind: 'bound', device, driver, span } : at.hole(node);
    }
    default:
      return at.hole(node);
  }
}

function lowerFault(at: Lowering, node: FaultNode): Fault | undefined {
  const span = at.span(node);
  if (node.step === undefined) return { kind: 'unconfirmed', span };
  const step = at.number(node.step, stepLimit, 1);
  if (node.kind === 'killed') return step === undefined ? undefined : { kind: 'killed', step, span };
  const errno = node.errno && lowerErrno(at, node.errno, false);
  return step === undefined || errno === undefined ? undefined : { kind: 'fails', step, errno, span };
}

function lowerCall(at: Lowering, node: CallNode): Call {
  if (node.kind === 'broken' || node.kind === 'unknown') return at.hole(node);
  const result = lowerErrno(at, node.result);
  const span = at.span(node);
  if (node.kind === 'map') {
    const bytes = lowerSize(at, node.amount, node.unit);
    const address = lowerAddress(at, node.at);
    if (result === undefined || bytes === undefined || address === undefined) return at.hole(node);
    return { kind: 'map', bytes, at: address, result, span };
  }
  const device = at.name(node.device, aDevice);
  const via = node.via === undefined || isMissing(node.via) ? undefined : (node.via.image as Path);
  if (result === undefined || device === undefined) return at.hole(node);
  if (node.kind === 'use')
    return via === undefined ? at.hole(node) : { kind: 'use', device, via, result, span };
  return { kind: 'open', device, ...(via === undefined ? {} : { via }), result, span };
}

/** What looks like an errno, or `ok` where a call may succeed; which errnos there are is known elsewhere. */
function lowerErrno(at: Lowering, token: Token, orOk = true): Word | undefined {
  const fits = (text: string) => (orOk && text === 'ok') || errnoPattern.test(text);
  const cures = [`write ${orOk ? '`ok`, or ' : ''}the errno in capitals, like \`EACCES\``];
  return at.shaped(token, { test: fits }, (text) => at.report('VP1027', token, { text }, { cures }));
}

/** What a file can say: something, and in one line where that is asked for. Nothing is in every file. */
function lowerSaid(at: Lowering, token: Token, what: string): Word | undefined {
  const word = at.text(token);
  if (word === undefined) return undefined;
  const lines = word.text.split('\n').filter((line) => line !== '');
  if (lines.length > 0 && (what === 'text' || lines[0] === word.text)) return word;
  const cures = [lines.length === 0 ? 'write what the file says' : 'write each line by itself: `"…", "…"`'];
  const fixes = lines.length === 0 ? [] : [replacement(at.place(token), lines.map(inQuotes).join(', '))];
  return at.report('VP1032', token, { text: shown(word.text), what }, { cures, fixes });
}

function lowerAddress(at: Lowering, token: Token): Word | undefined {
  const fits = (text: string) => ioAddressPattern.test(text) && BigInt(text) < 1n << 64n;
  return at.shaped(token, { test: fits }, (text) =>
    at.report(
      'VP1028',
      token,
      { text },
      { cures: ['write it in hexadecimal, like `0x100000`; an I/O address has 64 bits at most'] },
    ),
  );
}

function lowerCode(at: Lowering, token: Token): Word | undefined {
  return at.shaped(token, { test: (text) => explain(text)?.code === text }, (text) => {
    const codes = explainAll().map(({ code }) => code);
    const { cures, fixes } = nameMeant(at.place(token), text, codes);
    at.report('VP1029', token, { text }, { cures: [...cures, '`vfioplan explain` lists the codes'], fixes });
  });
}
