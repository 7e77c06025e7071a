/** Assertions that wait for what they assert, on playwright-core alone. */

import type { Locator, Page } from 'playwright-core';

export type { Locator, Page };

const LIMIT_MS = 60_000;
const PAUSE_MS = 50;

interface Waiting {
  toBeVisible(): Promise<void>;
  toContainText(text: string | RegExp): Promise<void>;
  toHaveClass(pattern: RegExp): Promise<void>;
  readonly not: { toHaveClass(pattern: RegExp): Promise<void>; toBeVisible(): Promise<void> };
}

async function until(what: string, holds: () => Promise<boolean>, seen: () => Promise<unknown>): Promise<void> {
  const end = Date.now() + LIMIT_MS;
  while (!(await holds().catch(() => false))) {
    if (Date.now() > end) throw new Error(`${what}; there is ${JSON.stringify(await seen().catch(() => 'nothing'))}`);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

export function expect(locator: Locator): Waiting {
  const first = locator.first();
  const name = locator.toString();
  const text = async (): Promise<string> => (await first.textContent({ timeout: 1000 })) ?? '';
  const classes = async (): Promise<string> => (await first.getAttribute('class', { timeout: 1000 })) ?? '';
  const matches = (value: string, wanted: string | RegExp): boolean =>
    typeof wanted === 'string' ? value.includes(wanted) : wanted.test(value);
  return {
    toBeVisible: () =>
      until(
        `${name} is not seen`,
        () => first.isVisible(),
        () => locator.count(),
      ),
    toContainText: (wanted) => until(`${name} does not say ${String(wanted)}`, async () => matches(await text(), wanted), text),
    toHaveClass: (pattern) =>
      until(`${name} has no class ${String(pattern)}`, async () => pattern.test(await classes()), classes),
    not: {
      toHaveClass: (pattern) =>
        until(`${name} has a class ${String(pattern)}`, async () => !pattern.test(await classes()), classes),
      toBeVisible: () => until(`${name} is seen`, async () => !(await first.isVisible()), text),
    },
  };
}
