import type { ParserMethod } from 'chevrotain';
import * as t from '../tokens.ts';
import type * as tree from '../tree.ts';
import { DeviceParser } from './devices.ts';
import { inner, statement } from './skipping.ts';

const { k, roles } = t;

/** Policies: what shall be, who may, what must never be. */
export abstract class PolicyParser extends DeviceParser {
  protected readonly policy: ParserMethod<[], tree.PolicyNode> = this.RULE<() => tree.PolicyNode>(
    'policy',
    () => {
      const statements: tree.PolicyStatementNode[] = [];
      const start = this.CONSUME(k.policy).startOffset;
      const name = this.CONSUME(roles.PolicyName);
      const on = this.OPTION(() => this.SUBRULE(this.onHost));
      this.CONSUME(t.LBrace);
      this.MANY(() => statements.push(this.SUBRULE(this.policyStatement)));
      this.CONSUME(t.RBrace);
      return { kind: 'policy', name, on, statements, start, end: this.end() };
    },
    inner,
  );

  protected readonly policyStatement: ParserMethod<[], tree.PolicyStatementNode> = this.RULE<
    () => tree.PolicyStatementNode
  >(
    'policyStatement',
    () =>
      this.OR<tree.PolicyStatementNode>([
        { ALT: () => this.SUBRULE(this.bind) },
        { ALT: () => this.SUBRULE(this.allow) },
        { ALT: () => this.SUBRULE(this.forbid) },
        { ALT: () => this.SUBRULE(this.protect) },
        { ALT: () => this.SUBRULE(this.require) },
        { ALT: () => this.SUBRULE(this.create) },
        { ALT: () => this.SUBRULE(this.limit) },
        { ALT: () => this.SUBRULE(this.persist) },
        { ALT: () => this.SUBRULE(this.confirm) },
        { ALT: () => this.SUBRULE(this.unknownInPolicy) },
      ]),
    statement,
  );

  protected readonly bind: ParserMethod<[], tree.PolicyStatementNode> = this.RULE<
    () => tree.PolicyStatementNode
  >(
    'bind',
    () => {
      const start = this.CONSUME(k.bind).startOffset;
      const device = this.CONSUME(roles.DeviceName);
      let wholeGroup = false;
      this.OPTION(() => {
        this.CONSUME(k.with);
        this.CONSUME(k.its);
        this.CONSUME(k.group);
        wholeGroup = true;
      });
      this.CONSUME(k.to);
      const driver = this.CONSUME(roles.DriverName);
      return { kind: 'bind', device, wholeGroup, driver, start, end: this.end() };
    },
    inner,
  );

  protected readonly allow: ParserMethod<[], tree.PolicyStatementNode> = this.RULE<
    () => tree.PolicyStatementNode
  >(
    'allow',
    () => {
      const start = this.CONSUME(k.allow).startOffset;
      const principal = this.SUBRULE(this.principal);
      this.CONSUME(k.to);
      this.CONSUME(k.use);
      const target = this.SUBRULE(this.target);
      this.CONSUME(k.via);
      const via = this.CONSUME(t.PathWord);
      const unless = this.OPTION(() => this.SUBRULE(this.unless));
      return { kind: 'allow', principal, target, via, unless, start, end: this.end() };
    },
    inner,
  );

  protected readonly forbid: ParserMethod<[], tree.PolicyStatementNode> = this.RULE<
    () => tree.PolicyStatementNode
  >(
    'forbid',
    () => {
      const start = this.CONSUME(k.forbid).startOffset;
      return this.OR<tree.PolicyStatementNode>([
        {
          ALT: () => {
            this.CONSUME(k.unsafe);
            this.CONSUME(k.interrupts);
            return { kind: 'interrupts', start, end: this.end() };
          },
        },
        { ALT: () => this.SUBRULE(this.forbiddenUse, { ARGS: [start] }) },
      ]);
    },
    inner,
  );

  protected readonly forbiddenUse: ParserMethod<[start: number], tree.UseNode> = this.RULE<
    (start: number) => tree.UseNode
  >(
    'forbiddenUse',
    (start) => {
      const principal = this.SUBRULE(this.principal);
      this.CONSUME(k.to);
      this.CONSUME(k.use);
      const target = this.SUBRULE(this.target);
      const via = this.OPTION(() => {
        this.CONSUME(k.via);
        return this.CONSUME(t.PathWord);
      });
      const unless = this.OPTION2(() => this.SUBRULE(this.unless));
      return { kind: 'forbid', principal, target, via, unless, start, end: this.end() };
    },
    inner,
  );

  protected readonly principal: ParserMethod<[], tree.PrincipalNode> = this.RULE<() => tree.PrincipalNode>(
    'principal',
    () => {
      const capabilities: tree.Token[] = [];
      let name: tree.Token | undefined;
      const kind = this.OR([
        { ALT: () => this.CONSUME(k.anyone) },
        {
          ALT: () => {
            const word = this.CONSUME(t.PrincipalKind);
            name = this.CONSUME(roles.PrincipalName);
            return word;
          },
        },
      ]);
      this.OPTION(() => {
        this.CONSUME(k.with);
        capabilities.push(this.CONSUME(roles.Capability));
        this.MANY(() => {
          this.CONSUME(t.Comma);
          capabilities.push(this.CONSUME2(roles.Capability));
        });
      });
      return { kind, name, capabilities, start: kind.startOffset, end: this.end() };
    },
    inner,
  );

