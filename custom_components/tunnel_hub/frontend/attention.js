// What needs attention: of all that may be wrong, what is.

import { heading, is, toDevice } from "./cards.js";
import {
  ACCOUNT,
  ICONS,
  NODE,
  nameOf,
  PEER,
  RELAY_NODE,
  TUNNEL,
  usedNodes,
} from "./things.js";
import { lowTraffic } from "./traffic.js";
import { translate } from "./words.js";

const FIRST = [ACCOUNT, TUNNEL, NODE, RELAY_NODE, PEER];
const ENDS = [
  "sensor.certificates",
  "sensor.expires",
  "sensor.group_expires",
  "sensor.valid_until",
];
const SOON = 7 * 24 * 3600 * 1000;
const NEARLY_USED_UP = 90;

/** @param {Thing} thing */
const rank = ({ kind }) => (FIRST.includes(kind) ? FIRST.indexOf(kind) : FIRST.length);

/**
 * The section of what is wrong now, or of the good news.
 *
 * @param {Hass} hass
 * @param {Thing[]} things
 */
export const attention = (hass, things) => {
  const used = usedNodes(hass);
  const troubles = things
    .filter((thing) => thing.kind !== NODE || used.has(thing))
    .sort((a, b) => rank(a) - rank(b))
    .flatMap((thing) => troublesOf(hass, thing));
  return {
    type: "grid",
    cards: [
      heading(translate(hass, "attention"), "mdi:alert-circle-outline"),
      ...(troubles.length ? [list(troubles)] : []),
      {
        type: "empty-state",
        icon: "mdi:check-circle-outline",
        title: translate(hass, "all_well"),
        visibility: troubles.map(({ conditions }) => ({
          condition: "not",
          conditions: [{ condition: "and", conditions }],
        })),
      },
    ],
  };
};

/** @param {Config[]} entities */
const list = (entities) => ({
  type: "entity-filter",
  entities,
  conditions: [],
  show_empty: false,
  card: { type: "entities" },
  grid_options: { columns: "full" },
});

/**
 * The rows for what may be wrong with a thing, each with the conditions on which it is shown.
 *
 * @param {Hass} hass
 * @param {Thing} thing
 */
const troublesOf = (hass, thing) =>
  Object.entries(thing.entities).flatMap(([key, entity]) => {
    const conditions = conditionsOf(hass, thing, key, entity);
    if (!conditions) return [];
    // A tunnel's state tells more than that it is offline.
    const { "sensor.state": state, "sensor.phase": phase } = thing.entities;
    const shown = (key === "binary_sensor.online" && (state || phase)) || entity;
    return [
      {
        entity: shown,
        name: `${nameOf(thing.device)} · ${subject(hass, thing, entity)}`,
        icon: ICONS[thing.kind],
        secondary_info: "last-changed",
        conditions,
        ...toDevice(thing),
      },
    ];
  });

/**
 * What a row is about: whose thing is offline, or else which of its entities tells of trouble.
 *
 * @param {Hass} hass
 * @param {Thing} thing
 * @param {string} entity
 */
const subject = (hass, { device }, entity) =>
  hass.states[entity]?.attributes.device_class === "connectivity"
    ? device.manufacturer
    : hass.entities[entity].name;

/**
 * When an entity tells of trouble; undefined if it never does.
 *
 * @param {Hass} hass
 * @param {Thing} thing
 * @param {string} key
 * @param {string} entity
 * @returns {Config[] | undefined}
 */
const conditionsOf = (hass, thing, key, entity) => {
  const state = hass.states[entity];
  if (!state) return undefined;
  const { device_class } = state.attributes;
  if (device_class === "problem") return [is(entity, "on")];
  if (device_class === "connectivity") return [is(entity, "off"), ...unlessMeant(thing)];
  if (key === "sensor.load") return [is(entity, "high")];
  if (key === "sensor.traffic_left") return [numeric(entity, { below: lowTraffic(state) })];
  if (key === "sensor.traffic_usage") return [numeric(entity, { above: NEARLY_USED_UP })];
  const endsSoon = ENDS.includes(key) && Date.parse(state.state) < Date.now() + SOON;
  return endsSoon ? [is(entity, state.state)] : undefined;
};

/**
 * @param {string} entity
 * @param {Config} limits
 */
const numeric = (entity, limits) => ({ condition: "numeric_state", entity, ...limits });

/**
 * A thing that somebody has switched off is no trouble.
 *
 * @param {Thing} thing
 */
const unlessMeant = ({ entities }) => [
  ...(entities["switch.enabled"] ? [is(entities["switch.enabled"], "on")] : []),
  ...(entities["switch.force_down"] ? [is(entities["switch.force_down"], "off")] : []),
];
