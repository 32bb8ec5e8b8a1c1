// Reads the daily uptimes of addresses from the recorder's statistics.

import { daysIn } from "./translations.js";

const DAYS = 30;
const DAY = 24 * 3600 * 1000;
const READ_AGAIN = 3600 * 1000;

/** @typedef {{day: string, mean: number | undefined}} UptimeDay */

/**
 * The last days in a time zone, the oldest first: in ISO format, each with its mean, which is a
 * percentage, undefined where nothing is known.
 *
 * @param {{start: number, mean?: number | null}[]} rows
 * @param {number} now
 * @param {string} timeZone that of Home Assistant, whose days the recorder's are
 * @returns {UptimeDay[]}
 */
export const lastDays = (rows, now, timeZone) => {
  const dayOf = daysIn(timeZone);
  const means = new Map(rows.map(({ start, mean }) => [dayOf(start), mean]));
  const today = Date.parse(dayOf(now));
  return Array.from({ length: DAYS }, (_, index) => {
    // In UTC, each day has 24 hours.
    const [day] = new Date(today - (DAYS - 1 - index) * DAY).toISOString().split("T");
    return { day, mean: means.get(day) ?? undefined };
  });
};

/** @type {UptimeDay[]} */
const NOTHING = [];

/** Reads the daily uptimes of some entities in one request, at most once an hour. */
export class Uptimes {
  /** @param {() => void} changed */
  constructor(changed) {
    this._changed = changed;
    this._asked = "";
    this._askedAt = 0;
    /** @type {Map<string, UptimeDay[]>} */
    this._days = new Map();
  }

  /**
   * The last days of an entity, the same object until they are read again; none if nothing is
   * known.
   *
   * @param {string | undefined} entityId
   * @returns {UptimeDay[]}
   */
  daysOf(entityId) {
    return this._days.get(entityId ?? "") ?? NOTHING;
  }

  /**
   * Read if other entities are shown, or the last read is old. Without the recorder, there are no days.
   *
   * @param {Hass} hass
   * @param {string[]} entityIds
   */
  async read(hass, entityIds) {
    const asked = [...entityIds].sort().join();
    const now = Date.now();
    if (!asked || (asked === this._asked && now - this._askedAt < READ_AGAIN)) return;
    this._asked = asked;
    this._askedAt = now;
    try {
      /** @type {Record<string, {start: number, mean?: number | null}[]>} */
      const rows = await hass.callWS({
        type: "recorder/statistics_during_period",
        start_time: new Date(now - DAYS * DAY).toISOString(),
        statistic_ids: entityIds,
        period: "day",
        types: ["mean"],
      });
      this._days = new Map(
        Object.entries(rows).map(([entityId, ofDays]) => [entityId, lastDays(ofDays, now, hass.config.time_zone)]),
      );
      this._changed();
    } catch {
      this._days = new Map();
    }
  }
}
