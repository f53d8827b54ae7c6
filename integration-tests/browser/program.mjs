// Drives Chromium by commands, one JSON object per line: `node program.mjs <chromium> <folder>`. Each window is a browser of its own, with
// a profile in the folder and third-party cookies blocked, as in today's browsers.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium, request } from 'playwright-core';

const [executablePath, folder] = process.argv.slice(2);
const PATIENCE_MS = 20_000;
const BLOCK_THIRD_PARTY_COOKIES = 1;

const windows = new Map();

async function open(name) {
  const profile = join(folder, name);
  mkdirSync(join(profile, 'Default'), { recursive: true });
  const preferences = { profile: { block_third_party_cookies: true, cookie_controls_mode: BLOCK_THIRD_PARTY_COOKIES } };
  writeFileSync(join(profile, 'Default', 'Preferences'), JSON.stringify(preferences));
  const context = await chromium.launchPersistentContext(profile, {
    args: ['--no-sandbox'],
    chromiumSandbox: false,
    executablePath,
    viewport: { width: 1280, height: 900 },
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const sent = [];
  context.on('response', async (response) => {
    const request = response.request();
    const headers = await request.allHeaders().catch(() => ({}));
    sent.push({ url: request.url(), status: response.status(), had_cookies: 'cookie' in headers });
  });
  const [page] = context.pages();
  return { context, page, sent };
}

async function the(name) {
  if (!windows.has(name)) {
    windows.set(name, await open(name));
  }
  return windows.get(name);
}

const by = (page, name) => page.getByRole('button', { name }).or(page.getByRole('link', { name })).first();

const acts = {
  async go({ page }, { url }) {
    const response = await page.goto(url);
    return { status: response?.status() ?? 0, url: page.url() };
  },
  async press({ page }, { name }) {
    await by(page, name).click();
    return { url: page.url() };
  },
  async fill({ page }, { selector, text }) {
    await page.locator(selector).first().fill(text);
    return {};
  },
  // Uses only the Tab key, up to a limit.
  async tab_to({ page }, { selector, text }) {
    for (let tabs = 0; tabs < 100; tabs += 1) {
      await page.keyboard.press('Tab');
      const there = ([selector, text]) =>
        document.activeElement.matches(selector) && document.activeElement.innerText.trim().startsWith(text);
      if (await page.evaluate(there, [selector, text])) {
        return {};
      }
    }
    throw new Error('no Tab leads there');
  },
  async type({ page }, { text }) {
    await page.keyboard.type(text);
    return {};
  },
  async enter({ page }) {
    await page.keyboard.press('Enter');
    return {};
  },
  async overhang({ page }, { width, height }) {
    await page.setViewportSize({ width, height });
    return { pixels: await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth) };
  },
  async arrive({ page }, { at }) {
    await page.waitForURL((url) => url.href.startsWith(at));
    return { url: page.url() };
  },
  async see({ page }, { text }) {
    await page.getByText(text).first().waitFor({ state: 'visible' });
    return {};
  },
  async look({ page }, { path, width, height, dark }) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light' });
    await page.screenshot({ path, fullPage: true, animations: 'disabled' });
    return {};
  },
  async ask({ context }, { url }) {
    // Uses a copy of the cookies: if one server removes the user's cookie, the next request still has it.
    const copy = await request.newContext({ storageState: { cookies: await context.cookies(), origins: [] } });
    try {
      const response = await copy.get(url, { maxRedirects: 0 });
      return { status: response.status(), body: await response.text() };
    } finally {
      await copy.dispose();
    }
  },
  async forget({ context }) {
    await context.clearCookies();
    return {};
  },
  async sent({ sent }, { part }) {
    return { requests: sent.filter(({ url }) => url.includes(part)) };
  },
};

const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);

for await (const line of createInterface({ input: process.stdin })) {
  const { act, window, ...what } = JSON.parse(line);
  try {
    say({ ok: await acts[act](await the(window), what) });
  } catch (error) {
    const at = windows.get(window)?.page.url() ?? 'no page';
    say({ failed: `${act} ${JSON.stringify(what)} in ${window}, at ${at}: ${error.message}` });
  }
}
await Promise.all([...windows.values()].map(({ context }) => context.close()));
