// Finds the path of a tunnel, and where it is broken.

import { ACCOUNT, hasPath, isOfMesh, nodeOf, stateOf } from "./registry.js";
import { adviceText } from "./translations.js";

/** States of a stop, or of the way to it. */
export const UP = "up";
export const DOWN = "down";
export const OFF = "off";
export const UNKNOWN = "unknown";

/** The results of a check from outside, which take precedence over the state at the service. */
export const REACHABLE = "reachable";
/** A check without a result. */
export const INCONCLUSIVE = "connected_inconclusive";

/** @type {Record<string, Way>} */
const OF_BINARY = { on: UP, off: DOWN };
/**
 * Whether an entity has a known state.
 *
 * @param {HassEntity | undefined} state
 * @returns {state is HassEntity}
 */
export const isKnown = (state) => !!state && !["unknown", "unavailable"].includes(state.state);
const WEB = ["http", "https"];
/** Protocols without a public address: visitors connect with a key. */
const VISITED = ["stcp", "sudp", "xtcp"];
/** Protocols that use a port of the server. */
const AT_PORTS = ["tcp", "udp"];

/**
 * Worst first.
 *
 * @type {Way[]}
 */
const ORDER = [DOWN, UNKNOWN, UP, OFF];

/**
 * The paths of tunnels and to watched addresses, from home to the outside; what is broken comes
 * first.
 *
 * Each is {tunnel, node, account, home, address, url, ways, verdict, way, check, contradiction}: the
 * things; the states of the entities with the local and the public address; the URL for a browser;
 * the states of the ways from home to tunnel, node and outside; the text for the whole path,
 * and its state; the result of the last check, if any; and the state at the
 * service if it contradicts the check, "online" or "offline".
 *
 * @param {Hass} hass
 * @param {Thing[]} things
 * @param {string[] | undefined} chosen
 * @returns {TunnelPath[]}
 */
export const pathsOf = (hass, things, chosen) => {
  const accounts = new Map(
    things.filter(({ kind }) => kind === ACCOUNT).map((account) => [account.entry, account]),
  );
  const tunnels = things.filter(hasPath);
  const ends = bothEnds(hass, tunnels);
  const isChosen = (/** @type {Thing | undefined} */ tunnel) =>
    !!tunnel && (!chosen || chosen.includes(tunnel.device.id));
  const ofClients = new Set(ends.values());
  return tunnels
    .filter((tunnel) => !ofClients.has(tunnel))
    .filter((tunnel) => isChosen(tunnel) || isChosen(ends.get(tunnel)))
    .map((tunnel) => joined(hass, tunnel, ends.get(tunnel)))
    .map((tunnel) => pathOf(hass, tunnel, nodeOf(hass, tunnel), accounts.get(tunnel.entry)))
    .sort((a, b) => ORDER.indexOf(a.way) - ORDER.indexOf(b.way));
};

/**
 * The tunnels that both a server and a client list: the client's, by the server's.
 *
 * The name at the server is the user name, if there is one, a dot, and the name at the client.
 * If both know the address, its port or its domain must be the same.
 *
 * @param {Hass} hass
 * @param {Thing[]} tunnels
 * @returns {Map<Thing, Thing>}
 */
const bothEnds = (hass, tunnels) => {
  /** @type {Map<string, Thing[]>} */
  const ofServers = new Map();
  for (const tunnel of tunnels.filter(({ entities }) => entities["sensor.client"])) {
    const [first, ...rest] = idOf(tunnel).split(".");
    const names = [first, ...rest].map((_, index, parts) => parts.slice(index).join("."));
    for (const name of names) ofServers.set(name, [...(ofServers.get(name) ?? []), tunnel]);
  }
  /** @type {Map<Thing, Thing>} */
  const found = new Map();
  for (const tunnel of tunnels.filter(({ entities }) => entities["sensor.source"])) {
    const same = (ofServers.get(idOf(tunnel)) ?? []).filter((of) => isSame(hass, of, tunnel));
    // If there are several, it is unknown which one it is.
    if (same.length === 1 && !found.has(same[0])) found.set(same[0], tunnel);
  }
  return found;
};

/**
 * @param {Thing} tunnel
 * @returns {string}
 */
const idOf = ({ device, kind }) => {
  const [, identifier = ""] = device.identifiers.find(([, id]) => id.split(":")[1] === kind) ?? [];
  return identifier.split(":").slice(2).join(":");
};

/**
 * Whether two tunnels can be the same, by their values.
 *
 * @param {Hass} hass
 * @param {Thing} one
 * @param {Thing} other
 * @returns {boolean}
 */
const isSame = (hass, one, other) => {
  const told = (/** @type {string} */ key) =>
    [one, other]
      .map((tunnel) => stateOf(hass, tunnel, key))
      .filter(isKnown)
      .map(({ state }) => state);
  const protocols = told("sensor.protocol");
  // The two may have different names for the server, but not for a domain of the tunnel.
  const isOfPort = AT_PORTS.includes(protocols[0]);
  const places = told("sensor.public_address").map((address) =>
    isOfPort ? address.slice(address.lastIndexOf(":")) : address,
  );
  return [protocols, places].every((values) => new Set(values).size < 2);
};

