// Calculates speeds from counters.

import { formatNumber } from "./translations.js";

/** @type {Record<string, number>} */
const BYTES = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };
const POWERS = ["", "Ki", "Mi", "Gi", "Ti"];
for (const [power, prefix] of POWERS.entries()) {
  if (power) BYTES[`${prefix}B`] = 1024 ** power;
}

/** Measures speeds between two readings of each counter. */
export class Speedometer {
  constructor() {
    /** @type {Map<string, {at: number, bytes: number, seconds: number, speed?: number}>} */
    this._readings = new Map();
  }

  /**
   * Bytes per second of a counter, given its state; undefined until there are two readings.
   *
   * @param {HassEntity} state
   * @returns {number | undefined}
   */
  measure({ entity_id, state, last_updated, attributes }, now = Date.now()) {
    const bytes = Number(state) * BYTES[attributes.unit_of_measurement];
    const at = Date.parse(last_updated);
    const before = this._readings.get(entity_id);
    if (before?.at === at) {
      // An unchanged counter is not written, so an old reading means that there is no traffic.
      return now - at > 2 * before.seconds * 1000 ? before.speed && 0 : before.speed;
    }
    const seconds = before ? (at - before.at) / 1000 : Infinity;
    // A counter that decreased has begun with 0.
    const speed = before && bytes >= before.bytes ? (bytes - before.bytes) / seconds : undefined;
    this._readings.set(entity_id, { at, bytes, seconds, speed });
    return speed;
  }
}

/**
 * Bytes per second as text in Mbit/s, as the rates of sensors.
 *
 * @param {Hass} hass
 * @param {number} speed
 */
export const formatSpeed = (hass, speed) => formatNumber(hass, (speed * 8) / 1e6, "Mbit/s");
