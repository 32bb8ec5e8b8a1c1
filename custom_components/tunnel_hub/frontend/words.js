// Our own words, out of the integration's translations.

const CATEGORY = "common";
const DOMAIN = "tunnel_hub";

/**
 * Have our words loaded in the user's language; resolves to a `localize` that knows them.
 *
 * @param {Hass} hass
 */
export const preload = (hass) => hass.loadBackendTranslation(CATEGORY, DOMAIN);

/**
 * Say something in the user's language; "" until the words are loaded.
 *
 * @param {Hass} hass
 * @param {string} key
 * @param {Record<string, unknown>} [placeholders]
 */
export const translate = (hass, key, placeholders) =>
  hass.localize(`component.${DOMAIN}.${CATEGORY}.${key}`, placeholders);
