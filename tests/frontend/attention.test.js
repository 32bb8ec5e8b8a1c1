import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { attentionOf } from "../../custom_components/tunnel_hub/frontend/attention.js";
import { loadOf, pathsOf } from "../../custom_components/tunnel_hub/frontend/paths.js";
import { nameBelow, thingsOf } from "../../custom_components/tunnel_hub/frontend/registry.js";
import { home } from "./home.js";

const found = (things) => {
  const hass = home(things);
  return attentionOf(hass, thingsOf(hass));
};
const all = (things) => found(things).flatMap(({ troubles }) => troubles);
const summaryOf = (things) => all(things).map(({ thing, severity }) => `${thing.device.id} ${severity}`);
const in_days = (days) => new Date(Date.now() + days * 86_400_000).toISOString();

const tunnel = (states, more) => ({ kind: "tunnel", states: { "sensor.node_name": "n", ...states }, ...more });
const connectivity = (state) => [state, { device_class: "connectivity" }];

for (const [thing, severity] of [
  [tunnel({ "binary_sensor.online": connectivity("on") }), undefined],
  [tunnel({ "binary_sensor.online": connectivity("off") }), "broken"],
  [tunnel({ "binary_sensor.online": connectivity("on"), "sensor.verdict": "port_closed" }), "broken"],
  [tunnel({ "binary_sensor.online": connectivity("off"), "switch.enabled": "off" }), "waiting"],
  [tunnel({ "binary_sensor.online": connectivity("off"), "switch.force_down": "on" }), "waiting"],
  [tunnel({ "binary_sensor.online": "unavailable" }), undefined],
  [{ kind: "peer", states: { "binary_sensor.connected": connectivity("off") } }, "broken"],
  [
    { kind: "peer", states: { "binary_sensor.connected": connectivity("off"), "switch.enabled": "off" } },
    undefined,
  ],
  [{ kind: "user", states: { "binary_sensor.conflicts": ["on", { device_class: "problem" }] } }, "warning"],
  [{ kind: "relay_node", states: { "sensor.valid_until": in_days(3) } }, "warning"],
  [{ kind: "relay_node", states: { "sensor.valid_until": in_days(-3) } }, "broken"],
  [{ kind: "relay_node", states: { "sensor.valid_until": in_days(30) } }, undefined],
  [{ kind: "relay_node", states: { "sensor.load": "high" } }, "warning"],
  [{ kind: "user", states: { "sensor.traffic_usage": ["95", { unit_of_measurement: "%" }] } }, "warning"],
  [{ kind: "user", states: { "sensor.traffic_usage": ["104", { unit_of_measurement: "%" }] } }, "broken"],
  [{ kind: "account", states: { "sensor.traffic_left": ["4", { unit_of_measurement: "GiB" }] } }, "warning"],
  [{ kind: "account", states: { "sensor.traffic_left": ["0", { unit_of_measurement: "GiB" }] } }, "broken"],
  [{ kind: "account", states: { "sensor.traffic_left": ["50", { unit_of_measurement: "GiB" }] } }, undefined],
  [{ kind: "node", states: { "binary_sensor.online": connectivity("off") } }, undefined],
]) {
  test(`${JSON.stringify(thing)} is ${severity}`, () => {
    assert.deepEqual(summaryOf({ it: thing }), severity ? [`it ${severity}`] : []);
  });
}

for (const [verdict, found] of [
  ["reachable", []],
  ["unknown", ["nas broken", "node broken"]],
  ["no_client", ["nas broken", "node broken"]],
]) {
  test(`a check with ${verdict} overrides the service's offline`, () => {
    const off = connectivity("off");
    const states = {
      "sensor.node_name": ["n", { node_id: "node" }],
      "binary_sensor.online": off,
      "binary_sensor.reachable": verdict === "reachable" ? connectivity("on") : "unknown",
      "sensor.verdict": verdict,
    };
    const things = {
      nas: { kind: "tunnel", states },
      node: { kind: "node", states: { "binary_sensor.online": off, "sensor.load": "low" } },
    };
    assert.deepEqual(summaryOf(things), found);
    const hass = home(things);
    const [path] = pathsOf(hass, thingsOf(hass));
    assert.equal(path.way, found.length ? "down" : "up");
    assert.equal(path.contradiction, found.length ? undefined : "offline");
    assert.equal(loadOf(hass, path).state, found.length ? "off" : "low");
  });
}

test("a check also contradicts a node that is offline", () => {
  const states = {
    "sensor.node_name": ["n", { node_id: "node" }],
    "binary_sensor.online": connectivity("on"),
    "binary_sensor.reachable": connectivity("on"),
    "sensor.verdict": "reachable",
  };
  const hass = home({ nas: { kind: "tunnel", states }, node: { kind: "node", states: { "binary_sensor.online": connectivity("off") } } });
  assert.equal(pathsOf(hass, thingsOf(hass))[0].contradiction, "offline");
});

for (const [states, word, service, entity] of [
  [{ "switch.enabled": "off" }, "enable", "turn_on", "switch.it_enabled"],
  [{ "switch.force_down": "on", "switch.enabled": "off" }, "release", "turn_off", "switch.it_force_down"],
]) {
  test(`the action ${word}`, () => {
    const [{ action }] = all({ it: tunnel(states) });
    assert.deepEqual(action, { word, domain: "switch", service, entity });
  });
}

