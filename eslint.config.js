// What the modules of the frontend may use: the syntax, functions and properties that every browser
// has which Home Assistant serves. Home Assistant builds its legacy frontend for the browsers in
// package.json (its own `.browserslistrc`), translates its own code for them and adds functions as far
// as it uses them itself. It imports our modules as they are. The oldest of these browsers, of the
// winter of 2019, lack `?.` and `??` and soon leave the list.

import bcd from "@mdn/browser-compat-data" with { type: "json" };
import browserslist from "browserslist";
import compat from "eslint-plugin-compat";

const NAMES = { ios_saf: "safari_ios", samsung: "samsunginternet_android" };

/** The oldest version of each browser, as the compatibility data names it. */
const oldest = new Map();
for (const browser of browserslist()) {
  const [id, versions] = browser.split(" ");
  const version = Number.parseFloat(versions);
  const name = NAMES[id] ?? id;
  if (version && name in bcd.browsers) {
    oldest.set(name, Math.min(version, oldest.get(name) ?? version));
  }
}

const isOld = ({ support }) =>
  [...oldest].every(([browser, version]) => {
    const ranges = [support[browser] ?? []].flat().filter(({ flags }) => !flags);
    return (
      ranges.some(({ version_removed }) => !version_removed) &&
      ranges.some(
        ({ version_added, version_removed }) =>
          Number.parseFloat(String(version_added).replace("≤", "")) <= version &&
          !(Number.parseFloat(version_removed) <= version),
      )
    );
  });

/**
 * Whether some interface has had a property for long, by the property's name.
 *
 * @param {...object} groups
 */
const read = (...groups) => {
  const known = new Map();
  for (const [name, member] of groups.flatMap(Object.entries)) {
    if (member.__compat) known.set(name, known.get(name) || isOld(member.__compat));
  }
  return known;
};
// Brought by Home Assistant, whose own pages need it.
const { RelativeTimeFormat, ...intl } = bcd.javascript.builtins.Intl;
const builtins = { ...bcd.javascript.builtins, Intl: intl };
const globals = { ...bcd.api, ...builtins };
const methods = read(...[bcd.api, builtins, intl].flatMap(Object.values));
const { Document, Element, HTMLElement, Node, SVGElement, ShadowRoot, Window } = bcd.api;
const properties = read(Document, Element, HTMLElement, Node, SVGElement, ShadowRoot, Window);

/** What is known of `Interface.member` and `new Interface()`; undefined if the name is not one. */
const ofInterface = (name, member) =>
  (globals[name]?.[`${member}_static`] ?? globals[name]?.[member])?.__compat;

// Our own data has names too, so other interfaces' properties are looked for only where they are called.
const newMembers = {
  create: (context) => {
    const check = (node, name, old) => {
      if (old === false) {
        const message = `"${name}" is missing in a browser that Home Assistant serves`;
        context.report({ node, message });
      }
    };
    return {
      MemberExpression({ computed, object, parent, property: { name } }) {
        if (computed) return;
        const exact = ofInterface(object.name, name);
        const names = parent.type === "CallExpression" && parent.callee.object === object ? methods : properties;
        check(parent, name, exact ? isOld(exact) : names.get(name));
      },
      NewExpression({ callee }) {
        const exact = ofInterface(callee.name, callee.name) ?? intl[callee.property?.name]?.__compat;
        check(callee, callee.name ?? callee.property?.name, exact && isOld(exact));
      },
    };
  },
};

export default [
  {
    files: ["custom_components/tunnel_hub/frontend/*.js"],
    languageOptions: { ecmaVersion: 2020, sourceType: "module" },
    plugins: { compat, ours: { rules: { "new-members": newMembers } } },
    settings: { polyfills: ["Intl.RelativeTimeFormat"] },
    rules: { "compat/compat": "error", "ours/new-members": "error" },
  },
];
