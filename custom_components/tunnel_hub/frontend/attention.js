// Finds problems of accounts, tunnels, nodes and so on.

import { adviceOf, DOWN, isKnown, OFF, pathsOf, REACHABLE } from "./paths.js";
import { ACCOUNT, hasPath, NODE, stateOf, usedNodes } from "./registry.js";
import { lowTraffic } from "./traffic.js";
import { adviceText, conditionName, labeled, translate } from "./translations.js";

/** Severities, the worst first: broken, broken soon or in part, or an action of the user is due. */
export const BROKEN = "broken";
export const WARNING = "warning";
export const WAITING = "waiting";
const WORST_FIRST = [BROKEN, WARNING, WAITING];

const ENDS = ["sensor.certificates", "sensor.expires", "sensor.group_expires", "sensor.valid_until"];
/** The expiry of a thing itself, for which its name is enough. */
const OF_ITSELF = ["sensor.expires", "sensor.valid_until"];
const SOON = 7 * 24 * 3600 * 1000;
const NEARLY_USED_UP = 90;
/** Entities with the state of a path, the most informative first. */
const SAYING = ["sensor.state", "sensor.phase", "binary_sensor.online", "binary_sensor.reachable"];
/** Entities whose states are clear without the entity's name: connected, disconnected. */
const SAYING_ALL = ["binary_sensor.connected", "binary_sensor.online"];
/** Entities with the time since which something is down. */
const SINCE = ["sensor.last_close", "sensor.last_seen", "sensor.last_report"];

/** @param {Pick<Trouble, "severity">} trouble */
export const rank = ({ severity }) => WORST_FIRST.indexOf(severity);

/**
 * All current problems by account: the accounts with the worst ones first, each with the worst first.
 *
 * @param {Hass} hass
 * @param {Thing[]} things
 * @returns {{account: Thing | undefined, troubles: Trouble[]}[]}
 */
export const attentionOf = (hass, things) => {
  const used = usedNodes(hass);
  /** @type {Map<string, Trouble[]>} */
  const byEntry = new Map();
  const add = (/** @type {string} */ entry, /** @type {Trouble[]} */ found) => {
    const before = byEntry.get(entry);
    if (before) before.push(...found);
    else byEntry.set(entry, found);
  };
  const paths = pathsOf(hass, things, undefined);
  const reached = new Set(paths.filter(({ verdict }) => verdict === REACHABLE).map(({ node }) => node));
  for (const path of paths) add(path.tunnel.entry, ofPath(hass, path));
  for (const thing of things) {
    if (thing.kind !== NODE || used.has(thing)) add(thing.entry, troublesOf(hass, thing, reached.has(thing)));
  }
  return [...byEntry]
    .filter(([, troubles]) => troubles.length)
    .map(([entry, troubles]) => ({
      account: things.find(({ kind, entry: of }) => kind === ACCOUNT && of === entry),
      troubles: troubles.sort((a, b) => rank(a) - rank(b)),
    }))
    .sort((a, b) => rank(a.troubles[0]) - rank(b.troubles[0]));
};

/**
 * @param {Hass} hass
 * @param {Thing} thing
 * @param {boolean} isReached whether a check from outside has reached it
 * @returns {Trouble[]}
 */
const troublesOf = (hass, thing, isReached) => [
  ...(thing.kind === ACCOUNT ? ofSignIn(hass, thing) : []),
  ...Object.entries(thing.entities).flatMap(([key, entity]) => {
    const state = hass.states[entity];
    const isConnectivity = state?.attributes.device_class === "connectivity";
    const isOpen = isKnown(state) && !isMeant(hass, thing) && !(isReached && isConnectivity);
    const severity = isOpen ? severityOf(thing, key, state) : undefined;
    if (!severity || !isKnown(state)) return [];
    const subject = SAYING_ALL.includes(key) ? "" : hass.formatEntityName(state, { type: "entity" });
    const ends = ENDS.includes(key) && endOf(hass, key, state);
    const condition = ends || labeled(hass, subject, state.attributes.device_class !== "problem" && hass.formatEntityState(state));
    return [{ thing, severity, entity, condition, advice: adviceFor(hass, thing, key), since: ENDS.includes(key) ? undefined : sinceOf(hass, thing, entity) }];
  }),
];

/**
 * The text for when something ended, or will end.
 *
 * @param {Hass} hass
 * @param {string} key
 * @param {HassEntity} state
 */
const endOf = (hass, key, state) => {
  const word = Date.parse(state.state) < Date.now() ? "expired_on" : "expires_on";
  const told = translate(hass, word, { date: hass.formatEntityState(state) });
  return OF_ITSELF.includes(key) ? told : labeled(hass, hass.formatEntityName(state, { type: "entity" }), told);
};

