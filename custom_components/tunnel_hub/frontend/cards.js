// Builds configurations of built-in cards for devices.

import { nameOf } from "./registry.js";

/**
 * @param {string} text
 * @param {string | undefined} icon
 * @param {Config} [more]
 * @returns {Config}
 */
export const heading = (text, icon, more) => ({ type: "heading", heading: text, icon, ...more });
/**
 * @param {string} entity
 * @param {Config} [more]
 * @returns {Config}
 */
export const tile = (entity, more) => ({ type: "tile", entity, ...more });

/**
 * A condition: an entity has a state.
 *
 * @param {string} entity
 * @param {string} state
 */
export const is = (entity, state) => ({ condition: "state", entity, state });
/**
 * @param {string} entity
 * @param {string} state
 */
const isNot = (entity, state) => ({ condition: "state", entity, state_not: state });

const ENTITY_NAME = { type: "entity" };

/**
 * A tap action that opens the page of a thing's device.
 *
 * @param {Thing} thing
 */
export const toDevice = ({ device }) => ({
  tap_action: { action: "navigate", navigation_path: `/config/devices/device/${device.id}` },
});

/**
 * A heading with the name of a thing and a link to its device.
 *
 * @param {Thing} thing
 * @param {string | undefined} icon
 * @param {Config} [more]
 * @returns {Config}
 */
export const headingOf = (thing, icon, more) =>
  heading(nameOf(thing.device), icon, { ...toDevice(thing), ...more });

/**
 * Tiles of the entities that a device has, without unknown ones.
 *
 * @param {Thing} thing
 * @param {...string} keys
 * @returns {Config[]}
 */
export const tiles = (thing, ...keys) =>
  keys
    .map((key) => thing.entities[key])
    .filter(Boolean)
    .map((entity) => tile(entity, { name: ENTITY_NAME, visibility: [isNot(entity, "unknown")] }));

const DOMAINS = ["switch", "select", "binary_sensor", "sensor", "event", "button"];
/** @param {string} entity */
const rank = (entity) => DOMAINS.indexOf(entity.split(".")[0]);

/**
 * Rows with the control of each entity, without unknown ones.
 *
 * @param {string[]} entities
 * @returns {Config}
 */
export const rows = (entities) => ({
  type: "entities",
  entities: [...entities].sort((a, b) => rank(a) - rank(b)).map((entity) => {
    const row = { entity, name: ENTITY_NAME };
    return entity.startsWith("sensor.")
      ? { type: "conditional", conditions: [isNot(entity, "unknown")], row }
      : row;
  }),
  grid_options: { columns: "full" },
});

/**
 * The entities of a thing that are neither diagnostic nor settings.
 *
 * @param {Hass} hass
 * @param {Thing} thing
 */
export const mainEntities = (hass, { entities }) =>
  Object.entries(entities).filter(([, entity]) => !hass.entities[entity].entity_category);
