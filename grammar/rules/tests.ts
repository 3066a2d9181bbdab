import type { ParserMethod } from 'chevrotain';
import * as t from '../tokens.ts';
import type * as tree from '../tree.ts';
import { PolicyParser } from './policies.ts';
import { inner, statement } from './skipping.ts';

const { k, roles } = t;

/** Tests: what is done on a simulated machine, one thing after another, and what must hold then. */
export abstract class TestParser extends PolicyParser {
  protected readonly test: ParserMethod<[], tree.TestNode> = this.RULE<() => tree.TestNode>(
    'test',
    () => {
      const statements: tree.TestStatementNode[] = [];
      let snapshot: tree.Token | undefined;
      const start = this.CONSUME(k.test).startOffset;
      const name = this.CONSUME(roles.TestName);
      this.CONSUME(k.on);
      const on = this.OR<tree.Token | undefined>([
        {
          ALT: () => {
            this.CONSUME(k.snapshot);
            snapshot = this.CONSUME(roles.File);
            return undefined;
          },
        },
        { ALT: () => this.CONSUME(roles.HostName) },
      ]);
      this.CONSUME(t.LBrace);
      this.MANY(() => statements.push(this.SUBRULE(this.testStatement)));
      this.CONSUME(t.RBrace);
      return { kind: 'test', name, on, snapshot, statements, start, end: this.end() };
    },
    inner,
  );

  protected readonly testStatement: ParserMethod<[], tree.TestStatementNode> = this.RULE<
    () => tree.TestStatementNode
  >(
    'testStatement',
    () =>
      this.OR<tree.TestStatementNode>([
        { ALT: () => this.SUBRULE(this.apply) },
        { ALT: () => this.SUBRULE(this.act) },
        { ALT: () => this.SUBRULE(this.expect) },
        { ALT: () => this.SUBRULE(this.unknownInTest) },
      ]),
    statement,
  );

  protected readonly apply: ParserMethod<[], tree.ApplyNode> = this.RULE<() => tree.ApplyNode>(
    'apply',
    () => {
      const start = this.CONSUME(k.apply).startOffset;
      const policies = [this.CONSUME(roles.PolicyName)];
      this.MANY(() => {
        this.CONSUME(t.Comma);
        policies.push(this.CONSUME2(roles.PolicyName));
      });
      const fault = this.OPTION(() => this.SUBRULE(this.fault));
      return { kind: 'apply', policies, fault, start, end: this.end() };
    },
    inner,
  );

  protected readonly fault: ParserMethod<[], tree.FaultNode> = this.RULE<() => tree.FaultNode>(
    'fault',
    () => {
      const start = this.CONSUME(k.when).startOffset;
      return this.OR<tree.FaultNode>([
        {
          ALT: () => {
            this.CONSUME(k.step);
            const step = this.CONSUME(roles.Amount);
            this.CONSUME(k.fails);
            this.CONSUME(k.with);
            const errno = this.CONSUME(roles.Errno);
            return { kind: 'fails', step, errno, start, end: this.end() };
          },
        },
        {
          ALT: () => {
            this.CONSUME(k.killed);
            this.CONSUME(k.after);
            this.CONSUME2(k.step);
            const step = this.CONSUME2(roles.Amount);
            return { kind: 'killed', step, errno: undefined, start, end: this.end() };
          },
        },
        {
          ALT: () => {
            this.CONSUME(k.not);
            this.CONSUME(k.confirmed);
            return { kind: 'unconfirmed', step: undefined, errno: undefined, start, end: this.end() };
          },
        },
      ]);
    },
    inner,
  );

  protected readonly act: ParserMethod<[], tree.ActNode> = this.RULE<() => tree.ActNode>(
    'act',
    () => {
      const calls: tree.CallNode[] = [];
      const start = this.CONSUME(k.as).startOffset;
      const principal = this.SUBRULE(this.principal);
      this.CONSUME(t.LBrace);
      this.MANY(() => calls.push(this.SUBRULE(this.callItem)));
      this.CONSUME(t.RBrace);
      return { kind: 'act', principal, calls, start, end: this.end() };
    },
    inner,
  );

  protected readonly callItem: ParserMethod<[], tree.CallNode> = this.RULE<() => tree.CallNode>(
    'callItem',
    () =>
      this.OR<tree.CallNode>([
        { ALT: () => this.SUBRULE(this.open) },
        { ALT: () => this.SUBRULE(this.use) },
        { ALT: () => this.SUBRULE(this.map) },
        { ALT: () => this.SUBRULE(this.unknownInActor) },
      ]),
    statement,
  );

  protected readonly open: ParserMethod<[], tree.CallNode> = this.RULE<() => tree.CallNode>(
    'open',
    () => {
      const start = this.CONSUME(k.open).startOffset;
      const device = this.CONSUME(roles.DeviceName);
      const via = this.OPTION(() => {
        this.CONSUME(k.via);
        return this.CONSUME(t.PathWord);
      });
      const result = this.SUBRULE(this.result);
      return { kind: 'open', device, via, result, start, end: this.end() };
    },
    inner,
  );

