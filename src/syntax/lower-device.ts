import type { DeviceItemNode, DeviceNode, SelectorNode, Token } from '../../grammar/tree.ts';
import { isMissing } from '../../grammar/tree.ts';
import { addressPattern, identityPattern, macPattern, numberPattern } from '../../grammar/values.ts';
import type { Count, Declaration, Holding, Selector, Word } from './ast.ts';
import type { Lowering } from './lowering.ts';
import { reportTwice } from './twice.ts';

type Property = Extract<Selector, { value: unknown }>['kind'];

/** No machine has more functions than a domain has addresses: 256 buses of 32 devices of 8 functions. */
const countLimit = 65536;
const numaLimit = 1023;

export function lowerDevice(at: Lowering, node: DeviceNode): Declaration {
  const name = at.name(node.name, "a device's name");
  const on = node.on && at.hostName(node.on);
  if (name === undefined) return at.hole(node);
  if (node.on !== undefined && on === undefined) return { ...at.hole(node), declares: name };
  const selectors: Selector[] = [];
  const except: Selector[] = [];
  let count: Count | undefined;
  reportTwice(at, node.items, ({ kind }) => (kind === 'count' ? 'count' : undefined));
  for (const item of node.items) {
    if (item.kind === 'except') except.push(lowerSelector(at, item.operand));
    else if (item.kind === 'count') {
      const lowered = lowerCount(at, item);
      if (lowered === undefined) selectors.push(at.hole(item));
      else count ??= lowered;
    } else selectors.push(lowerSelector(at, item));
  }
  const plural = node.word.image === 'devices';
  const span = at.span(node);
  return {
    kind: 'device',
    plural,
    name,
    ...(on === undefined ? {} : { on }),
    selectors,
    except,
    ...(count === undefined ? {} : { count }),
    span,
  };
}

function lowerCount(at: Lowering, node: DeviceItemNode & { kind: 'count' }): Count | undefined {
  const min = number(at, node.min, countLimit);
  const max = node.max === undefined ? min : number(at, node.max, countLimit);
  if (min === undefined || max === undefined) return undefined;
  if (min > max) {
    const swapped = `count ${max}..${min}`;
    at.report(
      'VP1024',
      node.min,
      { min, max },
      {
        cures: [`write \`${swapped}\``],
        fixes: [{ title: 'swap the numbers', edits: [{ ...at.placeOf(node), text: swapped }] }],
      },
    );
    return undefined;
  }
  return { min, max, span: at.span(node) };
}

/** A decimal number from 0 to `max`. */
function number(at: Lowering, token: Token, max: number): number | undefined {
  const word = at.shaped(token, { test: (text) => numberPattern.test(text) && Number(text) <= max }, (text) =>
    at.report('VP1011', token, { text, min: 0, max }, { cures: ['write a decimal number'] }),
  );
  return word && Number(word.text);
}

function lowerSelector(at: Lowering, node: SelectorNode): Selector {
  const span = at.span(node);
  switch (node.kind) {
    case 'property':
      return lowerProperty(at, node);
    case 'holding':
      if (node.what.some(isMissing)) return at.hole(node);
      return { kind: 'holding', what: node.what.map((token) => token.image as Holding), span };
    case 'named': {
      const name = at.name(node.name, "a device's name");
      return name === undefined ? at.hole(node) : { kind: 'device', name, span };
    }
    case 'not':
      return { kind: 'not', operand: lowerSelector(at, node.operand), span };
    case 'or':
    case 'and':
      return { kind: node.kind, operands: node.operands.map((operand) => lowerSelector(at, operand)), span };
    default:
      return at.hole(node);
  }
}

function lowerProperty(at: Lowering, node: SelectorNode & { kind: 'property' }): Selector {
  const kind = node.key.image as Property;
  const value = lowerValue(at, kind, node.value);
  return value === undefined ? at.hole(node) : { kind, value, span: at.span(node) };
}

function lowerValue(at: Lowering, kind: Property, token: Token): Word | undefined {
  switch (kind) {
    case 'at':
      return at.shaped(token, addressPattern, (text) =>
        at.report(
          'VP1007',
          token,
          { text },
          {
            cures: ['write domain, bus, device and function, like `0000:03:00.0`; `lspci -D` shows them'],
          },
        ),
      );
    case 'id':
    case 'subsystem':
      return at.shaped(token, identityPattern, (text) =>
        at.report(
          'VP1008',
          token,
          { text },
          {
            cures: [
              'write vendor and device, four hexadecimal digits each, like `8086:1572`; `lspci -nn` shows them',
            ],
          },
        ),
      );
    case 'mac':
      return at.shaped(token, macPattern, (text) =>
        at.report(
          'VP1022',
          token,
          { text },
          { cures: ['write six pairs of digits, like `b4:96:91:a1:02:33`'] },
        ),
      );
    case 'numa':
      return number(at, token, numaLimit) === undefined ? undefined : at.word(token);
    default:
      return at.foreignName(token, `a value of \`${kind}\``);
  }
}
