// Types into the built editor, as `vfioplan editor` serves it, in a headless Chromium, and looks at what it shows.
// Ends with `N passed, N failed`.
// CHROMIUM names another browser than Debian's; SCREENSHOTS names a folder to keep pictures in.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { tests } from './tests.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const dist = join(root, 'editor/dist');
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const screenshots = process.env.SCREENSHOTS;

function stop(message) {
  console.error(message);
  console.log('0 passed, 1 failed');
  process.exit(1);
}

if (!existsSync(executablePath)) {
  stop(
    `there is no browser at ${executablePath}: install it (Debian: apt-get install chromium), or name one in CHROMIUM`,
  );
}
const built = existsSync(join(dist, 'index.html')) && existsSync(join(root, 'dist/vfioplan.mjs'));
if (!built) stop('the editor is not built: run `npm run build`');

const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.ttf': 'font/ttf' };

/** A static server as any other, with the page in some folder of it. */
async function staticSite() {
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, 'http://localhost').pathname));
    const file = join(
      dist,
      path.replace(/^\/some\/folder\/$/, '/index.html').replace(/^\/some\/folder\//, '/'),
    );
    if (!path.startsWith('/some/folder/') || !existsSync(file)) return response.writeHead(404).end();
    response.writeHead(200, { 'content-type': types[extname(file)] ?? 'application/octet-stream' });
    response.end(readFileSync(file));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${server.address().port}/some/folder/`, close: () => server.close() };
}

/** `vfioplan editor`, as it is run. */
async function commandSite() {
  const command = spawn(process.execPath, [join(root, 'dist/vfioplan.mjs'), 'editor', '--port', '0'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(command, 'exit').then(([code]) => stop(`vfioplan editor ended with exit code ${code}`));
  const [line] = await Promise.race([once(command.stdout, 'data'), ended]);
  return { url: String(line).trim(), close: () => command.removeAllListeners().kill('SIGINT') };
}

const sites = { command: await commandSite(), static: await staticSite() };

const flags = '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking';
const args = [...flags.split(' '), '--disable-component-update', '--disable-sync'];
const browser = await chromium.launch({ executablePath, headless: true, args });

/** A page of its own, and what went wrong in it: errors, and requests that leave the machine. */
async function open({ site = 'command', ...options } = {}) {
  const { url } = sites[site];
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 }, ...options });
  const page = await context.newPage();
  const wrong = [];
  page.on('pageerror', (error) => wrong.push(`error: ${error.message}`));
  page.on('console', (message) => message.type() === 'error' && wrong.push(`console: ${message.text()}`));
  page.on('request', (request) => {
    if (!/^(?:data|blob):/.test(request.url()) && !request.url().startsWith(url)) wrong.push(request.url());
  });
  page.setDefaultTimeout(15_000);
  await page.goto(`${url}?today=2026-11-22`);
  return { page, wrong, close: () => context.close() };
}

const count = { passed: 0, failed: 0 };
for (const { name, run, options } of tests) {
  const started = Date.now();
  let failure;
  const { page, wrong, close } = await open(options);
  try {
    await run(page);
    if (wrong.length > 0) failure = wrong.join('\n');
  } catch (error) {
    failure = [error.message, ...wrong].join('\n');
  }
  if (screenshots) {
    mkdirSync(screenshots, { recursive: true });
    await page.screenshot({ path: join(screenshots, `${name.replace(/\W+/g, '-')}.png`) });
  }
  await close();
  count[failure === undefined ? 'passed' : 'failed'] += 1;
  console.log(`${failure === undefined ? 'ok  ' : 'FAIL'} ${name} (${Date.now() - started} ms)`);
  if (failure !== undefined) console.log(failure.replace(/^/gm, '     '));
}
await browser.close();
for (const site of Object.values(sites)) site.close();
console.log(`${count.passed} passed, ${count.failed} failed`);
process.exit(count.failed === 0 ? 0 : 1);
