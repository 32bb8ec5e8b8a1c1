// Where a tunnel leads, and where it breaks.

import { NODE, nameOf, stateOf, TUNNEL } from "./things.js";

/** How it is with a stop, or with the way to it. */
export const UP = "up";
export const DOWN = "down";
export const OFF = "off";
export const UNKNOWN = "unknown";

const OF_BINARY = { on: UP, off: DOWN };
/** Whether there is a state that tells something. */
export const isKnown = (state) => state && !["unknown", "unavailable"].includes(state.state);
const WEB = ["http", "https"];

/**
 * The paths of tunnels, from home to the outside.
 *
 * Each is {tunnel, node, home, over, address, url, ways, verdict}: the things; the entities' states
 * of the local address, of how the node is and of the public address; where a browser can open it;
 * how it is with the ways from home to tunnel, node and outside; and the word for all of it.
 */
export const pathsOf = (hass, things, chosen) =>
  things
    .filter(({ kind, device }) => kind === TUNNEL && (!chosen || chosen.includes(device.id)))
    .map((tunnel) => pathOf(hass, tunnel, nodeOf(hass, tunnel, things)));

/** The node that a tunnel runs over: of the same account, with the name that the tunnel tells. */
const nodeOf = (hass, tunnel, things) => {
  const name = stateOf(hass, tunnel, "sensor.node_name")?.state;
  return things.find(
    ({ kind, entry, device }) => kind === NODE && entry === tunnel.entry && device.name === name,
  );
};

const pathOf = (hass, tunnel, node) => {
  const online = OF_BINARY[stateOf(hass, tunnel, "binary_sensor.online")?.state] ?? UNKNOWN;
  const verdict = verdictOf(hass, tunnel, online);
  const address = stateOf(hass, tunnel, "sensor.public_address");
  return {
    tunnel,
    node,
    home: stateOf(hass, tunnel, "sensor.local_address"),
    address: isKnown(address) ? address : undefined,
    url: isKnown(address) ? urlOf(hass, tunnel, address.state) : undefined,
    ways: WAYS[verdict],
    verdict,
  };
};

/** The way to the tunnel, to the node and to the outside, by what is wrong. */
const WAYS = {
  reachable: [UP, UP, UP],
  client_offline: [DOWN, OFF, OFF],
  node_offline: [OFF, DOWN, OFF],
  held_down: [OFF, OFF, OFF],
  disabled: [OFF, OFF, OFF],
  not_known: [UNKNOWN, UNKNOWN, UNKNOWN],
};

const verdictOf = (hass, tunnel, online) => {
  if (online === UP) return "reachable";
  if (stateOf(hass, tunnel, "switch.force_down")?.state === "on") return "held_down";
  if (stateOf(hass, tunnel, "switch.enabled")?.state === "off") return "disabled";
  if (online === UNKNOWN) return "not_known";
  const isNodes = stateOf(hass, tunnel, "sensor.state")?.state.startsWith("node_");
  return isNodes ? "node_offline" : "client_offline";
};

/** Where a browser can open a tunnel; nothing else than the web is opened. */
const urlOf = (hass, tunnel, address) => {
  const protocol = stateOf(hass, tunnel, "sensor.protocol")?.state.toLowerCase();
  if (!WEB.includes(protocol)) return undefined;
  return URL.parse(`${protocol}://${address}`)?.href;
};

/** What is worth a look beside a node's name: that it is down, or else how busy it is. */
export const loadOf = (hass, node) => {
  const online = stateOf(hass, node, "binary_sensor.online");
  const states = ["sensor.load", "sensor.bandwidth_usage", "sensor.cpu_usage"].map((key) =>
    stateOf(hass, node, key),
  );
  return online?.state === "off" ? online : states.find(isKnown);
};

const RATES = { in: "sensor.rate_in", out: "sensor.rate_out" };
const COUNTERS = { in: "sensor.traffic_in_today", out: "sensor.traffic_out_today" };

/**
 * What goes in and out of a path: {direction, state, isCounter}.
 *
 * The rates of the tunnel where they are known; else today's counters, of the tunnel or its node.
 */
export const flowsOf = (hass, { tunnel, node }) => {
  const [thing, keys] =
    [
      [tunnel, RATES],
      [tunnel, COUNTERS],
      [node, COUNTERS],
    ].find(([one, { in: key }]) => isKnown(stateOf(hass, one, key))) ?? [tunnel, COUNTERS];
  return Object.entries(keys)
    .map(([direction, key]) => ({
      direction,
      state: stateOf(hass, thing, key),
      isCounter: keys === COUNTERS,
    }))
    .filter(({ state }) => isKnown(state));
};
