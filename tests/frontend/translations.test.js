// Tests punctuation in the user's language.

import assert from "node:assert/strict";
import { test } from "node:test";
import { labeled, listed } from "../../custom_components/tunnel_hub/frontend/translations.js";

for (const [language, pair, list] of [
  ["en", "State: Online", "a, b"],
  ["zh-Hans", "State：Online", "a、b"],
]) {
  test(`punctuation in ${language}`, () => {
    const hass = { locale: { language } };
    assert.equal(labeled(hass, "State", "Online"), pair);
    assert.equal(labeled(hass, "", "Online"), "Online");
    assert.equal(listed(hass, ["a", "", undefined, "b"]), list);
  });
}
