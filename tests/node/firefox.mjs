// Opens each page of a folder in Debian's Firefox without a network; prints as JSON what axe finds and what was asked for.
// node firefox.mjs FOLDER AXE.js WIDTH
import { readFileSync, readdirSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { join } from "node:path";
import puppeteer from "puppeteer-core";

const [folder, axe, width] = process.argv.slice(2);
const source = readFileSync(axe, "utf8");
const browser = await puppeteer.launch({ browser: "firefox", executablePath: "/usr/bin/firefox-esr", headless: true });
const page = await browser.newPage();
await page.setViewport({ width: Number(width), height: 800 });
const seen = { pages: [], requests: [], faults: [], too_wide: [] };
page.on("request", (request) => request.url().startsWith("data:") || seen.requests.push(request.url()));
for (const name of readdirSync(folder).sort()) {
  await page.goto(pathToFileURL(join(folder, name)).href);
  seen.pages.push(name);
  await page.evaluate(() => document.querySelectorAll("details").forEach((each) => (each.open = true)));
  await page.evaluate(source);
  const found = await page.evaluate(() => axe.run(document).then((answer) => answer.violations.map((each) => each.id)));
  seen.faults.push(...found.map((rule) => `${name}: ${rule}`));
  if (await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth))
    seen.too_wide.push(name);
}
// Firefox tells of no request for a file, so it is tried whether it would tell of another one.
const before = seen.requests.length;
await page.goto("http://127.0.0.1:49151/tried").catch(() => {}); // nobody answers there
seen.tried = seen.requests.splice(before);
await browser.close();
console.log(JSON.stringify(seen));
