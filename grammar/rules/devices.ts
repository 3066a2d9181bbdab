import type { ParserMethod } from 'chevrotain';
import * as t from '../tokens.ts';
import type * as tree from '../tree.ts';
import { HostParser } from './hosts.ts';
import { inner, statement } from './skipping.ts';

const { k, roles } = t;

/** Functions: which are meant. */
export abstract class DeviceParser extends HostParser {
  protected readonly device: ParserMethod<[], tree.DeviceNode> = this.RULE<() => tree.DeviceNode>(
    'device',
    () => {
      const items: tree.DeviceItemNode[] = [];
      const word = this.OR([{ ALT: () => this.CONSUME(k.device) }, { ALT: () => this.CONSUME(k.devices) }]);
      const name = this.CONSUME(roles.DeviceName);
      const on = this.OPTION(() => this.SUBRULE(this.onHost));
      this.CONSUME(t.LBrace);
      this.MANY(() => items.push(this.SUBRULE(this.deviceItem)));
      this.CONSUME(t.RBrace);
      return { kind: 'device', word, name, on, items, start: word.startOffset, end: this.end() };
    },
    inner,
  );

  protected readonly deviceItem: ParserMethod<[], tree.DeviceItemNode> = this.RULE<() => tree.DeviceItemNode>(
    'deviceItem',
    () =>
      this.OR<tree.DeviceItemNode>([
        { ALT: () => this.SUBRULE(this.except) },
        { ALT: () => this.SUBRULE(this.count) },
        { ALT: () => this.SUBRULE(this.dma) },
        { ALT: () => this.SUBRULE(this.selector) },
        { ALT: () => this.SUBRULE(this.unknownInDevice) },
      ]),
    statement,
  );

  protected readonly except: ParserMethod<[], tree.DeviceItemNode> = this.RULE<() => tree.DeviceItemNode>(
    'except',
    () => {
      const start = this.CONSUME(k.except).startOffset;
      const operand = this.SUBRULE(this.selector);
      return { kind: 'except', operand, start, end: this.end() };
    },
    inner,
  );

  protected readonly count: ParserMethod<[], tree.DeviceItemNode> = this.RULE<() => tree.DeviceItemNode>(
    'count',
    () => {
      const start = this.CONSUME(k.count).startOffset;
      const min = this.CONSUME(roles.Amount);
      const max = this.OPTION(() => {
        this.CONSUME(t.Range);
        return this.CONSUME2(roles.Amount);
      });
      return { kind: 'count', min, max, start, end: this.end() };
    },
    inner,
  );

  protected readonly dma: ParserMethod<[], tree.DeviceItemNode> = this.RULE<() => tree.DeviceItemNode>(
    'dma',
    () => {
      const start = this.CONSUME(k.dma).startOffset;
      this.CONSUME(k.none);
      const reason = this.CONSUME(roles.Reason);
      return { kind: 'dma', reason, start, end: this.end() };
    },
    inner,
  );

  protected readonly selector: ParserMethod<[], tree.SelectorNode> = this.RULE<() => tree.SelectorNode>(
    'selector',
    () => {
      const first = this.SUBRULE(this.single);
      const operands = [first];
      this.MANY(() => {
        this.CONSUME(k.or);
        operands.push(this.SUBRULE2(this.single));
      });
      if (operands.length === 1) return first;
      return { kind: 'or', operands, start: first.start, end: this.end() };
    },
    inner,
  );

  protected readonly single: ParserMethod<[], tree.SelectorNode> = this.RULE<() => tree.SelectorNode>(
    'single',
    () =>
      this.OR<tree.SelectorNode>([
        { ALT: () => this.SUBRULE(this.property) },
        { ALT: () => this.SUBRULE(this.holding) },
        { ALT: () => this.SUBRULE(this.named) },
        { ALT: () => this.SUBRULE(this.virtualFunctions) },
        { ALT: () => this.SUBRULE(this.inGroup) },
        { ALT: () => this.SUBRULE(this.not) },
        { ALT: () => this.SUBRULE(this.all) },
      ]),
    inner,
  );

  protected readonly property: ParserMethod<[], tree.SelectorNode> = this.RULE<() => tree.SelectorNode>(
    'property',
    () => {
      const key = this.CONSUME(t.PropertyWord);
      const value = this.CONSUME(roles.Property);
      return { kind: 'property', key, value, start: key.startOffset, end: this.end() };
    },
    inner,
  );

  protected readonly holding: ParserMethod<[], tree.SelectorNode> = this.RULE<() => tree.SelectorNode>(
    'holding',
    () => {
      const start = this.CONSUME(k.holding).startOffset;
      const what = this.SUBRULE(this.holdings);
      return { kind: 'holding', what, start, end: this.end() };
    },
    inner,
  );

  protected readonly holdings: ParserMethod<[], tree.Token[]> = this.RULE<() => tree.Token[]>(
    'holdings',
    () => {
      const what = [this.CONSUME(t.HoldingWord)];
      this.MANY(() => {
        this.CONSUME(t.Comma);
        what.push(this.CONSUME2(t.HoldingWord));
      });
      return what;
    },
    inner,
  );

  protected readonly named: ParserMethod<[], tree.SelectorNode> = this.RULE<() => tree.SelectorNode>(
    'named',
    () => {
      const start = this.CONSUME(k.device).startOffset;
      const name = this.CONSUME(roles.DeviceName);
      return { kind: 'named', name, start, end: this.end() };
    },
    inner,
  );

  protected readonly virtualFunctions: ParserMethod<[], tree.VirtualFunctionsNode> = this.RULE<
    () => tree.VirtualFunctionsNode
  >(
    'virtualFunctions',
    () => {
      let last: tree.Token | undefined;
      const start = this.CONSUME(k.virtual).startOffset;
      this.CONSUME(k.functions);
      const first = this.OPTION(() => {
        const from = this.CONSUME(roles.Amount);
        this.OPTION2(() => {
          this.CONSUME(t.Range);
          last = this.CONSUME2(roles.Amount);
        });
        return from;
      });
      this.CONSUME(k.of);
      const of = this.CONSUME(roles.DeviceName);
      return { kind: 'virtual', first, last, of, start, end: this.end() };
    },
    inner,
  );

  protected readonly inGroup: ParserMethod<[], tree.SelectorNode> = this.RULE<() => tree.SelectorNode>(
    'inGroup',
    () => {
      const start = this.CONSUME(k.in).startOffset;
      this.CONSUME(k.group);
      this.CONSUME(k.with);
      const name = this.CONSUME(roles.DeviceName);
      return { kind: 'in-group', name, start, end: this.end() };
    },
    inner,
  );

  protected readonly not: ParserMethod<[], tree.SelectorNode> = this.RULE<() => tree.SelectorNode>(
    'not',
    () => {
      const start = this.CONSUME(k.not).startOffset;
      const operand = this.SUBRULE(this.single);
      return { kind: 'not', operand, start, end: this.end() };
    },
    inner,
  );

  protected readonly all: ParserMethod<[], tree.SelectorNode> = this.RULE<() => tree.SelectorNode>(
    'all',
    () => {
      const operands: tree.SelectorNode[] = [];
      const start = this.CONSUME(t.LParen).startOffset;
      this.AT_LEAST_ONE(() => operands.push(this.SUBRULE(this.selector)));
      this.CONSUME(t.RParen);
      return { kind: 'and', operands, start, end: this.end() };
    },
    inner,
  );

  private readonly restOfDevice = this.rest('restOfDevice', t.restOf.device);
  private readonly unknownInDevice = this.unknown('unknownInDevice', this.restOfDevice);
}
