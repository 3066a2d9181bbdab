import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';

/** What a process of its own prints that has the world as `processIo` gives it. */
function program(code: string): readonly string[] {
  const source = new URL('../../../runtime/cli/process-io.ts', import.meta.url);
  const begin = `const { processIo } = await import(${JSON.stringify(source.href)}); const io = processIo(new URL('file:///'));`;
  return ['--import', 'tsx', '--input-type=module', '-e', `${begin} ${code}`];
}

test('work that must be whole is not ended by Ctrl-C, by kill, or by a session that is lost', () => {
  const signals = "for (const s of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) process.kill(process.pid, s);";
  const code = `io.stdout.write(io.uninterrupted(() => { ${signals} return 'whole'; }));`;
  expect(execFileSync(process.execPath, program(code), { encoding: 'utf8' })).toBe('whole');
});

test('a lost session does not end what waits for a person, and who asks it to end is heard', async () => {
  const code =
    "io.attended(async (person) => { io.stdout.write('waiting'); const said = await person.answer(60_000); io.stdout.write(said); return await person.answer(10); }).then((last) => io.stdout.write(last));";
  const child = spawn(process.execPath, program(code));
  let out = '';
  child.stdout.on('data', (bytes) => {
    out += String(bytes);
  });
  await once(child.stdout, 'data');
  child.kill('SIGHUP');
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(child.exitCode).toBeNull();
  child.kill('SIGTERM');
  expect(await once(child, 'close')).toEqual([0, null]);
  expect(out).toBe('waitingendnothing');
});

test('a signal ends the process again when the work is done', async () => {
  const child = spawn(
    process.execPath,
    program("io.uninterrupted(() => {}); io.stdout.write('done'); setInterval(() => {}, 1000);"),
  );
  await once(child.stdout, 'data');
  child.kill('SIGHUP');
  expect(await once(child, 'exit')).toEqual([null, 'SIGHUP']);
});

test('a reader that went away does not turn a failure into a success', async () => {
  const late =
    "setTimeout(() => { io.stdout.write('more'); setTimeout(() => { process.exitCode = 3; }, 300); }, 300);";
  const child = spawn(process.execPath, program(`io.stdout.write('first'); ${late}`));
  await once(child.stdout, 'data');
  child.stdout.destroy();
  expect((await once(child, 'exit'))[0]).toBe(3);
});
