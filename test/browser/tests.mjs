// What the editor must do, each on a fresh page that shows the first example.
import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict';
import { kernelInBoth } from './kernel.mjs';

/** Waits until the editor has judged the text: sound or refused. */
async function judged(page, verdict) {
  await page.locator('#verdict', { hasText: verdict }).waitFor();
}

function problem(page, code) {
  return page.locator(`#problem-list li[data-code="${code}"]`).first();
}

async function typeAtEnd(page, text) {
  await page.locator('.view-lines').click();
  await page.keyboard.press('Control+End');
  await page.keyboard.type(text);
}

/** Puts another word in place of one that the text shows once in a line, as a person does: double click, type. */
async function replaceWord(page, line, word, by) {
  const spans = page.locator('.view-line', { hasText: line }).locator('span span');
  await spans
    .filter({ hasText: new RegExp(`^\\s*${word}\\s*$`) })
    .first()
    .dblclick();
  await page.keyboard.type(by);
}

/** Waits for a line with this very text, white space included. */
function line(page, text) {
  const shows = (wanted) =>
    [...document.querySelectorAll('.view-line')].some(
      ({ textContent }) => textContent.replaceAll('\u00a0', ' ') === wanted,
    );
  return page.waitForFunction(shows, text);
}

const steps = (page) => page.locator('#plan-body .steps > li');
const sentences = (page) => page.locator('#plan-body .sentence').allTextContents();
const machine = (page) => page.getByRole('combobox', { name: 'Machine snapshot' });
const policy = (page) => page.getByRole('combobox', { name: 'Example policy' });

