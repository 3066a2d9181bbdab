/**
 * A declaration's nodes to the tree that later stages read. Values are checked for their shape here (an address looks
 * like an address); whether they name anything is the business of later stages. What is broken becomes a hole.
 */
import type * as tree from '../../grammar/tree.ts';
import { isMissing, type Token } from '../../grammar/tree.ts';
import type * as ast from './ast.ts';
import { lowerDevice } from './lower-device.ts';
import { lowerHost } from './lower-host.ts';
import { lowerPolicy } from './lower-policy.ts';
import { lowerTest } from './lower-test.ts';
import type { Lowering } from './lowering.ts';

export function lower(at: Lowering, node: tree.DeclarationNode): ast.Declaration {
  switch (node.kind) {
    case 'import': {
      const path = at.text(node.path);
      return path === undefined ? at.hole(node) : { kind: 'import', path, span: at.span(node) };
    }
    case 'host':
      return declared(at, node.name, node) ?? lowerHost(at, node);
    case 'device':
      return declared(at, node.name, node) ?? lowerDevice(at, node);
    case 'policy':
      return declared(at, node.name, node) ?? lowerPolicy(at, node);
    case 'test':
      return isMissing(node.name) ? at.hole(node) : lowerTest(at, node);
    default:
      return at.hole(node);
  }
}

/** A hole when a declaration's head is broken: without its name or its host it would say something else. */
function declared(
  at: Lowering,
  name: Token,
  node: tree.HostNode | tree.DeviceNode | tree.PolicyNode,
): ast.Hole | undefined {
  if (isMissing(name)) return at.hole(node);
  if ('on' in node && node.on !== undefined && isMissing(node.on)) {
    return { ...at.hole(node), declares: at.word(name) };
  }
  return undefined;
}
