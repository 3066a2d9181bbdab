/**
 * What the parser makes of one declaration: a node for each statement, holding the tokens that carry its meaning.
 * A token that recovery made up has an offset that is not a number (`isMissing`). Offsets are relative to the block.
 */
import type { IToken } from 'chevrotain';
import type { Span } from './span.ts';

export type Token = IToken;

/** A statement that could not be read; an issue says why. */
export interface BrokenNode extends Span {
  readonly kind: 'broken';
}

/** Words that begin no statement here, skipped up to the next one. */
export interface UnknownNode extends Span {
  readonly kind: 'unknown';
  readonly word: Token;
}

type Skipped = BrokenNode | UnknownNode;

export interface ImportNode extends Span {
  readonly kind: 'import';
  readonly path: Token;
}

export interface HostNode extends Span {
  readonly kind: 'host';
  readonly name: Token;
  readonly statements: readonly HostStatementNode[];
}

export type HostStatementNode =
  | (Span & { readonly kind: 'snapshot'; readonly path: Token })
  | (Span & { readonly kind: 'iommu'; readonly state: Token })
  | (Span & { readonly kind: 'kernel'; readonly relation: Token; readonly version: Token })
  | (Span & { readonly kind: 'label'; readonly name: Token; readonly value: Token })
  | NoIommuNode
  | Skipped;

export interface NoIommuNode extends Span {
  readonly kind: 'noiommu';
  readonly mode: Token;
  readonly items: readonly PermissionNode[];
}

export type PermissionNode =
  | (Span & { readonly kind: 'permission'; readonly key: Token; readonly value: Token })
  | Skipped;

export interface DeviceNode extends Span {
  readonly kind: 'device';
  readonly word: Token;
  readonly name: Token;
  readonly on: Token | undefined;
  readonly items: readonly DeviceItemNode[];
}

export type DeviceItemNode =
  | SelectorNode
  | (Span & { readonly kind: 'except'; readonly operand: SelectorNode })
  | (Span & { readonly kind: 'count'; readonly min: Token; readonly max: Token | undefined })
  | (Span & { readonly kind: 'dma'; readonly reason: Token });

export type SelectorNode =
  | (Span & { readonly kind: 'property'; readonly key: Token; readonly value: Token })
  | (Span & { readonly kind: 'holding'; readonly what: readonly Token[] })
  | (Span & { readonly kind: 'named'; readonly name: Token })
  | (Span & { readonly kind: 'in-group'; readonly name: Token })
  | VirtualFunctionsNode
  | (Span & { readonly kind: 'not'; readonly operand: SelectorNode })
  | (Span & { readonly kind: 'or' | 'and'; readonly operands: readonly SelectorNode[] })
  | Skipped;

/** Which virtual functions of a physical one: all without `first`, one without `last`. */
export interface VirtualFunctionsNode extends Span {
  readonly kind: 'virtual';
  readonly first: Token | undefined;
  readonly last: Token | undefined;
  readonly of: Token;
}

export interface PolicyNode extends Span {
  readonly kind: 'policy';
  readonly name: Token;
  readonly on: Token | undefined;
  readonly statements: readonly PolicyStatementNode[];
}

export interface PrincipalNode extends Span {
  readonly kind: Token;
  readonly name: Token | undefined;
  readonly capabilities: readonly Token[];
}

export interface TargetNode extends Span {
  /** Absent for `any device`. */
  readonly name: Token | undefined;
}

export interface ConditionNode extends Span {
  readonly label: Token;
  readonly value: Token;
}

/** Who may, or may not, use what, by which way. */
export interface UseNode extends Span {
  readonly kind: 'allow' | 'forbid';
  readonly principal: PrincipalNode;
  readonly target: TargetNode;
  readonly via: Token | undefined;
  readonly unless: ConditionNode | undefined;
}

export type PolicyStatementNode =
  | (Span & {
      readonly kind: 'bind';
      readonly device: Token;
      readonly wholeGroup: boolean;
      readonly driver: Token;
    })
  | UseNode
  | (Span & { readonly kind: 'interrupts' })
  | (Span & {
      readonly kind: 'protect';
      readonly holding: readonly Token[];
      readonly device: Token | undefined;
    })
  | RequireNode
  | CreateNode
  | LimitNode
  | PersistNode
  | ConfirmNode
  | Skipped;

/** What must hold: `values` are ways to reset it, NUMA nodes, or the driver that it never has. */
export interface RequireNode extends Span {
  readonly kind: 'require';
  readonly device: Token;
  readonly what: 'isolated' | 'resets' | 'numa' | 'never';
  readonly values: readonly Token[];
}

export interface CreateNode extends Span {
  readonly kind: 'create';
  readonly count: Token;
  readonly device: Token;
}

export interface LimitNode extends Span {
  readonly kind: 'limit';
  readonly who: Token;
  readonly name: Token;
  readonly amount: Token;
  readonly unit: Token;
}

export interface PersistNode extends Span {
  readonly kind: 'persist';
  readonly until: 'nothing' | 'boots' | 'drivers';
}

export interface ConfirmNode extends Span {
  readonly kind: 'confirm';
  readonly amount: Token;
  readonly unit: Token;
}

export interface TestNode extends Span {
  readonly kind: 'test';
  readonly name: Token;
  /** A host … */
  readonly on: Token | undefined;
  /** … or the file of a snapshot. */
  readonly snapshot: Token | undefined;
  readonly statements: readonly TestStatementNode[];
}

export type TestStatementNode = ApplyNode | ActNode | ExpectNode | Skipped;

export interface ApplyNode extends Span {
  readonly kind: 'apply';
  readonly policies: readonly Token[];
  readonly fault: FaultNode | undefined;
}

/** What goes wrong while a plan is carried out. */
export interface FaultNode extends Span {
  readonly kind: 'fails' | 'killed' | 'unconfirmed';
  readonly step: Token | undefined;
  /** Of a step that fails. */
  readonly errno: Token | undefined;
}

export interface ActNode extends Span {
  readonly kind: 'act';
  readonly principal: PrincipalNode;
  readonly calls: readonly CallNode[];
}

/** `result` is `ok` or an errno. */
export type CallNode =
  | (Span & {
      readonly kind: 'open' | 'use';
      readonly device: Token;
      readonly via: Token | undefined;
      readonly result: Token;
    })
  | (Span & {
      readonly kind: 'map';
      readonly amount: Token;
      readonly unit: Token;
      readonly at: Token;
      readonly result: Token;
    })
  | Skipped;

export type ExpectNode =
  | (Span & { readonly kind: 'refused'; readonly policy: Token; readonly code: Token })
  | (Span & { readonly kind: 'tainted'; readonly tainted: boolean })
  | (Span & { readonly kind: 'unchanged' })
  | (Span & {
      readonly kind: 'file';
      readonly path: Token;
      readonly says: 'present' | 'absent' | 'line' | 'text';
      /** Of `line` and `text`. */
      readonly texts: readonly Token[];
    })
  | (Span & { readonly kind: 'bound'; readonly device: Token; readonly driver: Token });

export type DeclarationNode = ImportNode | HostNode | DeviceNode | PolicyNode | TestNode | Skipped;

/** Whether recovery made the token up. */
export function isMissing(token: Token): boolean {
  return Number.isNaN(token.startOffset);
}
