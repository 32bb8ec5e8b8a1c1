import assert from "node:assert/strict";
import { test } from "node:test";

import { generate } from "../../custom_components/tunnel_hub/frontend/dashboard.js";
import { home } from "./home.js";

const COMMON = "component.tunnel_hub.common";

const viewOf = async (things, path) => {
  const hass = home(things);
  const { views } = await generate({ ...hass, loadBackendTranslation: async () => hass.localize });
  return views.find((view) => view.path === path);
};
const sectionOf = async (things, path, word) =>
  (await viewOf(things, path))?.sections.find(({ cards: [{ heading }] }) => heading === `${COMMON}.${word}`);

const client = (name, states) => ({
  kind: "client",
  entry: "frps",
  name,
  states: { "binary_sensor.online": "on", "sensor.connected_since": "2026-01-01T12:00:00Z", ...states },
});

test("each client of a server has a heading with a link to its device, and its entities", async () => {
  const things = { two: client("b"), one: client("a", { "sensor.client_version": "0.70.1" }), frps: { kind: "account", entry: "frps", states: { "sensor.clients": "2" } } };
  const section = await sectionOf(things, "more", "clients");
  const [, ...cards] = section.cards;
  assert.deepEqual(cards.map(({ heading, entities }) => heading ?? entities.map(({ entity, row }) => entity ?? row.entity)), [
    "a",
    ["binary_sensor.one_online", "sensor.one_connected_since", "sensor.one_client_version"],
    "b",
    ["binary_sensor.two_online", "sensor.two_connected_since"],
  ]);
  assert.equal(cards[0].tap_action.navigation_path, "/config/devices/device/one");
});

test("no section of clients without clients", async () => {
  assert.equal(await sectionOf({ user: { kind: "user", states: { "switch.enabled": "on" } } }, "more", "clients"), undefined);
});

test("the view of clients starts with a mesh card for each server, not for frpc", async () => {
  const things = {
    frps: { kind: "account", entry: "frps", states: { "sensor.clients": "2" } },
    one: client("a"),
    frpc: { kind: "account", entry: "frpc", states: { "sensor.tunnels_online": "2" } },
  };
  const { sections } = await viewOf(things, "more");
  assert.deepEqual(sections[0].cards.map(({ heading, type, device }) => [heading ?? type, device]), [
    ["frps", undefined],
    ["custom:tunnel-hub-mesh", "frps"],
  ]);
  assert.equal(await viewOf(things, "mesh"), undefined);
});
