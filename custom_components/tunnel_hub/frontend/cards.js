// What the dashboard is made of: built-in cards for our things.

import { nameOf } from "./things.js";

export const heading = (text, icon, more) => ({ type: "heading", heading: text, icon, ...more });
export const tile = (entity, more) => ({ type: "tile", entity, ...more });

/** That an entity is in a state. */
export const is = (entity, state) => ({ condition: "state", entity, state });
const isNot = (entity, state) => ({ condition: "state", entity, state_not: state });

const ENTITY_NAME = { type: "entity" };

/** A tap that leads to where all is known of a thing. */
export const toDevice = ({ device }) => ({
  tap_action: { action: "navigate", navigation_path: `/config/devices/device/${device.id}` },
});

/** A thing's name, which leads to its device. */
export const headingOf = (thing, icon, more) =>
  heading(nameOf(thing.device), icon, { ...toDevice(thing), ...more });

/** Tiles of those entities that a thing has; what nobody knows is not shown. */
export const tiles = (thing, ...keys) =>
  keys
    .map((key) => thing.entities[key])
    .filter(Boolean)
    .map((entity) => tile(entity, { name: ENTITY_NAME, visibility: [isNot(entity, "unknown")] }));

const DOMAINS = ["switch", "select", "binary_sensor", "sensor", "event", "button"];
const rank = (entity) => DOMAINS.indexOf(entity.split(".")[0]);

/** Rows with each entity's control; what nobody knows is left out. */
export const rows = (entities) => ({
  type: "entities",
  entities: entities.toSorted((a, b) => rank(a) - rank(b)).map((entity) => {
    const row = { entity, name: ENTITY_NAME };
    return entity.startsWith("sensor.")
      ? { type: "conditional", conditions: [isNot(entity, "unknown")], row }
      : row;
  }),
  grid_options: { columns: "full" },
});

/** The entities of a thing that are not mere detail. */
export const mainEntities = (hass, { entities }) =>
  Object.entries(entities).filter(([, entity]) => !hass.entities[entity].entity_category);
