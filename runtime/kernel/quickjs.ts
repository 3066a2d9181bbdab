/**
 * One script in one QuickJS, behind three limits: memory, stack and time. The script has no clock, no chance and no
 * I/O; it sees its caller only through the frame.
 *
 * Each script gets a WebAssembly instance of its own, made from a module that is compiled once: whatever goes wrong in
 * one cannot reach another, and ending one is to forget it (a QuickJS runtime that was interrupted or ran out of
 * stack cannot be relied upon to tear itself down).
 */
import compileQuickJs from 'guest:quickjs';
import {
  DefaultIntrinsics,
  type JSContextPointer,
  type JSValueConstPointerPointer,
  type JSValuePointer,
  Lifetime,
  newQuickJSWASMModuleFromVariant,
  newVariant,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSRuntime,
  type QuickJSWASMModule,
  RELEASE_SYNC,
} from 'quickjs-emscripten';
import { type FailureCause, SandboxFailure } from './failure.ts';
import { frame } from './frame.ts';

export interface Limits {
  readonly memoryLimitBytes: number;
  /** QuickJS measures its own stack; the host's real one is used up about thirty times as fast. */
  readonly stackLimitBytes: number;
  /** Milliseconds for one call from outside; evaluating the script at first may take `bootTimes` as long. */
  readonly deadlineMs: number;
}

/** Evaluating the kernel takes as long as thousands of calls, and seconds where the processor itself is emulated. */
export const bootTimes = 4;

/**
 * 32 KiB of guest stack is what a Node main thread bears before its own stack ends, whatever the guest does
 * (recursion, deep JSON, nested regular expressions); pages and workers bear 40.
 */
export const defaultLimits: Limits = {
  memoryLimitBytes: 128 * 1024 * 1024,
  stackLimitBytes: 32 * 1024,
  deadlineMs: 10_000,
};

/**
 * Takes chance away, and mends what this QuickJS gets wrong: asUintN(64, …) keeps the sign when the top bit of a word
 * of 32 bits is set.
 */
const prelude = `delete Math.random;
BigInt.asUintN = (bits, value) => value & ((1n << BigInt(bits)) - 1n);`;

/** Sixteen words that stand nowhere else; they are found again to learn where the frame lies. */
const marker = Uint32Array.from({ length: 16 }, (_, index) => Math.imul(0x9e3779b1, index + 0x5bd1));

let compiled: Promise<WebAssembly.Module> | undefined;

/**
 * The memory of an instance whose script was evaluated and has not begun. Instances of one module that have made the same
 * calls are alike byte for byte, so one that has made its runtime and its context goes on from here: that takes a thirtieth
 * of the time that it takes to evaluate the script.
 */
interface Image {
  readonly text: string;
  readonly bytes: Uint8Array;
  /** Where the frame lies. */
  readonly address: number;
  /** Where the context lies: instances that are alike have it at the same place. */
  readonly context: number;
  /** Bytes of the memory, which had not grown. */
  readonly size: number;
}

let latest: Image | undefined;

export class Script {
  private readonly runtime: QuickJSRuntime;
  private readonly context: QuickJSContext;
  private readonly contextAddress: JSContextPointer;
  private readonly memory: WebAssembly.Memory;
  private readonly limits: Limits;
  private readonly ffi: ReturnType<QuickJSWASMModule['getFFI']>;
  private address = 0;
  private entry: ((text: string | null) => QuickJSHandle | null) | null = null;
  private view: DataView = new DataView(new ArrayBuffer(0));
  private area: Uint8Array = new Uint8Array(0);
  private endsAt = 0;
  private allowedMs = 0;
  private failure: SandboxFailure | null = null;

  private constructor(quickJs: QuickJSWASMModule, limits: Limits) {
    this.runtime = quickJs.newRuntime();
    this.limits = limits;
    this.memory = quickJs.getWasmMemory();
    this.ffi = quickJs.getFFI();
    this.runtime.setInterruptHandler(() => Date.now() > this.endsAt);
    this.context = this.runtime.newContext({ intrinsics: { ...DefaultIntrinsics, Date: false } });
    // The package keeps the context's address to itself.
    const kept = this.context as unknown as { readonly ctx: Lifetime<JSContextPointer> };
    this.contextAddress = kept.ctx.value;
    this.limit();
  }