  protected readonly target: ParserMethod<[], tree.TargetNode> = this.RULE<() => tree.TargetNode>(
    'target',
    () => {
      let name: tree.Token | undefined;
      const first = this.OR([
        {
          ALT: () => {
            const any = this.CONSUME(k.any);
            this.CONSUME(k.device);
            return any;
          },
        },
        { ALT: () => (name = this.CONSUME(roles.DeviceName)) },
      ]);
      return { name, start: first.startOffset, end: this.end() };
    },
    inner,
  );

  protected readonly unless: ParserMethod<[], tree.ConditionNode> = this.RULE<() => tree.ConditionNode>(
    'unless',
    () => {
      const start = this.CONSUME(k.unless).startOffset;
      this.CONSUME(k.host);
      const label = this.CONSUME(roles.LabelName);
      this.CONSUME(k.is);
      const value = this.CONSUME(roles.LabelValue);
      return { label, value, start, end: this.end() };
    },
    inner,
  );

  protected readonly protect: ParserMethod<[], tree.PolicyStatementNode> = this.RULE<
    () => tree.PolicyStatementNode
  >(
    'protect',
    () => {
      let holding: readonly tree.Token[] = [];
      let device: tree.Token | undefined;
      const start = this.CONSUME(k.protect).startOffset;
      this.OR([
        {
          ALT: () => {
            this.CONSUME(k.devices);
            this.CONSUME(k.that);
            this.CONSUME(k.hold);
            holding = this.SUBRULE(this.holdings);
          },
        },
        { ALT: () => (device = this.CONSUME(roles.DeviceName)) },
      ]);
      return { kind: 'protect', holding, device, start, end: this.end() };
    },
    inner,
  );

  protected readonly require: ParserMethod<[], tree.PolicyStatementNode> = this.RULE<
    () => tree.PolicyStatementNode
  >(
    'require',
    () => {
      const values: tree.Token[] = [];
      const start = this.CONSUME(k.require).startOffset;
      const device = this.CONSUME(roles.DeviceName);
      const what = this.OR<tree.RequireNode['what']>([
        {
          ALT: () => {
            this.CONSUME(k.isolated);
            return 'isolated';
          },
        },
        {
          ALT: () => {
            this.CONSUME(k.resets);
            this.CONSUME(k.by);
            values.push(this.CONSUME(roles.ResetMethod));
            this.MANY(() => {
              this.CONSUME(t.Comma);
              values.push(this.CONSUME2(roles.ResetMethod));
            });
            return 'resets';
          },
        },
        {
          ALT: () => {
            this.CONSUME(k.numa);
            values.push(this.CONSUME(roles.Amount));
            this.MANY2(() => {
              this.CONSUME2(t.Comma);
              values.push(this.CONSUME2(roles.Amount));
            });
            return 'numa';
          },
        },
        {
          ALT: () => {
            this.CONSUME(k.never);
            this.CONSUME(k.bound);
            this.CONSUME(k.to);
            values.push(this.CONSUME(roles.DriverName));
            return 'never';
          },
        },
      ]);
      return { kind: 'require', device, what, values, start, end: this.end() };
    },
    inner,
  );

  protected readonly create: ParserMethod<[], tree.CreateNode> = this.RULE<() => tree.CreateNode>(
    'create',
    () => {
      const start = this.CONSUME(k.create).startOffset;
      const count = this.CONSUME(roles.Amount);
      this.CONSUME(k.virtual);
      this.CONSUME(k.functions);
      this.CONSUME(k.on);
      const device = this.CONSUME(roles.DeviceName);
      return { kind: 'create', count, device, start, end: this.end() };
    },
    inner,
  );

  protected readonly limit: ParserMethod<[], tree.LimitNode> = this.RULE<() => tree.LimitNode>(
    'limit',
    () => {
      const start = this.CONSUME(k.limit).startOffset;
      const who = this.CONSUME(t.PrincipalKind);
      const name = this.CONSUME(roles.PrincipalName);
      this.CONSUME(k.to);
      const amount = this.CONSUME(roles.Amount);
      const unit = this.CONSUME(roles.Unit);
      this.CONSUME(k.locked);
      this.CONSUME(k.memory);
      return { kind: 'limit', who, name, amount, unit, start, end: this.end() };
    },
    inner,
  );

  protected readonly persist: ParserMethod<[], tree.PersistNode> = this.RULE<() => tree.PersistNode>(
    'persist',
    () => {
      const start = this.CONSUME(k.persist).startOffset;
      const until = this.OR<tree.PersistNode['until']>([
        {
          ALT: () => {
            this.CONSUME(k.nothing);
            return 'nothing';
          },
        },
        {
          ALT: () => {
            let early = false;
            this.CONSUME(k.across);
            this.CONSUME(k.boots);
            this.OPTION(() => {
              this.CONSUME(t.Comma);
              this.CONSUME(k.before);
              this.CONSUME(k.drivers);
              early = true;
            });
            return early ? 'drivers' : 'boots';
          },
        },
      ]);
      return { kind: 'persist', until, start, end: this.end() };
    },
    inner,
  );

  protected readonly confirm: ParserMethod<[], tree.ConfirmNode> = this.RULE<() => tree.ConfirmNode>(
    'confirm',
    () => {
      const start = this.CONSUME(k.confirm).startOffset;
      this.CONSUME(k.within);
      const amount = this.CONSUME(roles.Amount);
      const unit = this.CONSUME(roles.TimeUnit);
      return { kind: 'confirm', amount, unit, start, end: this.end() };
    },
    inner,
  );

  private readonly restOfPolicy = this.rest('restOfPolicy', t.restOf.policy);
  private readonly unknownInPolicy = this.unknown('unknownInPolicy', this.restOfPolicy);
}