/**
 * A tunnel with the entities of both ends. Those of the client take precedence.
 *
 * @param {Hass} hass
 * @param {Thing} server
 * @param {Thing | undefined} client
 * @returns {Thing}
 */
const joined = (hass, server, client) => {
  if (!client) return server;
  const entities = { ...server.entities };
  for (const [key, entity] of Object.entries(client.entities)) {
    if (isKnown(hass.states[entity]) || !isKnown(stateOf(hass, server, key))) entities[key] = entity;
  }
  return { ...client, entities };
};

/**
 * @param {Hass} hass
 * @param {Thing} tunnel
 * @param {Thing | undefined} node
 * @param {Thing | undefined} account
 * @returns {TunnelPath}
 */
const pathOf = (hass, tunnel, node, account) => {
  const online = OF_BINARY[stateOf(hass, tunnel, "binary_sensor.online")?.state ?? ""] ?? UNKNOWN;
  const check = checkOf(hass, tunnel);
  const verdict = verdictOf(hass, tunnel, online, check?.state);
  const address =
    stateOf(hass, tunnel, "sensor.public_address") ?? stateOf(hass, tunnel, "sensor.address");
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
    check,
    contradiction: check && contradictionOf(hass, tunnel, node, online),
  };
};

/**
 * The result of a check; none before the first one, for disabled tunnels, and if the tunnel
 * has changed since.
 *
 * @param {Hass} hass
 * @param {Thing} tunnel
 * @returns {HassEntity | undefined}
 */
const checkOf = (hass, tunnel) => {
  const verdict = stateOf(hass, tunnel, "sensor.verdict");
  return isKnown(verdict) && verdict.state !== "not_checkable" && isCurrent(hass, tunnel) ? verdict : undefined;
};

/**
 * Whether a tunnel is as it was when it was checked. After a restart the states are all as new as
 * each other.
 *
 * @param {Hass} hass
 * @param {Thing} tunnel
 */
const isCurrent = (hass, tunnel) => {
  const checked = stateOf(hass, tunnel, "sensor.last_check");
  const judged = changeOf(stateOf(hass, tunnel, "sensor.verdict"));
  const changed = CHANGES.map((key) => changeOf(stateOf(hass, tunnel, key)));
  return Math.max(judged, isKnown(checked) ? Date.parse(checked.state) : 0) + SECOND >= Math.max(...changed);
};

/** @param {HassEntity | undefined} state */
const changeOf = (state) => (state ? Date.parse(state.last_changed) : 0);

const CHANGES = ["switch.enabled", "switch.force_down", "binary_sensor.online"];
/** Milliseconds, because the times of checks are in whole seconds. */
const SECOND = 1000;

/**
 * The state of a tunnel or its node at the service, if it contradicts the check.
 *
 * @param {Hass} hass
 * @param {Thing} tunnel
 * @param {Thing | undefined} node
 * @param {Way} online
 * @returns {"online" | "offline" | undefined}
 */
const contradictionOf = (hass, tunnel, node, online) => {
  const reachable = OF_BINARY[stateOf(hass, tunnel, "binary_sensor.reachable")?.state ?? ""];
  if (reachable === DOWN && online === UP) return "online";
  return stateOf(hass, tunnel, "sensor.verdict")?.state === REACHABLE && reachable === UP && (online === DOWN || isOffline(hass, node)) ? "offline" : undefined;
};

/**
 * Whether a node is offline at the service.
 *
 * @param {Hass} hass
 * @param {Thing | undefined} node
 */
const isOffline = (hass, node) => stateOf(hass, node, "binary_sensor.online")?.state === "off";

/**
 * The states of the ways to the tunnel, to the node and to the outside.
 *
 * @type {Record<string, Way[]>}
 */
const WAYS = {
  // By the check: the verdict is the first broken link.
  reachable: [UP, UP, UP],
  no_local_service: [DOWN, OFF, OFF],
  no_client: [DOWN, OFF, OFF],
  port_closed: [UP, UP, DOWN],
  no_answer: [UP, UP, DOWN],
  dns: [UP, UP, DOWN],
  tls: [UP, UP, DOWN],
  wrong_answer: [UP, UP, DOWN],
  // By the state at the service, without a check.
  connected: [UP, UP, UNKNOWN],
  connected_inconclusive: [UP, UP, UNKNOWN],
  link_down: [DOWN, OFF, OFF],
  node_offline: [OFF, DOWN, OFF],
  node_maintenance: [OFF, DOWN, OFF],
  node_removed: [OFF, DOWN, OFF],
  held_down: [OFF, OFF, OFF],
  disabled: [OFF, OFF, OFF],
  not_known: [UNKNOWN, UNKNOWN, UNKNOWN],
};