  /**
   * Evaluates `text`. It finds the frame as the global ArrayBuffer `frame`, and leaves a global function `enter` that every
   * call from outside enters. With `boot`, it leaves a function `begin` instead, which gets these texts and then leaves
   * `enter`; a script that begins is evaluated once, however often it is started. Rejects with `SandboxFailure`.
   */
  static async start(text: string, limits: Limits, boot?: Readonly<Record<string, string>>): Promise<Script> {
    compiled ??= compileQuickJs();
    const quickJs = await newQuickJSWASMModuleFromVariant(
      newVariant(RELEASE_SYNC, { wasmModule: await compiled }),
    );
    const script = new Script(quickJs, limits);
    script.load(text, boot);
    return script;
  }

  /** The frame's fixed fields. Valid until the next `enter`. */
  fields(): DataView {
    return this.view;
  }

  /** The bytes behind the fixed fields. Valid until the next `enter`. */
  bytes(): Uint8Array {
    return this.area;
  }

  /**
   * Runs the script's function on what lies in the frame; a short text may come as its argument, which costs the script
   * less than decoding bytes. Throws `SandboxFailure`.
   */
  enter(text: string | null = null): void {
    const { entry } = this;
    if (entry === null) throw this.failed('exception', 'the sandbox is closed');
    this.allow(1);
    let error: QuickJSHandle | null;
    try {
      error = entry(text);
    } catch (thrown) {
      throw this.broken(thrown);
    }
    // The memory moves when it grows, which happens in there alone.
    if (this.memory.buffer !== this.view.buffer) this.look();
    if (error !== null) throw this.diagnose(error);
  }

  /** Ends the script. Every later `enter` throws. */
  stop(): void {
    this.failed('exception', 'the sandbox was disposed');
  }

  private load(text: string, boot: Readonly<Record<string, string>> | undefined): void {
    const { context } = this;
    if (boot === undefined) this.evaluate(text);
    else {
      if (!this.goOnFrom(latest, text)) {
        this.evaluate(text);
        this.keep(text);
      }
      this.give('boot', boot);
      this.guarded(() => context.evalCode('begin(boot)'), bootTimes).dispose();
    }
    this.entry = this.entryOf(context.getProp(context.global, 'enter'));
    this.look();
  }

  private limit(): void {
    this.runtime.setMemoryLimit(this.limits.memoryLimitBytes);
    this.runtime.setMaxStackSize(this.limits.stackLimitBytes);
  }

  /** Whether the memory is that of an instance that has evaluated the script. No handle may have been made before. */
  private goOnFrom(image: Image | undefined, text: string): boolean {
    const { buffer } = this.memory;
    if (image?.text !== text || image.context !== this.contextAddress || image.size !== buffer.byteLength)
      return false;
    new Uint8Array(buffer).set(image.bytes);
    // The other's limits came along.
    this.limit();
    this.address = image.address;
    this.look();
    return true;
  }

  private keep(text: string): void {
    const { buffer } = this.memory;
    const words = new Uint32Array(buffer);
    let end = words.length;
    while (end > 0 && words[end - 1] === 0) end -= 1;
    const bytes = new Uint8Array(buffer, 0, end * 4).slice();
    const { address, contextAddress: context } = this;
    latest = { text, bytes, address, context, size: buffer.byteLength };
  }

  private evaluate(text: string): void {
    const { context } = this;
    const words = new Uint32Array(frame.size / 4);
    words.set(marker);
    const block = context.newArrayBuffer(words.buffer);
    context.setProp(context.global, 'frame', block);
    block.dispose();
    this.guarded(() => context.evalCode(prelude)).dispose();
    this.address = this.findFrame();
    this.look();
    this.guarded(() => context.evalCode(text, 'kernel.js', { type: 'global' }), bootTimes).dispose();
  }

  /**
   * A call of the script's function, as `callFunction` makes it but without an array and a handle for the result: they
   * cost as much as a short system call.
   */
  private entryOf(enter: QuickJSHandle): (text: string | null) => QuickJSHandle | null {
    const { ffi, context, contextAddress: address } = this;
    const [entry, self] = [enter.value, context.undefined.value];
    const list = (this.address + frame.list) as JSValueConstPointerPointer;
    return (text) => {
      const handle = text === null ? null : context.newString(text);
      if (handle !== null) this.put(handle);
      const result = ffi.QTS_Call(address, entry, self, handle === null ? 0 : 1, list);
      handle?.dispose();
      const error = ffi.QTS_ResolveException(address, result);
      ffi.QTS_FreeValuePointer(address, result);
      return error === 0
        ? null
        : new Lifetime<JSValuePointer, JSValuePointer, QuickJSRuntime>(
            error,
            undefined,
            undefined,
            context.runtime,
          );
    };
  }

