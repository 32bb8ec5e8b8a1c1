import assert from "node:assert/strict";
import { test } from "node:test";

import { ESLint } from "eslint";

const eslint = new ESLint({ cwd: new URL("../..", import.meta.url).pathname });

/** @param {string} code */
const messages = async (code) => {
  const filePath = "custom_components/tunnel_hub/frontend/new.js";
  const [{ messages: found }] = await eslint.lintText(code, { filePath });
  return found.map(({ message }) => message);
};

for (const code of [
  "things.toSorted()",
  "things.at(-1)",
  "Object.groupBy(things, () => 1)",
  "Promise.withResolvers()",
  "URL.parse(address)",
  "name.replaceAll(a, b)",
  "element.replaceChildren()",
  "root.adoptedStyleSheets = []",
  "new CSSStyleSheet()",
  "structuredClone(things)",
  "a ??= b",
  "class A { #secret; }",
  "await a",
]) {
  test(`ESLint rejects ${code}`, async () => {
    assert.notDeepEqual(await messages(code), []);
  });
}

test("ESLint accepts code for every browser", async () => {
  assert.deepEqual(await messages("new URL(JSON.parse(a?.states.toString() ?? b).entry)"), []);
});
