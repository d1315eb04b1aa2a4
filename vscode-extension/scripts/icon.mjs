// Draws media/icon.png from media/icon.svg with Chromium.
import fs from 'node:fs';
import { chromium } from 'playwright-core';
import { program } from './setup-vscode.mjs';

const media = new URL('../media/', import.meta.url);
const browser = await chromium.launch({ executablePath: program('chromium', 'google-chrome'), args: ['--no-sandbox'] });
const page = await browser.newPage({ viewport: { width: 256, height: 256 } });
await page.setContent(`<body style="margin:0">${fs.readFileSync(new URL('icon.svg', media), 'utf8')}</body>`);
await page.screenshot({ path: new URL('icon.png', media).pathname, omitBackground: true });
await browser.close();