export const tests = [
  {
    name: 'shows a sound policy with its numbered plan and the undo of each step',
    async run(page) {
      await judged(page, 'Sound');
      const count = await steps(page).count();
      ok(count > 2, `${count} steps`);
      strictEqual(await page.locator('#plan-body .undo').count(), count);
      strictEqual(await page.locator('#problem-list .severity.error').count(), 0);
    },
  },
  {
    name: 'marks a broken statement while it is typed, and forgets it when it is mended',
    async run(page) {
      await judged(page, 'Sound');
      await typeAtEnd(page, '\npolicy more on edge-01 { forbid unsafe ');
      await problem(page, 'VP1004').waitFor();
      await page.locator('.squiggly-error').first().waitFor();
      await judged(page, 'Refused');
      strictEqual(await steps(page).count(), 0);
      // Typing the brace goes over the one that the editor may have closed by itself.
      await page.keyboard.type('interrupts }');
      await problem(page, 'VP1004').waitFor({ state: 'detached' });
      await judged(page, 'Sound');
      strictEqual(await page.locator('.squiggly-error').count(), 0);
      ok((await steps(page).count()) > 2);
    },
  },
  {
    name: 'changes the plan beside the text with the text',
    async run(page) {
      await judged(page, 'Sound');
      const before = await sentences(page);
      ok(
        before.some((sentence) => sentence.includes('user dpdk')),
        before.join('; '),
      );
      await replaceWord(page, 'allow user dpdk', 'user', 'group');
      await page.locator('#plan-body .access', { hasText: 'group dpdk' }).waitFor();
      await judged(page, 'Sound');
      const after = await sentences(page);
      ok(!after.some((sentence) => sentence.includes('user dpdk')), after.join('; '));
      ok(
        after.some((sentence) => sentence.includes('group dpdk')),
        after.join('; '),
      );
    },
  },
  {
    name: 'judges the same policy anew for another machine',
    async run(page) {
      await judged(page, 'Sound');
      const own = await machine(page).inputValue();
      await machine(page).selectOption('02-gpu-for-a-vm/machine.json');
      await judged(page, 'Refused');
      strictEqual(await steps(page).count(), 0);
      ok((await page.locator('#problem-list li').count()) > 0);
      await machine(page).selectOption(own);
      await judged(page, 'Sound');
      ok((await steps(page).count()) > 2);
    },
  },
  {
    name: 'takes another example with its own machine',
    async run(page) {
      await judged(page, 'Sound');
      await policy(page).selectOption('02-gpu-for-a-vm/policy.vfio');
      await page.locator('#plan-body article[data-host="desk-07"]').waitFor();
      await judged(page, 'Sound');
      strictEqual(await machine(page).inputValue(), '02-gpu-for-a-vm/machine.json');
      await policy(page).selectOption('04-shared-group-on-a-server/onboard.vfio');
      await judged(page, 'Refused');
    },
  },
  {
    name: 'mends a misspelt keyword by its quick fix',
    async run(page) {
      await judged(page, 'Sound');
      await replaceWord(page, 'bind  fastpath', 'bind', 'bnd');
      await problem(page, 'VP1005').locator('button').click();
      await page.keyboard.press('Control+.');
      await page.getByText('write `bind`').first().waitFor();
      await page.keyboard.press('Enter');
      await problem(page, 'VP1005').waitFor({ state: 'detached' });
      await judged(page, 'Sound');
    },
  },
  {
    name: 'formats the document, by its button and by its key, and leaves what is broken',
    async run(page) {
      await judged(page, 'Sound');
      const broken = 'policy   less { bind   x }';
      const wrong = 'policy   more{forbid unsafe    interrupts}# why';
      const right = 'policy more { forbid unsafe interrupts }  # why';
      await typeAtEnd(page, `\n${broken}\n${wrong}`);
      await line(page, wrong);
      await page.getByRole('button', { name: 'Format' }).click();
      await line(page, right);
      await line(page, broken);
      await replaceWord(page, right, 'unsafe', '  unsafe');
      await line(page, 'policy more { forbid   unsafe interrupts }  # why');
      await page.keyboard.press('Control+Shift+I');
      await line(page, right);
      await line(page, broken);
    },
  },
  {
    name: 'completes with the names of the policies and the addresses of the machine',
    async run(page) {
      await judged(page, 'Sound');
      await typeAtEnd(page, '\npolicy more on edge-01 { bind ');
      await page.locator('.suggest-widget .monaco-list-row', { hasText: 'fastpath' }).first().waitFor();
      await page.keyboard.press('Enter');
      await page.locator('.view-line', { hasText: 'bind fastpath' }).first().waitFor();
      await page.keyboard.press('Escape');
      await page.keyboard.type(' to vfio-pci }\ndevice other on edge-01 { at ');
      await page.locator('.suggest-widget .monaco-list-row', { hasText: '0000:00:03.0' }).first().waitFor();
    },
  },
  {
    name: 'says what a device is on the machine, beside its name and when it is pointed at',
    async run(page) {
      await judged(page, 'Sound');
      await page.locator('.view-line', { hasText: '0000:00:03.0, no group' }).first().waitFor();
      await page.locator('.view-line', { hasText: '/dev/vfio/noiommu-' }).first().waitFor();
      const spans = page.locator('.view-line', { hasText: 'bind  fastpath' }).locator('span span');
      await spans
        .filter({ hasText: /fastpath/ })
        .first()
        .hover();
      await page.locator('.monaco-hover', { hasText: '8086:10d3' }).first().waitFor();
    },
  },
  {
    name: 'renames a device in all its places',
    async run(page) {
      await judged(page, 'Sound');
      const spans = page.locator('.view-line', { hasText: 'bind  fastpath' }).locator('span span');
      await spans
        .filter({ hasText: /fastpath/ })
        .first()
        .click();
      await page.keyboard.press('F2');
      const box = page.locator('.rename-box.preview input, .rename-box input').first();
      await box.fill('slowpath');
      await box.press('Enter');
      await page.locator('.view-line', { hasText: 'bind  slowpath' }).waitFor();
      strictEqual(await page.locator('.view-line', { hasText: 'fastpath' }).count(), 0);
      await judged(page, 'Sound');
    },
  },
  {
    name: 'says what a keyword means',
    async run(page) {
      await judged(page, 'Sound');
      const spans = page.locator('.view-line', { hasText: 'protect devices' }).locator('span span');
      await spans.filter({ hasText: /^protect$/ }).hover();
      await page.locator('.monaco-hover', { hasText: 'that no plan may touch' }).first().waitFor();
    },
  },
  {
    name: 'goes to the place of a problem and of a step’s reason',
    async run(page) {
      await judged(page, 'Sound');
      await page.locator('#plan-body .why', { hasText: 'line 21' }).first().click();
      await page.locator('.line-numbers.active-line-number', { hasText: '21' }).waitFor();
      await typeAtEnd(page, '\n;');
      await problem(page, 'VP1001').waitFor();
      await page.locator('.view-line', { hasText: 'expect machine unchanged' }).first().click();
      await problem(page, 'VP1001').locator('button').click();
      await page.locator('.line-numbers.active-line-number', { hasText: '50' }).waitFor();
    },
  },
  {
    name: 'opens a snapshot and a policy from files, and refuses what is no snapshot with a code',
    async run(page) {
      await judged(page, 'Sound');
      const text = '{"format": "vfioplan.snapshot", "version": 99';
      const file = page.locator('#file');
      await file.setInputFiles({
        name: 'broken.json',
        mimeType: 'application/json',
        buffer: Buffer.from(text),
      });
      await judged(page, 'Refused');
      const codes = await page.locator('#problem-list code').allTextContents();
      ok(codes.length > 0 && codes.every((code) => /^VP3/.test(code)), codes.join(' '));
      const buffer = Buffer.from('host edge-01 { iommu any }\n');
      await machine(page).selectOption('01-nic-without-iommu/machine.json');
      await file.setInputFiles({ name: 'mine.vfio', mimeType: 'text/plain', buffer });
      await page.locator('.view-line', { hasText: 'iommu any' }).waitFor();
      await judged(page, 'Sound: 0 steps');
      strictEqual(await policy(page).inputValue(), 'mine.vfio');
    },
  },
  {
    name: 'follows a dark colour scheme, and fits a narrow window',
    options: { colorScheme: 'dark', viewport: { width: 420, height: 900 } },
    async run(page) {
      await judged(page, 'Sound');
      const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      const [red = 255] = (background.match(/\d+/g) ?? []).map(Number);
      ok(red < 60, background);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      ok(!wide, 'the page scrolls sideways');
    },
  },
  {
    name: 'keeps up with typing in a policy of 5,500 lines',
    async run(page) {
      await judged(page, 'Sound');
      const device = (index) =>
        `device spare-${index} on edge-01 {\n  at 0000:00:03.0\n  id 8086:10d3\n\n}\n`;
      const text = Array.from({ length: 1100 }, (_, index) => device(index)).join('');
      const buffer = Buffer.from(`host edge-01 { iommu any }\n${text}`);
      await page.locator('#file').setInputFiles({ name: 'long.vfio', mimeType: 'text/plain', buffer });
      await judged(page, 'Sound: 0 steps');
      await typeAtEnd(page, '\npolicy late { bnd x to y }');
      await problem(page, 'VP1005').waitFor();
      const title = await problem(page, 'VP1005').locator('.place').textContent();
      deepStrictEqual(title, 'line 5503');
    },
  },
  {
    name: 'works from any folder of any static server',
    options: { site: 'static' },
    async run(page) {
      await judged(page, 'Sound');
      ok((await steps(page).count()) > 2);
    },
  },
  {
    name: 'runs the simulated kernel, from the very bundle that Node runs',
    async run(page) {
      const answers = await kernelInBoth(page.context());
      deepStrictEqual(answers.page, answers.node);
      const last = answers.page.at(-1);
      strictEqual(last, 'vfio-pci 0000:00:03.0: Adding kernel taint for vfio-noiommu group on device');
    },
  },
];
