// Tests the READMEs as HACS shows them: it makes addresses absolute (`src/tools/markdown.ts` of its
// frontend), and Home Assistant's `ha-markdown` converts the text to HTML with marked and sanitizes it
// with js-xss (`src/resources/markdown-worker.ts`). package.json has the same versions as HACS.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { marked } from "marked";
import xss from "xss";

const ROOT = new URL("../../", import.meta.url);
const read = (path) => readFileSync(new URL(path, ROOT), "utf8");

const REPOSITORY = "tunnel-hub/tunnel-hub";
const VERSION = `v${JSON.parse(read("custom_components/tunnel_hub/manifest.json")).version}`;
const RAW = `https://raw.githubusercontent.com/${REPOSITORY}/${VERSION}/`;
const BLOB = `https://github.com/${REPOSITORY}/blob/${VERSION}/`;
const MY = "https://my.home-assistant.io/redirect/";

const isDocument = (text) => /\.(md|markdown)/i.test(text);

const GITHUB = "https://github.com/";
/** A link or image with a relative address, unless an absolute one follows in the same line. */
const RELATIVE = /\[.*?\]\((?!#|.+?:\/\/).+?\)/g;
const OF_A_PAGE = /\[.*\]\(#.*\)/g;
const ISSUE = /(?:\w[\w-.]+\/\w[\w-.]+|\B)#[1-9]\d*\b/g;

/** Return a README with absolute addresses of documents and other files. */
const completed = (text) =>
  text
    .replace(/https:\/\/github\.com\/(\S+?\/\S+?)\/blob\/(\S+)/g, (url, name, path) =>
      isDocument(url) ? url : `https://raw.githubusercontent.com/${name}/${path}`,
    )
    .replace(RELATIVE, (link) => link.replace(/\(\/?/, `(${isDocument(link) ? BLOB : RAW}`))
    .replace(OF_A_PAGE, (link) => link.replace("(#", "(/hacs/repository/1#"))
    .replace(ISSUE, (issue) => {
      const [name, number] = issue.split("#");
      return `[${issue}](${GITHUB}${name || REPOSITORY}/issues/${number})`;
    });

const ALLOWED = {
  ...xss.getDefaultWhiteList(),
  input: ["type", "disabled", "checked"],
  "ha-icon": ["icon"],
  "ha-svg-icon": ["path"],
  "ha-alert": ["alert-type", "title"],
};
const sanitized = (html) => xss.filterXSS(html, { whiteList: ALLOWED });

/** Return the HTML of a README, without comments and languages of code, which may be lost. */
const html = (text) =>
  marked(completed(text), { breaks: false, gfm: true })
    .replace(/<!--.*?-->/gs, "")
    .replace(/<code class="language-\w+">/g, "<code>");

const addresses = (page, attribute) =>
  [...page.matchAll(new RegExp(`<[^>]* ${attribute}="([^"]*)"`, "g"))].map(([, address]) =>
    address.replaceAll("&amp;", "&"),
  );

/** Return wrong addresses, and whether HACS removes content. */
const faults = (text) => {
  const whole = html(text);
  const all = [...addresses(whole, "src"), ...addresses(whole, "href")];
  const ours = all.map((address) => address.replace(RAW, BLOB)).filter((address) => address.startsWith(BLOB));
  return [
    ...all.filter((address) => !address.startsWith("https://")),
    ...ours
      .map((address) => address.replace(BLOB, "").replace(/#.*/, ""))
      .filter((path) => !existsSync(new URL(path, ROOT))),
    ...(sanitized(whole) === whole ? [] : ["content is removed"]),
  ];
};

for (const name of ["README.md", "README.zh-Hans.md"]) {
  test(`HACS shows all of ${name}`, () => {
    assert.deepEqual(faults(read(name)), []);
  });

  test(`${name} starts with links to install and add Tunnel Hub`, () => {
    const start = html(read(name)).split("<h2")[0];
    const links = addresses(start, "href");
    const install = `${MY}hacs_repository/?owner=tunnel-hub&repository=tunnel-hub&category=integration`;
    for (const link of [install, `${MY}config_flow_start/?domain=tunnel_hub`]) {
      assert(links.includes(link), link);
    }
    assert.match(start, /<img src="[^"]+\/docs\/screenshots\/dashboard/);
  });

  test(`The logo of ${name} supports dark mode`, () => {
    const [logo] = addresses(html(read(name)), "src");
    assert(logo.endsWith(".svg"), logo);
    assert.match(read(logo.replace(RAW, "")), /@media \(prefers-color-scheme: dark\)/);
  });
}

for (const [what, text, fault] of [
  ["a picture element", '<picture><img src="https://a.example/b.png"></picture>', "content is removed"],
  ["a centered paragraph", '<p align="center">Tunnel Hub</p>', "content is removed"],
  ["a relative image in HTML", '<img src="docs/brand/logo.svg">', "docs/brand/logo.svg"],
  ["a relative link before another", "[a](docs) [b](https://b.example)", "docs"],
  ["a relative link after another", "[b](https://b.example) [a](docs)", "docs"],
  ["a link to a heading", "[a](#b)", "/hacs/repository/1#b"],
  ["a missing image", "![a](docs/nothing.png)", "docs/nothing.png"],
]) {
  test(`${what} is reported`, () => {
    assert(faults(text).includes(fault), String(faults(text)));
  });
}