  protected readonly use: ParserMethod<[], tree.CallNode> = this.RULE<() => tree.CallNode>(
    'use',
    () => {
      const start = this.CONSUME(k.use).startOffset;
      const device = this.CONSUME(roles.DeviceName);
      this.CONSUME(k.via);
      const via = this.CONSUME(t.PathWord);
      const result = this.SUBRULE(this.result);
      return { kind: 'use', device, via, result, start, end: this.end() };
    },
    inner,
  );

  protected readonly map: ParserMethod<[], tree.CallNode> = this.RULE<() => tree.CallNode>(
    'map',
    () => {
      const start = this.CONSUME(k.map).startOffset;
      const amount = this.CONSUME(roles.Amount);
      const unit = this.CONSUME(roles.Unit);
      this.CONSUME(k.at);
      const at = this.CONSUME(roles.IoAddress);
      const result = this.SUBRULE(this.result);
      return { kind: 'map', amount, unit, at, result, start, end: this.end() };
    },
    inner,
  );

  protected readonly result: ParserMethod<[], tree.Token> = this.RULE<() => tree.Token>(
    'result',
    () => {
      this.CONSUME(t.Arrow);
      return this.OR([{ ALT: () => this.CONSUME(k.ok) }, { ALT: () => this.CONSUME(roles.Errno) }]);
    },
    inner,
  );

  protected readonly expect: ParserMethod<[], tree.ExpectNode> = this.RULE<() => tree.ExpectNode>(
    'expect',
    () => {
      const start = this.CONSUME(k.expect).startOffset;
      return this.OR<tree.ExpectNode>([
        { ALT: () => this.SUBRULE(this.expectedRefusal, { ARGS: [start] }) },
        { ALT: () => this.SUBRULE(this.expectedTaint, { ARGS: [start] }) },
        {
          ALT: () => {
            this.CONSUME(k.machine);
            this.CONSUME(k.unchanged);
            return { kind: 'unchanged', start, end: this.end() };
          },
        },
        { ALT: () => this.SUBRULE(this.expectedFile, { ARGS: [start] }) },
        { ALT: () => this.SUBRULE(this.expectedDriver, { ARGS: [start] }) },
      ]);
    },
    inner,
  );

  protected readonly expectedRefusal: ParserMethod<[start: number], tree.ExpectNode> = this.RULE<
    (start: number) => tree.ExpectNode
  >(
    'expectedRefusal',
    (start) => {
      this.CONSUME(k.apply);
      const policy = this.CONSUME(roles.PolicyName);
      this.CONSUME(k.refused);
      const code = this.CONSUME(roles.Code);
      return { kind: 'refused', policy, code, start, end: this.end() };
    },
    inner,
  );

  protected readonly expectedTaint: ParserMethod<[start: number], tree.ExpectNode> = this.RULE<
    (start: number) => tree.ExpectNode
  >(
    'expectedTaint',
    (start) => {
      let tainted = true;
      this.CONSUME(k.kernel);
      this.OPTION(() => {
        this.CONSUME(k.not);
        tainted = false;
      });
      this.CONSUME(k.tainted);
      return { kind: 'tainted', tainted, start, end: this.end() };
    },
    inner,
  );

  protected readonly expectedFile: ParserMethod<[start: number], tree.ExpectNode> = this.RULE<
    (start: number) => tree.ExpectNode
  >(
    'expectedFile',
    (start) => {
      const texts: tree.Token[] = [];
      this.CONSUME(k.file);
      const path = this.CONSUME(roles.WrittenFile);
      const says = this.OR<'present' | 'absent' | 'line' | 'text'>([
        { ALT: () => this.CONSUME(k.present) && 'present' },
        { ALT: () => this.CONSUME(k.absent) && 'absent' },
        {
          ALT: () => {
            this.CONSUME(k.with);
            const what = this.OR2<'line' | 'text'>([
              { ALT: () => this.CONSUME(k.line) && 'line' },
              { ALT: () => this.CONSUME(k.text) && 'text' },
            ]);
            texts.push(this.CONSUME(roles.Said));
            this.MANY(() => {
              this.CONSUME(t.Comma);
              texts.push(this.CONSUME2(roles.Said));
            });
            return what;
          },
        },
      ]);
      return { kind: 'file', path, says, texts, start, end: this.end() };
    },
    inner,
  );

  protected readonly expectedDriver: ParserMethod<[start: number], tree.ExpectNode> = this.RULE<
    (start: number) => tree.ExpectNode
  >(
    'expectedDriver',
    (start) => {
      const device = this.CONSUME(roles.ExpectedDevice);
      this.CONSUME(k.bound);
      this.CONSUME(k.to);
      const driver = this.CONSUME(roles.DriverName);
      return { kind: 'bound', device, driver, start, end: this.end() };
    },
    inner,
  );

  private readonly restOfTest = this.rest('restOfTest', t.restOf.test);
  private readonly unknownInTest = this.unknown('unknownInTest', this.restOfTest);
  private readonly restOfActor = this.rest('restOfActor', t.restOf.actor);
  private readonly unknownInActor = this.unknown('unknownInActor', this.restOfActor);
}
