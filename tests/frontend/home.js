// A minimal hass object, as Home Assistant's frontend passes it to the modules.

/**
 * Return a hass object with devices and their entities.
 * states: by domain and translation key; own: the service's id; entry: the account.
 *
 * @param {Record<string, {kind: string, name?: string, entry?: string, own?: string, states: Record<string, string | [string, object]>}>} things
 */
export const home = (things) => {
  const hass = {
    states: {},
    entities: {},
    devices: {},
    locale: { language: "en" },
    localize: (key) => key,
    formatEntityName: ({ entity_id }) => entity_id,
    formatEntityAttributeValue: ({ entity_id, attributes }, name) => `${entity_id} ${name} ${attributes[name]}`,
    formatEntityState: ({ state, attributes: { unit_of_measurement: unit } }) => unit ? `${state} ${unit}` : state,
  };
  for (const [id, { kind, name = id, entry = "entry", own = id, states }] of Object.entries(things)) {
    hass.devices[id] = {
      id,
      name,
      name_by_user: null,
      manufacturer: "HayFrp",
      identifiers: [["tunnel_hub", `${entry}:${kind}:${own}`]],
      config_entries: [entry],
    };
    for (const [key, given] of Object.entries(states)) {
      const [domain, translation_key] = key.split(".");
      const entity_id = `${domain}.${id}_${translation_key}`;
      const [state, attributes] = [given].flat();
      hass.entities[entity_id] = {
        entity_id,
        platform: "tunnel_hub",
        device_id: id,
        translation_key,
      };
      const last_changed = "2026-01-01T12:00:00Z";
      hass.states[entity_id] = { entity_id, state, attributes: attributes ?? {}, last_changed };
    }
  }
  return hass;
};