/**
 * @param {Hass} hass
 * @param {Thing} tunnel
 * @param {Way} online
 * @param {string | undefined} checked
 * @returns {string}
 */
const verdictOf = (hass, tunnel, online, checked) => {
  if (stateOf(hass, tunnel, "switch.force_down")?.state === "on") return "held_down";
  if (stateOf(hass, tunnel, "switch.enabled")?.state === "off") return "disabled";
  const found = AS_A_SERVICE[checked ?? ""] ?? checked;
  if (found && found in WAYS) return found;
  if (online === UP) {
    // A check can be inconclusive.
    const isChecked = isKnown(stateOf(hass, tunnel, "sensor.last_check")) && isCurrent(hass, tunnel);
    return isChecked ? INCONCLUSIVE : "connected";
  }
  if (online === UNKNOWN) return "not_known";
  if (isOfMesh(tunnel)) return "link_down";
  const told = stateOf(hass, tunnel, "sensor.state")?.state ?? "";
  return OF_NODE.includes(told) ? told : "no_client";
};

/** States of tunnels that their node causes. */
const OF_NODE = ["node_offline", "node_maintenance", "node_removed"];

/**
 * The states of the service that correspond to verdicts of a check.
 *
 * @type {Record<string, string>}
 */
const AS_A_SERVICE = { node_down: "node_offline" };

/**
 * The reason and the advice; "" if there is no problem.
 *
 * @param {Hass} hass
 * @param {TunnelPath} path
 */
export const adviceOf = (hass, { tunnel, verdict }) => {
  const phase = stateOf(hass, tunnel, "sensor.phase");
  // The client knows the reason, if it runs.
  if (verdict !== "no_client" || !isKnown(phase) || !phase.attributes.advice) {
    return adviceText(hass, verdict);
  }
  const error = stateOf(hass, tunnel, "sensor.error");
  return [
    hass.formatEntityState(phase),
    isKnown(error) && error.state,
    hass.formatEntityAttributeValue(phase, "advice"),
  ].filter(Boolean).join(" · ");
};

/**
 * @param {Hass} hass
 * @param {Thing} tunnel
 */
const protocolOf = (hass, tunnel) => stateOf(hass, tunnel, "sensor.protocol")?.state.toLowerCase() ?? "";

/**
 * Whether a tunnel can only be reached by visitors, not from the internet.
 *
 * @param {Hass} hass
 * @param {Thing} tunnel
 */
export const isVisited = (hass, tunnel) => VISITED.includes(protocolOf(hass, tunnel));

/**
 * The URL of a tunnel for a browser, if it is HTTP or HTTPS.
 *
 * @param {Hass} hass
 * @param {Thing} tunnel
 * @param {string} address
 * @returns {string | undefined}
 */
const urlOf = (hass, tunnel, address) => {
  const protocol = protocolOf(hass, tunnel);
  if (!WEB.includes(protocol)) return undefined;
  try {
    return new URL(`${protocol}://${address}`).href;
  } catch {
    return undefined;
  }
};

/**
 * The note beside a node's name: that it is down, unless a check has reached it,
 * otherwise its load.
 *
 * @param {Hass} hass
 * @param {TunnelPath} path
 * @returns {HassEntity | undefined}
 */
export const loadOf = (hass, { node, verdict }) => {
  if (verdict !== REACHABLE && isOffline(hass, node)) return stateOf(hass, node, "binary_sensor.online");
  return LOADS.map((key) => stateOf(hass, node, key)).find(isKnown);
};

const LOADS = ["sensor.load", "sensor.bandwidth_usage", "sensor.cpu_usage"];

const RATES = { in: "sensor.rate_in", out: "sensor.rate_out" };
const COUNTERS = { in: "sensor.traffic_in_today", out: "sensor.traffic_out_today" };

/**
 * The traffic of a path: {direction, state, isCounter, isNodes}.
 *
 * The rates of the tunnel if they are known, otherwise today's counters of the tunnel or its node,
 * which is noted, because all tunnels of the node share them.
 *
 * @param {Hass} hass
 * @param {TunnelPath} path
 * @returns {Flow[]}
 */
export const flowsOf = (hass, { tunnel, node }) => {
  const [thing, keys] =
    /** @type {[Thing | undefined, typeof RATES][]} */ ([
      [tunnel, RATES],
      [tunnel, COUNTERS],
      [node, COUNTERS],
    ]).find(([one, { in: key }]) => isKnown(stateOf(hass, one, key))) ?? [tunnel, COUNTERS];
  return Object.entries(keys)
    .map(([direction, key]) => ({ direction, state: stateOf(hass, thing, key) }))
    .flatMap(({ direction, state }) =>
      isKnown(state)
        ? [{ direction, state, isCounter: keys === COUNTERS, isNodes: thing === node }]
        : [],
    );
};
