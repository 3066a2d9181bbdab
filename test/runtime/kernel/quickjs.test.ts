import { describe, expect, it } from 'vitest';
import { SandboxFailure } from '../../../runtime/kernel/failure.ts';
import { frame } from '../../../runtime/kernel/frame.ts';
import { defaultLimits, Script } from '../../../runtime/kernel/quickjs.ts';

const limits = { ...defaultLimits, memoryLimitBytes: 80 * 1024 * 1024 };

async function failureOf(body: string, deadlineMs: number): Promise<SandboxFailure> {
  const small = { ...limits, deadlineMs, memoryLimitBytes: 20 * 1024 * 1024 };
  const script = await Script.start(`globalThis.enter = () => { ${body} }`, small);
  let first: unknown;
  try {
    script.enter();
  } catch (error) {
    first = error;
  }
  expect(first).toBeInstanceOf(SandboxFailure);
  expect(() => script.enter(), 'the sandbox stays shut').toThrow(first as SandboxFailure);
  return first as SandboxFailure;
}

describe('a script in QuickJS', () => {
  it('answers through the frame, also after its memory has grown', async () => {
    const script = await Script.start(
      `const view = new DataView(frame); const kept = [];
       globalThis.enter = () => {
         const n = view.getUint32(0, true);
         kept.push(new ArrayBuffer(n));
         view.setUint32(48, n + 1, true);
       };`,
      limits,
    );
    for (const n of [1, 5_000_000, 20_000_000, 30_000_000]) {
      script.fields().setUint32(frame.number, n, true);
      script.enter();
      expect(script.fields().getUint32(frame.answer, true)).toBe(n + 1);
    }
  });

  it.each([
    ['an endless loop', 'for (;;);', 'deadline'],
    ['an endless loop that catches everything', 'for (;;) { try { for (;;); } catch {} }', 'deadline'],
    ['a slow regular expression', '/(a+)+$/.test("a".repeat(40) + "b")', 'deadline'],
    ['growing arrays', 'const all = []; for (;;) all.push(new Uint8Array(1 << 20));', 'memory'],
    ['growing strings', 'let text = "x"; for (;;) text += text + "y";', 'any'],
    ['recursion', 'const f = (n) => f(n + 1) + 1; f(0);', 'stack'],
    ['recursion through a getter', 'const o = { get x() { return this.x; } }; o.x;', 'stack'],
    ['nested JSON', 'JSON.parse("[".repeat(200000));', 'any'],
    ['nested evaluation', 'const f = (n) => eval("f(n + 1)"); f(0);', 'stack'],
    ['nested patterns', 'new RegExp("(".repeat(100000) + ")".repeat(100000));', 'any'],
    ['a thrown value', 'throw { message: 1 };', 'exception'],
    ['a thrown null', 'throw null;', 'any'],
  ])('turns %s into a typed failure', async (_, body, cause) => {
    const failure = await failureOf(body, cause === 'deadline' ? 300 : limits.deadlineMs);
    if (cause !== 'any') expect(failure.failure, failure.message).toBe(cause);
  });

  describe('that begins', () => {
    const text = `let kept; let calls = 0; const view = new DataView(frame); const big = [];
      globalThis.begin = ({ words }) => { kept = words.length; };
      globalThis.enter = (text) => {
        calls += 1;
        if (text !== undefined) big.push(new ArrayBuffer(Number(text)));
        view.setUint32(48, kept * 100 + calls, true);
      };`;
    const started = (words: string, changes: Partial<typeof limits> = {}): Promise<Script> =>
      Script.start(text, { ...limits, ...changes }, { words });
    const answer = (script: Script, argument?: string): number => {
      script.enter(argument);
      return script.fields().getUint32(frame.answer, true);
    };

    it('is one of its own each time, with its own texts', async () => {
      const [first, second] = [await started('a'), await started('abc')];
      expect([answer(first), answer(first), answer(second), answer(first)]).toEqual([101, 102, 301, 103]);
      expect(answer(await started(''))).toBe(1);
    });

    it('has its own limits, whoever began first', async () => {
      const [wide, narrow] = [await started('a'), await started('b', { memoryLimitBytes: 20 << 20 })];
      expect(answer(wide, `${40 << 20}`)).toBe(101);
      expect(() => narrow.enter(`${40 << 20}`)).toThrow('more than 20971520 bytes of memory');
      expect(answer(await started('c'), `${40 << 20}`)).toBe(101);
    });

    it('goes on from no other script', async () => {
      await started('a');
      const other = text.replace('* 100', '* 1000');
      expect(answer(await Script.start(other, limits, { words: 'a' }))).toBe(1001);
      expect(answer(await started('a'))).toBe(101);
    });

    it('is not begun from one that failed while it was evaluated', async () => {
      const failing = `${text} if (globalThis.never === undefined) throw new Error('not today');`;
      await expect(Script.start(failing, limits, { words: '' })).rejects.toThrow('not today');
      await expect(Script.start(failing, limits, { words: '' })).rejects.toThrow('not today');
    });
  });

  it('has no clock, no chance and no way out', async () => {
    const script = await Script.start(
      `const names = ['Date', 'console', 'setTimeout', 'fetch', 'process', 'require', 'performance', 'crypto'];
       const found = names.filter((name) => name in globalThis);
       if ('random' in Math) found.push('Math.random');
       globalThis.enter = () => new DataView(frame).setUint32(48, found.length, true);`,
      limits,
    );
    script.enter();
    expect(script.fields().getUint32(frame.answer, true)).toBe(0);
  });

  it('has the arithmetic of addresses right', async () => {
    const sums = [
      'BigInt.asUintN(64, 0xfffffffffffff000n) === 0xfffffffffffff000n',
      'BigInt.asUintN(64, -1n) === 0xffffffffffffffffn',
      'BigInt.asUintN(32, 0xfffffffffffff000n) === 0xfffff000n',
      'BigInt.asIntN(64, 0xfffffffffffff000n) === -0x1000n',
      '0xfffffffffffff000n + 0x1000n === 1n << 64n',
      '(0xfffffffffffff000n & 0xfffn) === 0n',
    ];
    const script = await Script.start(
      `const wrong = [${sums.join(', ')}].indexOf(false);
       globalThis.enter = () => new DataView(frame).setInt32(48, wrong, true);`,
      limits,
    );
    script.enter();
    expect(sums[script.fields().getInt32(frame.answer, true)]).toBeUndefined();
  });

  it('fails typed when the text does not compile', async () => {
    await expect(Script.start('function (', limits)).rejects.toThrow(SandboxFailure);
  });
});
