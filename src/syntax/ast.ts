import type { Span } from '../../grammar/span.ts';

/**
 * The tree that later stages read. What the parser recovered from is absent or a `Hole`, and every later stage is
 * silent about it: one broken thing gives one message. Spans in a declaration count from its block (`PlacedDeclaration`),
 * so that a declaration is the same tree wherever it stands, and one that only moved is not made anew.
 */
export interface Document {
  readonly file: string;
  readonly declarations: readonly PlacedDeclaration[];
}

export interface PlacedDeclaration {
  /** The offset in the file's text from which the spans of `node` count. */
  readonly base: number;
  readonly node: Declaration;
}

export type Declaration =
  | ImportDeclaration
  | HostDeclaration
  | DeviceDeclaration
  | PolicyDeclaration
  | TestDeclaration
  | Hole;

/** Where something broken stood. */
export interface Hole {
  readonly kind: 'hole';
  /** The device, host, policy or test that it would have declared, when its name could be read: nobody is told it is unknown. */
  readonly declares?: Word;
  readonly span: Span;
}

/**
 * A piece of text with its place: a name, an address, a string's content. `text` has no quotes and its escapes are
 * resolved; `span` has the quotes, so that replacing it replaces all of it.
 */
export interface Word {
  readonly text: string;
  readonly span: Span;
}

export interface ImportDeclaration {
  readonly kind: 'import';
  readonly path: Word;
  readonly span: Span;
}

export interface HostDeclaration {
  readonly kind: 'host';
  /** A name, or a pattern with `*`: `edge-01`, `db-*`. */
  readonly name: Word;
  readonly statements: readonly HostStatement[];
  readonly span: Span;
}

export type HostStatement =
  | { readonly kind: 'snapshot'; readonly path: Word; readonly span: Span }
  | { readonly kind: 'iommu'; readonly state: 'required' | 'absent' | 'any'; readonly span: Span }
  | {
      readonly kind: 'kernel';
      readonly relation: '>=' | '<=' | '>' | '<' | '=';
      readonly version: Word;
      readonly span: Span;
    }
  | { readonly kind: 'label'; readonly name: Word; readonly value: Word; readonly span: Span }
  | NoIommuStatement
  | Hole;

export interface NoIommuStatement {
  readonly kind: 'noiommu';
  readonly allowed: boolean;
  readonly owner?: Word;
  readonly reason?: Word;
  /** `YYYY-MM-DD`; the last day on which the permission holds. */
  readonly until?: Word;
  readonly span: Span;
}

export interface DeviceDeclaration {
  readonly kind: 'device';
  /** `devices`: a set; `device`: exactly one function must match. */
  readonly plural: boolean;
  readonly name: Word;
  /** The host name or pattern after `on`; absent means every host. */
  readonly on?: Word;
  /** All must hold. */
  readonly selectors: readonly Selector[];
  /** What is taken out of the set again. */
  readonly except: readonly Selector[];
  readonly count?: Count;
  /** The claim that it does no DMA. */
  readonly dmaNone?: DmaNone;
  readonly span: Span;
}

export interface DmaNone {
  readonly reason: Word;
  readonly span: Span;
}

/** How many functions a set must have, both ends included. */
export interface Count {
  readonly min: number;
  readonly max: number;
  readonly span: Span;
}

/** What a device can hold for the host. `any` is every use: mounted, swap, stacked (dm, md, LVM) or signed. */
export type Holding = 'root' | 'boot' | 'swap' | 'management' | 'mounted' | 'stacked' | 'signed' | 'any';

export type Selector =
  | {
      readonly kind:
        | 'at'
        | 'id'
        | 'subsystem'
        | 'class'
        | 'driver'
        | 'netdev'
        | 'block'
        | 'slot'
        | 'label'
        | 'serial'
        | 'mac'
        | 'numa';
      readonly value: Word;
      readonly span: Span;
    }
  | { readonly kind: 'holding'; readonly what: readonly Holding[]; readonly span: Span }
  | { readonly kind: 'device'; readonly name: Word; readonly span: Span }
  /** Virtual functions of the device `name`, by their numbers from 0; all without `range`. */
  | {
      readonly kind: 'virtual';
      readonly name: Word;
      readonly range?: { readonly min: number; readonly max: number };
      readonly span: Span;
    }
  /** The others of the IOMMU group that the device `name` is in. */
  | { readonly kind: 'in-group'; readonly name: Word; readonly span: Span }
  | { readonly kind: 'or' | 'and'; readonly operands: readonly Selector[]; readonly span: Span }
  | { readonly kind: 'not'; readonly operand: Selector; readonly span: Span }
  | Hole;

export interface PolicyDeclaration {
  readonly kind: 'policy';
  readonly name: Word;
  readonly on?: Word;
  readonly statements: readonly PolicyStatement[];
  readonly span: Span;
}

export type Path = 'group' | 'noiommu' | 'iommufd' | 'any';

/** `user`, `group`, `service`, `vm`, `container` with a name (or `*`), or `anyone`. */
export interface Principal {
  readonly kind: 'user' | 'group' | 'service' | 'vm' | 'container' | 'anyone';
  /** Absent for `anyone`. */
  readonly name?: Word;
  /** Capabilities that the author says the principal's process has, from elsewhere: `with CAP_SYS_RAWIO`. */
  readonly capabilities: readonly Word[];
  readonly span: Span;
}

/** `any device`, or a declared name. */
export type DeviceReference =
  | { readonly kind: 'any'; readonly span: Span }
  | { readonly kind: 'name'; readonly name: Word; readonly span: Span };

/** `host role is "lab"`: true when the host carries that label. */
export interface LabelCondition {
  readonly label: Word;
  readonly value: Word;
  readonly span: Span;
}

