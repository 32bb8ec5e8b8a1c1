// When little traffic is left.

/** @type {Record<string, number>} */
const LOW = { TiB: 5 / 1024, GiB: 5, MiB: 5 * 1024, TB: 0.005, GB: 5, MB: 5000 };

/**
 * How much traffic is little, in the unit of an entity's state; undefined where that is none.
 *
 * @param {HassEntity | undefined} state
 * @returns {number | undefined}
 */
export const lowTraffic = (state) => state && LOW[state.attributes.unit_of_measurement];

/**
 * A gauge of what is left. The services tell no limit, so it ends at the next round figure.
 *
 * @param {HassEntity} state
 */
export const gauge = (state) => {
  const low = lowTraffic(state) ?? 0;
  const left = Math.max(Number(state.state) || 0, 4 * low);
  const magnitude = 10 ** Math.floor(Math.log10(left));
  return {
    type: "gauge",
    entity: state.entity_id,
    name: { type: "entity" },
    needle: true,
    min: 0,
    max: magnitude * Math.ceil(left / magnitude),
    severity: { red: 0, yellow: low, green: 3 * low },
  };
};
