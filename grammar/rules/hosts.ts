import type { ParserMethod } from 'chevrotain';
import * as t from '../tokens.ts';
import type * as tree from '../tree.ts';
import { inner, SkippingParser, statement } from './skipping.ts';

const { k, roles } = t;

/** Machines: what is known, expected or permitted. */
export abstract class HostParser extends SkippingParser {
  protected readonly host: ParserMethod<[], tree.HostNode> = this.RULE<() => tree.HostNode>(
    'host',
    () => {
      const statements: tree.HostStatementNode[] = [];
      const start = this.CONSUME(k.host).startOffset;
      const name = this.CONSUME(roles.HostName);
      this.CONSUME(t.LBrace);
      this.MANY(() => statements.push(this.SUBRULE(this.hostStatement)));
      this.CONSUME(t.RBrace);
      return { kind: 'host', name, statements, start, end: this.end() };
    },
    inner,
  );

  protected readonly hostStatement: ParserMethod<[], tree.HostStatementNode> = this.RULE<
    () => tree.HostStatementNode
  >(
    'hostStatement',
    () =>
      this.OR<tree.HostStatementNode>([
        { ALT: () => this.SUBRULE(this.snapshot) },
        { ALT: () => this.SUBRULE(this.iommu) },
        { ALT: () => this.SUBRULE(this.kernel) },
        { ALT: () => this.SUBRULE(this.label) },
        { ALT: () => this.SUBRULE(this.noiommu) },
        { ALT: () => this.SUBRULE(this.unknownInHost) },
      ]),
    statement,
  );

  protected readonly snapshot: ParserMethod<[], tree.HostStatementNode> = this.RULE<
    () => tree.HostStatementNode
  >(
    'snapshot',
    () => {
      const start = this.CONSUME(k.snapshot).startOffset;
      const path = this.CONSUME(roles.File);
      return { kind: 'snapshot', path, start, end: this.end() };
    },
    inner,
  );

  protected readonly iommu: ParserMethod<[], tree.HostStatementNode> = this.RULE<
    () => tree.HostStatementNode
  >(
    'iommu',
    () => {
      const start = this.CONSUME(k.iommu).startOffset;
      const state = this.CONSUME(t.PresenceWord);
      return { kind: 'iommu', state, start, end: this.end() };
    },
    inner,
  );

  protected readonly kernel: ParserMethod<[], tree.HostStatementNode> = this.RULE<
    () => tree.HostStatementNode
  >(
    'kernel',
    () => {
      const start = this.CONSUME(k.kernel).startOffset;
      const relation = this.CONSUME(t.Relation);
      const version = this.CONSUME(roles.Version);
      return { kind: 'kernel', relation, version, start, end: this.end() };
    },
    inner,
  );

  protected readonly label: ParserMethod<[], tree.HostStatementNode> = this.RULE<
    () => tree.HostStatementNode
  >(
    'label',
    () => {
      const start = this.CONSUME(k.label).startOffset;
      const name = this.CONSUME(roles.LabelName);
      const value = this.CONSUME(roles.LabelValue);
      return { kind: 'label', name, value, start, end: this.end() };
    },
    inner,
  );

  protected readonly noiommu: ParserMethod<[], tree.HostStatementNode> = this.RULE<
    () => tree.HostStatementNode
  >(
    'noiommu',
    () => {
      const items: tree.PermissionNode[] = [];
      const start = this.CONSUME(k.noiommu).startOffset;
      const mode = this.CONSUME(t.PermissionWord);
      this.OPTION(() => {
        this.CONSUME(t.LBrace);
        this.MANY(() => items.push(this.SUBRULE(this.permissionItem)));
        this.CONSUME(t.RBrace);
      });
      return { kind: 'noiommu', mode, items, start, end: this.end() };
    },
    inner,
  );

  protected readonly permissionItem: ParserMethod<[], tree.PermissionNode> = this.RULE<
    () => tree.PermissionNode
  >(
    'permissionItem',
    () =>
      this.OR<tree.PermissionNode>([
        { ALT: () => this.SUBRULE(this.permission) },
        { ALT: () => this.SUBRULE(this.unknownInPermission) },
      ]),
    statement,
  );

  protected readonly permission: ParserMethod<[], tree.PermissionNode> = this.RULE<() => tree.PermissionNode>(
    'permission',
    () => {
      const key = this.CONSUME(t.PermissionKey);
      const value = this.CONSUME(roles.Reason);
      return { kind: 'permission', key, value, start: key.startOffset, end: this.end() };
    },
    inner,
  );

  private readonly restOfHost = this.rest('restOfHost', t.restOf.host);
  private readonly unknownInHost = this.unknown('unknownInHost', this.restOfHost);
  private readonly restOfPermission = this.rest('restOfPermission', t.restOf.permission);
  private readonly unknownInPermission = this.unknown('unknownInPermission', this.restOfPermission);
}
