// What the editor must do, each on a fresh page that shows the first example.
import { ok, strictEqual } from 'node:assert/strict';

/** Waits until the editor has judged the text: sound or refused. */
async function judged(page, verdict) {
  await page.locator('#verdict', { hasText: verdict }).waitFor();
}

function problem(page, code) {
  return page.locator(`#problem-list li[data-code="${code}"]`);
}

async function typeAtEnd(page, text) {
  await page.locator('.view-lines').click();
  await page.keyboard.press('Control+End');
  await page.keyboard.type(text);
}

const steps = (page) => page.locator('#plan-body .steps > li');

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
      await page.keyboard.type('interrupts');
      await problem(page, 'VP1004').waitFor({ state: 'detached' });
      await judged(page, 'Sound');
      strictEqual(await page.locator('.squiggly-error').count(), 0);
      ok((await steps(page).count()) > 2);
    },
  },
];
