// Where a tunnel leads, and where it breaks.

import { ACCOUNT, nodeOf, stateOf, TUNNEL } from "./things.js";

/** How it is with a stop, or with the way to it. */
export const UP = "up";
export const DOWN = "down";
export const OFF = "off";
export const UNKNOWN = "unknown";

const OF_BINARY = { on: UP, off: DOWN };
/** Whether there is a state that tells something. */
export const isKnown = (state) => state && !["unknown", "unavailable"].includes(state.state);
const WEB = ["http", "https"];

/** Worst first. */
const ORDER = [DOWN, UNKNOWN, UP, OFF];

/**
 * The paths of tunnels, from home to the outside; what is broken comes first.
 *
 * Each is {tunnel, node, account, home, address, url, ways, verdict, way}: the things; the entities'
 * states of the local address and of the public address; where a browser can open it; how it is
 * with the ways from home to tunnel, node and outside; and the word for all of it, and its colour.
 */
export const pathsOf = (hass, things, chosen) => {
  const accounts = new Map(
    things.filter(({ kind }) => kind === ACCOUNT).map((account) => [account.entry, account]),
  );
  return things
    .filter(({ kind, device }) => kind === TUNNEL && (!chosen || chosen.includes(device.id)))
    .map((tunnel) => pathOf(hass, tunnel, nodeOf(hass, tunnel), accounts.get(tunnel.entry)))
    .sort((a, b) => ORDER.indexOf(a.way) - ORDER.indexOf(b.way));
};

const pathOf = (hass, tunnel, node, account) => {
  const online = OF_BINARY[stateOf(hass, tunnel, "binary_sensor.online")?.state] ?? UNKNOWN;
  const verdict = verdictOf(hass, tunnel, online);
  const address = stateOf(hass, tunnel, "sensor.public_address");
  return {
    tunnel,
    node,
    account,
    home: stateOf(hass, tunnel, "sensor.local_address"),
    address: isKnown(address) ? address : undefined,
    url: isKnown(address) ? urlOf(hass, tunnel, address.state) : undefined,
    ways: WAYS[verdict],
    verdict,
    way: WAYS[verdict].find((way) => way !== UP && way !== OFF) ?? WAYS[verdict][0],
  };
};

/** The way to the tunnel, to the node and to the outside, by what is wrong. */
const WAYS = {
  reachable: [UP, UP, UP],
  client_offline: [DOWN, OFF, OFF],
  unreachable: [DOWN, OFF, OFF],
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
  if (!tunnel.entities["sensor.node_name"]) return "unreachable";
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