  /** The text may have made the memory grow. */
  private put(handle: QuickJSHandle): void {
    if (this.memory.buffer !== this.view.buffer) this.look();
    this.view.setUint32(frame.list, handle.value, true);
  }

  private give(name: string, texts: Readonly<Record<string, string>>): void {
    const { context } = this;
    const object = context.newObject();
    for (const [key, text] of Object.entries(texts)) {
      const handle = context.newString(text);
      context.setProp(object, key, handle);
      handle.dispose();
    }
    context.setProp(context.global, name, object);
    object.dispose();
  }

  /** The public interface of quickjs-emscripten shares memory with a script but does not say where it lies. */
  private findFrame(): number {
    const words = new Uint32Array(this.memory.buffer);
    const [first = 0] = marker;
    for (let at = words.indexOf(first); at >= 0; at = words.indexOf(first, at + 1)) {
      if (marker.every((word, index) => words[at + index] === word) && this.isFrame(words, at)) return at * 4;
    }
    throw this.failed('exception', 'the frame was not found in the memory of QuickJS');
  }

  /** Whether the script sees a word that is written at `at`. */
  private isFrame(words: Uint32Array, at: number): boolean {
    words[at] = 0;
    const seen = this.guarded(() => this.context.evalCode('new Uint32Array(frame, 0, 1)[0]'));
    words[at] = marker[0] ?? 0;
    return seen.consume((handle) => this.context.getNumber(handle)) === 0;
  }

  private look(): void {
    const { buffer } = this.memory;
    this.view = new DataView(buffer, this.address, frame.bytes);
    this.area = new Uint8Array(buffer, this.address + frame.bytes, frame.bytesMaximum);
  }

  private guarded(
    run: () =>
      | { readonly error: QuickJSHandle }
      | { readonly value: QuickJSHandle; readonly error?: undefined },
    times = 1,
  ): QuickJSHandle {
    const result = this.within(run, times);
    if (result.error !== undefined) throw this.diagnose(result.error);
    // QuickJS looks at the clock now and then, and a short work ends before it does.
    if (Date.now() > this.endsAt) throw this.late();
    return result.value;
  }

  /** Every way into the script but `enter`'s: within the deadline, and with any failure made a `SandboxFailure`. */
  private within<T>(run: () => T, times = 1): T {
    if (this.failure !== null) throw this.failure;
    this.allow(times);
    try {
      return run();
    } catch (error) {
      throw this.broken(error);
    }
  }

  /** From now on, so many times the deadline. */
  private allow(times: number): void {
    this.allowedMs = times * this.limits.deadlineMs;
    this.endsAt = Date.now() + this.allowedMs;
  }

  /** The host's own stack or the WebAssembly instance gave way: a guest's recursion shows here as a RangeError. */
  private broken(error: unknown): SandboxFailure {
    return this.failed(error instanceof RangeError ? 'stack' : 'exception', String(error));
  }

  private diagnose(error: QuickJSHandle): SandboxFailure {
    // Reading the error runs in the script's engine too.
    this.allow(1);
    let dumped: unknown;
    try {
      dumped = this.context.dump(error);
    } catch (unreadable) {
      return this.failed('exception', String(unreadable));
    }
    const { name, message, stack } = Object(dumped) as { name?: string; message?: string; stack?: string };
    if (name === 'InternalError' && message === 'interrupted') {
      return this.late();
    }
    // QuickJS throws null when there is no memory left for an error.
    if (dumped === null || (name === 'InternalError' && message === 'out of memory')) {
      return this.failed('memory', `more than ${this.limits.memoryLimitBytes} bytes of memory`);
    }
    if (message === 'stack overflow') {
      return this.failed('stack', `more than ${this.limits.stackLimitBytes} bytes of stack`);
    }
    return this.failed(
      'exception',
      `${name ?? 'thrown'}: ${message ?? JSON.stringify(dumped)}\n${stack ?? ''}`,
    );
  }

  private late(): SandboxFailure {
    return this.failed('deadline', `no answer within ${this.allowedMs} ms`);
  }

  /** Forgets the instance, so that nothing can enter it again and its memory is collected with this object. */
  private failed(cause: FailureCause, message: string): SandboxFailure {
    this.failure ??= new SandboxFailure(cause, message);
    this.entry = null;
    return this.failure;
  }
}