/**
 * The advice for a problem, by the entity, or by the entity and the kind of the device; "" if there
 * is none.
 *
 * @param {Hass} hass
 * @param {Thing} thing
 * @param {string} key
 */
const adviceFor = (hass, { kind }, key) => {
  const word = ADVICE[`${kind} ${key}`] ?? ADVICE[key];
  return word ? adviceText(hass, word) : "";
};

/** @type {Record<string, string>} */
const ADVICE = {
  "binary_sensor.client_outdated": "client_outdated",
  "binary_sensor.conflict": "conflict",
  "binary_sensor.conflicts": "conflicts",
  "binary_sensor.connected": "link_down",
  "binary_sensor.incompatible": "incompatible",
  "client binary_sensor.online": "client",
  "node binary_sensor.online": "node_offline",
  "public_node binary_sensor.online": "node",
  "relay_node binary_sensor.online": "node",
  "sensor.certificates": "certificates",
  "sensor.expires": "ends",
  "sensor.group_expires": "ends",
  "sensor.load": "load",
  "sensor.traffic_left": "traffic",
  "sensor.traffic_usage": "traffic",
  "sensor.valid_until": "ends",
};

/**
 * Whether the user has disabled something, which is not a problem.
 *
 * @param {Hass} hass
 * @param {Thing} thing
 */
const isMeant = (hass, thing) => !hasPath(thing) && stateOf(hass, thing, "switch.enabled")?.state === "off";

/**
 * Since when: the time of the service if it provides one, otherwise when the state changed.
 *
 * @param {Hass} hass
 * @param {Thing} thing
 * @param {string | undefined} entity
 * @returns {Trouble["since"]}
 */
const sinceOf = (hass, thing, entity) => {
  const told = SINCE.map((key) => stateOf(hass, thing, key)).find(isKnown);
  if (told) return { moment: Date.parse(told.state), isTold: true };
  const state = entity ? hass.states[entity] : undefined;
  return state && { moment: Date.parse(state.last_changed), isTold: false };
};

/**
 * The problem of a tunnel, in the same words as on its path.
 *
 * @param {Hass} hass
 * @param {TunnelPath} path
 * @returns {Trouble[]}
 */
const ofPath = (hass, path) => {
  const { tunnel, verdict, way } = path;
  if (way !== DOWN && way !== OFF) return [];
  const key = verdict === "held_down" ? "switch.force_down" : "switch.enabled";
  const entity = way === OFF ? tunnel.entities[key] : SAYING.map((each) => tunnel.entities[each]).find(Boolean);
  return [
    {
      thing: tunnel,
      severity: way === DOWN ? BROKEN : WAITING,
      entity: entity ?? "",
      condition: conditionName(hass, verdict),
      advice: adviceOf(hass, path),
      since: sinceOf(hass, tunnel, entity),
      action: way === OFF && entity
        ? { word: verdict === "held_down" ? "release" : "enable", domain: "switch", service: verdict === "held_down" ? "turn_off" : "turn_on", entity }
        : undefined,
    },
  ];
};

/**
 * @param {Hass} hass
 * @param {Thing} account
 * @returns {Trouble[]}
 */
const ofSignIn = (hass, account) => {
  const entity = account.entities["button.sign_in"];
  if (stateOf(hass, account, "binary_sensor.signed_in_today")?.state !== "off" || !entity) return [];
  const action = { word: "sign_in", domain: "button", service: "press", entity };
  return [{ thing: account, severity: WAITING, entity: account.entities["binary_sensor.signed_in_today"], condition: translate(hass, "not_signed_in"), advice: "", action }];
};

/**
 * The severity of an entity's state; undefined if it is not a problem.
 *
 * @param {Thing} thing
 * @param {string} key
 * @param {HassEntity} state
 * @returns {Trouble["severity"] | undefined}
 */
const severityOf = (thing, key, state) => {
  const { device_class } = state.attributes;
  const value = Number(state.state);
  if (device_class === "problem") return state.state === "on" ? WARNING : undefined;
  // The condition of a tunnel includes its connections.
  if (device_class === "connectivity") return state.state === "off" && !hasPath(thing) ? BROKEN : undefined;
  if (key === "sensor.load") return state.state === "high" ? WARNING : undefined;
  if (key === "sensor.traffic_left") return value < (lowTraffic(state) ?? 0) ? (value > 0 ? WARNING : BROKEN) : undefined;
  if (key === "sensor.traffic_usage") return value > NEARLY_USED_UP ? (value < 100 ? WARNING : BROKEN) : undefined;
  if (!ENDS.includes(key)) return undefined;
  const left = Date.parse(state.state) - Date.now();
  return left < 0 ? BROKEN : left < SOON ? WARNING : undefined;
};