test("a due sign-in has an action", () => {
  const account = (signed_in) => ({
    kind: "account",
    states: { "binary_sensor.signed_in_today": signed_in, "button.sign_in": "unknown" },
  });
  assert.equal(all({ it: account("off") })[0].action.entity, "button.it_sign_in");
  assert.deepEqual(all({ it: account("on") }), []);
});

test("problems are grouped by account, most severe first", () => {
  const down = { "binary_sensor.online": connectivity("off") };
  const things = {
    mine: { kind: "account", states: { "sensor.points": "1" } },
    busy: { kind: "relay_node", states: { "sensor.load": "high" } },
    off: tunnel({ "switch.enabled": "off" }, { entry: "other" }),
    down: tunnel(down, { entry: "other" }),
  };
  const groups = found(things).map(({ account, troubles }) => [
    account?.device.id,
    troubles.map(({ thing }) => thing.device.id),
  ]);
  assert.deepEqual(groups, [
    [undefined, ["down", "off"]],
    ["mine", ["busy"]],
  ]);
});

test("the service's own time overrides the time of the state change", () => {
  const since = (states) => all({ it: tunnel({ "binary_sensor.online": "off", ...states }) })[0].since;
  const moment = (text) => Date.parse(text);
  assert.deepEqual(since({}), { moment: moment("2026-01-01T12:00:00Z"), isTold: false });
  const last_close = "2026-01-01T07:00:00Z";
  assert.deepEqual(since({ "sensor.last_close": last_close }), { moment: moment(last_close), isTold: true });
});

test("the duration grows linearly with the number of tunnels", () => {
  const costs = [1000, 8000].map((count) => {
    const down = { "binary_sensor.online": connectivity("off"), "sensor.protocol": "tcp", "sensor.client": "c" };
    const hass = home(Object.fromEntries(Array.from({ length: count }, (_, index) => [`t${index}`, tunnel(down)])));
    const things = thingsOf(hass);
    const rounds = Array.from({ length: 5 }, () => {
      const began = performance.now();
      const [{ troubles }] = attentionOf(hass, things);
      assert.equal(troubles.length, count);
      return performance.now() - began;
    });
    return Math.min(...rounds);
  });
  // Quadratic growth would be 64 times.
  assert.ok(costs[1] / costs[0] < 32, `${costs}`);
});

const OF_WORDS = "component.tunnel_hub.common";
for (const [kind, key, state, condition, advice] of [
  ["relay_node", "sensor.valid_until", in_days(-3), `${OF_WORDS}.expired_on`, "ends"],
  ["relay_node", "sensor.valid_until", in_days(3), `${OF_WORDS}.expires_on`, "ends"],
  ["account", "sensor.group_expires", in_days(-3), `sensor.it_group_expires: ${OF_WORDS}.expired_on`, "ends"],
  ["account", "sensor.certificates", in_days(3), `sensor.it_certificates: ${OF_WORDS}.expires_on`, "certificates"],
  ["relay_node", "sensor.load", "high", "sensor.it_load: high", "load"],
  ["relay_node", "binary_sensor.online", connectivity("off"), "off", "node"],
  ["client", "binary_sensor.online", connectivity("off"), "off", "client"],
  ["peer", "binary_sensor.connected", connectivity("off"), "off", "link_down"],
  ["user", "binary_sensor.conflicts", ["on", { device_class: "problem" }], "binary_sensor.it_conflicts", "conflicts"],
  ["account", "sensor.traffic_left", ["0", { unit_of_measurement: "GiB" }], "sensor.it_traffic_left: 0 GiB", "traffic"],
]) {
  test(`${kind} ${key} ${state}: ${condition}, ${advice}`, () => {
    const [trouble] = all({ it: { kind, states: { [key]: state } } });
    assert.equal(trouble.condition, condition);
    assert.equal(trouble.advice, `${OF_WORDS}.advice_${advice}`);
    for (const language of ["en", "zh-Hans"]) {
      const file = new URL(`../../custom_components/tunnel_hub/translations/${language}.json`, import.meta.url);
      assert.ok(JSON.parse(readFileSync(file, "utf8")).common[`advice_${advice}`]);
    }
  });
}

for (const [name, account, more, shown] of [
  ["sg (HY2 SCALE sg-office)", "HY2 SCALE sg-office", {}, "sg"],
  ["nas (EasyTier (10.0.0.1:80))", "EasyTier (10.0.0.1:80)", {}, "nas"],
  ["sg (office)", "Renamed", { account: { name: "office", name_by_user: "Renamed" } }, "sg"],
  ["sg (another)", "office", {}, "sg (another)"],
  ["sg", "office", {}, "sg"],
  ["(office)", "office", {}, "(office)"],
  ["x", "office", { device: { name_by_user: "mine (office)" } }, "mine (office)"],
]) {
  test(`${name} below ${account} is shown as ${shown}`, () => {
    const hass = home({ it: tunnel({}, { name }), of: { kind: "account", name: account, states: { "sensor.points": "1" } } });
    Object.assign(hass.devices.of, more.account);
    Object.assign(hass.devices.it, more.device);
    const owner = thingsOf(hass).find(({ kind }) => kind === "account");
    assert.equal(nameBelow(owner, hass.devices.it), shown);
    assert.equal(nameBelow(undefined, hass.devices.it), hass.devices.it.name_by_user ?? name);
  });
}

test("a condition contains the entity's name, except the main one", () => {
  const states = { "binary_sensor.online": connectivity("off"), "binary_sensor.reachable": connectivity("off") };
  assert.deepEqual(
    all({ it: { kind: "relay_node", states } }).map(({ condition }) => condition),
    ["off", "binary_sensor.it_reachable: off"],
  );
});
