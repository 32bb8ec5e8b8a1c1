// Defines when little traffic is left.

/** @type {Record<string, number>} */
const LOW = { TiB: 5 / 1024, GiB: 5, MiB: 5 * 1024, TB: 0.005, GB: 5, MB: 5000 };

/**
 * The limit for little traffic, in the unit of an entity's state; undefined if it has no data unit.
 *
 * @param {HassEntity | undefined} state
 * @returns {number | undefined}
 */
export const lowTraffic = (state) => state && LOW[state.attributes.unit_of_measurement];