export type PolicyStatement =
  | BindStatement
  | AllowStatement
  | ForbidStatement
  | ForbidUnsafeInterrupts
  | ProtectStatement
  | RequireStatement
  | CreateStatement
  | LimitStatement
  | PersistStatement
  | ConfirmStatement
  | Hole;

export interface BindStatement {
  readonly kind: 'bind';
  readonly device: Word;
  /** `with its group`: every endpoint function of the same IOMMU group comes along. */
  readonly wholeGroup: boolean;
  /** A driver's name, `vfio` (the best variant driver), `none` (unbound) or `default` (what the kernel would choose). */
  readonly driver: Word;
  readonly span: Span;
}

export interface AllowStatement {
  readonly kind: 'allow';
  readonly principal: Principal;
  readonly device: DeviceReference;
  readonly via: Path;
  /** Where the path is named; absent when the statement names none. */
  readonly viaAt?: { readonly span: Span };
  readonly unless?: LabelCondition;
  readonly span: Span;
}

export interface ForbidStatement {
  readonly kind: 'forbid';
  readonly principal: Principal;
  readonly device: DeviceReference;
  /** `any` when the statement names no path. */
  readonly via: Path;
  readonly unless?: LabelCondition;
  readonly span: Span;
}

interface ForbidUnsafeInterrupts {
  readonly kind: 'forbid-unsafe-interrupts';
  readonly span: Span;
}

export interface ProtectStatement {
  readonly kind: 'protect';
  /** Devices by what they hold … */
  readonly holding: readonly Holding[];
  /** … or one by name. */
  readonly device?: Word;
  readonly span: Span;
}

export interface CreateStatement {
  readonly kind: 'create';
  /** How many virtual functions the device shall have, at least 1. */
  readonly count: number;
  readonly countAt: { readonly span: Span };
  readonly device: Word;
  readonly span: Span;
}

export interface LimitStatement {
  readonly kind: 'limit';
  /** A principal by name, or a pattern of names. */
  readonly who: Exclude<Principal['kind'], 'anyone'>;
  readonly name: Word;
  /** Bytes of memory that it may lock. */
  readonly bytes: number;
  readonly span: Span;
}

export interface PersistStatement {
  readonly kind: 'persist';
  /** What holds again after the next boot: nothing, what the policy says, or that before other drivers come. */
  readonly until: 'nothing' | 'boots' | 'drivers';
  readonly span: Span;
}

export interface ConfirmStatement {
  readonly kind: 'confirm';
  /** Seconds that a plan waits to be confirmed, 1 to 86,400. */
  readonly seconds: number;
  readonly span: Span;
}

/** What must hold of a device in every state that a plan passes through. */
export type Requirement =
  | { readonly what: 'isolated' }
  /** The kernel can reset it in one of these ways. */
  | { readonly what: 'resets'; readonly methods: readonly Word[] }
  /** It is attached to one of these NUMA nodes. */
  | { readonly what: 'numa'; readonly nodes: readonly number[] }
  /** A driver's name, `vfio` (any VFIO driver), `none` (no driver) or `default`. */
  | { readonly what: 'never'; readonly driver: Word };

interface RequireStatement {
  readonly kind: 'require';
  readonly device: Word;
  readonly requirement: Requirement;
  readonly span: Span;
}

/** What is done on a simulated machine, in this order, and what must hold then. */
export interface TestDeclaration {
  readonly kind: 'test';
  readonly name: Word;
  /** A host's name or a pattern … */
  readonly on?: Word;
  /** … or the file of a snapshot. */
  readonly snapshot?: Word;
  readonly statements: readonly TestStatement[];
  readonly span: Span;
}

export type TestStatement = ApplyStatement | ActStatement | Expectation | Hole;

export interface ApplyStatement {
  readonly kind: 'apply';
  readonly policies: readonly Word[];
  readonly fault?: Fault;
  readonly span: Span;
}

/** What goes wrong while a plan is carried out; steps are counted from 1. Nobody confirms it: that is after the last. */
export type Fault =
  | { readonly kind: 'fails'; readonly step: number; readonly errno: Word; readonly span: Span }
  | { readonly kind: 'killed'; readonly step: number; readonly span: Span }
  | { readonly kind: 'unconfirmed'; readonly span: Span };

/** What a principal's process does, and what the kernel answers. */
export interface ActStatement {
  readonly kind: 'act';
  readonly principal: Principal;
  readonly calls: readonly Call[];
  readonly span: Span;
}

export type Call =
  /** `via` is absent where the way is the one that is allowed. */
  | {
      readonly kind: 'open';
      readonly device: Word;
      readonly via?: Path;
      readonly result: Word;
      readonly span: Span;
    }
  | {
      readonly kind: 'use';
      readonly device: Word;
      readonly via: Path;
      readonly result: Word;
      readonly span: Span;
    }
  /** Bytes of the process's memory at an I/O address, written in hexadecimal: below 2^64. */
  | {
      readonly kind: 'map';
      readonly bytes: number;
      readonly at: Word;
      readonly result: Word;
      readonly span: Span;
    }
  | Hole;

export type Expectation =
  | { readonly kind: 'refused'; readonly policy: Word; readonly code: Word; readonly span: Span }
  | { readonly kind: 'tainted'; readonly tainted: boolean; readonly span: Span }
  /** The machine shows what its snapshot shows. */
  | { readonly kind: 'unchanged'; readonly span: Span }
  /** A configuration file is there or not, or says each of the texts: as a line, or anywhere. */
  | {
      readonly kind: 'file';
      readonly path: Word;
      readonly says: 'present' | 'absent' | 'line' | 'text';
      readonly texts: readonly Word[];
      readonly span: Span;
    }
  | { readonly kind: 'bound'; readonly device: Word; readonly driver: Word; readonly span: Span };
