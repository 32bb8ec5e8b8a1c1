// Texts of the integration's translations.

const CATEGORY = "common";
const DOMAIN = "tunnel_hub";

/**
 * Load the texts in the user's language; resolves to a `localize` function with them.
 *
 * @param {Hass} hass
 */
export const preload = (hass) => hass.loadBackendTranslation(CATEGORY, DOMAIN);

/**
 * Return a text in the user's language; "" until the texts are loaded.
 *
 * @param {Hass} hass
 * @param {string} key
 * @param {Record<string, unknown>} [placeholders]
 */
export const translate = (hass, key, placeholders) =>
  hass.localize(`component.${DOMAIN}.${CATEGORY}.${key}`, placeholders);

const STATE = `component.${DOMAIN}.entity.sensor.state`;
const VERDICT = `component.${DOMAIN}.entity.sensor.verdict`;

/**
 * The text for a tunnel's condition: the one of the sensors, if they have one.
 *
 * @param {Hass} hass
 * @param {string} condition
 */
export const conditionName = (hass, condition) =>
  translate(hass, `path_${condition}`) ||
  hass.localize(`${VERDICT}.state.${condition}`) ||
  hass.localize(`${STATE}.state.${condition}`);

/**
 * The advice for a condition: the one of the device's page, if any; "" if there is none.
 *
 * @param {Hass} hass
 * @param {string} condition
 */
export const adviceText = (hass, condition) =>
  translate(hass, `advice_${condition}`) ||
  hass.localize(`${STATE}.state_attributes.advice.state.${condition}`);

/** @param {Hass} hass */
const isChinese = (hass) => hass.locale?.language?.startsWith("zh");

/**
 * A name and its description; only one if the other is empty.
 *
 * @param {Hass} hass
 * @param {...(string | false | undefined)} parts
 */
export const labeled = (hass, ...parts) => parts.filter(Boolean).join(isChinese(hass) ? "：" : ": ");

/**
 * Joins texts, without empty ones.
 *
 * @param {Hass} hass
 * @param {(string | false | undefined)[]} words
 */
export const listed = (hass, words) => words.filter(Boolean).join(isChinese(hass) ? "、" : ", ");

// Home Assistant's functions use the user's formats of numbers and dates.

/**
 * A number with at most two decimals, in the user's number format.
 *
 * @param {Hass} hass
 * @param {number} number
 * @param {string} unit_of_measurement
 */
export const formatNumber = (hass, number, unit_of_measurement) =>
  hass.formatEntityState({
    entity_id: "sensor.number",
    state: String(Math.round(number * 100) / 100),
    attributes: { unit_of_measurement },
  });

/**
 * Formats the day of a time in a time zone in ISO format; undefined is the browser's zone.
 *
 * @param {string | undefined} timeZone
 * @returns {(moment: number | Date) => string}
 */
export const daysIn = (timeZone) => {
  const format = formatIn(timeZone);
  return (moment) => {
    /** @type {Map<string, string>} */
    const parts = new Map(format.formatToParts(moment).map(({ type, value }) => [type, value]));
    return ["year", "month", "day"].map((part) => parts.get(part)).join("-");
  };
};

/** @param {string | undefined} timeZone */
const formatIn = (timeZone) => {
  /** @type {Intl.DateTimeFormatOptions} */
  const options = { year: "numeric", month: "2-digit", day: "2-digit" };
  try {
    return new Intl.DateTimeFormat("en-u-ca-gregory-nu-latn", { ...options, timeZone });
  } catch {
    // Old browsers do not know new names of zones.
    return new Intl.DateTimeFormat("en-u-ca-gregory-nu-latn", options);
  }
};

/**
 * A day in the user's date format. day: in ISO format.
 *
 * @param {Hass} hass
 * @param {string} day
 */
export const formatDay = (hass, day) => hass.formatEntityState({ entity_id: "date.day", state: day, attributes: {} });

/**
 * The day of a time in ISO format, in the time zone of the user's profile.
 *
 * @param {Hass} hass
 * @param {string} moment
 */
export const formatDate = (hass, moment) =>
  formatDay(hass, daysIn(hass.locale.time_zone === "server" ? hass.config.time_zone : undefined)(new Date(moment)));

/**
 * How long ago a time was, in the user's language.
 *
 * @param {Hass} hass
 * @param {number} moment
 * @returns {string}
 */
export const ago = (hass, moment) => {
  const minutes = Math.max(0, Math.round((Date.now() - moment) / 60000));
  const format = new Intl.RelativeTimeFormat(hass.locale.language, { numeric: "auto" });
  if (minutes < 90) return format.format(-minutes, "minute");
  return minutes < 36 * 60 ? format.format(-Math.round(minutes / 60), "hour") : format.format(-Math.round(minutes / 1440), "day");
};
