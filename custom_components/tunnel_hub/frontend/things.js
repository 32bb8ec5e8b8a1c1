// Accounts, tunnels, nodes: our devices and their entities, out of Home Assistant's registries.

const DOMAIN = "tunnel_hub";

export const ACCOUNT = "account";
export const NODE = "node";
export const PEER = "peer";
export const RELAY_NODE = "relay_node";
export const TUNNEL = "tunnel";

/** Which kind of thing one of our devices is; undefined for another integration's. */
export const kindOf = (device) => {
  const identifier = device.identifiers.find(([domain]) => domain === DOMAIN);
  return identifier?.[1].split(":")[1];
};

/** What a device is called. */
export const nameOf = (device) => device.name_by_user || device.name || "";

/**
 * All our things that have an entity to show, by name.
 *
 * Each is {device, kind, entry, entities}: the device, what it is, the account's entry, and the ids
 * of its entities by what they are, such as "binary_sensor.online".
 */
export const thingsOf = (hass) => {
  const things = new Map();
  for (const { entity_id, platform, device_id, translation_key, hidden } of Object.values(
    hass.entities,
  )) {
    const device = hass.devices[device_id];
    if (platform !== DOMAIN || hidden || !device) continue;
    if (!things.has(device_id)) {
      things.set(device_id, {
        device,
        kind: kindOf(device),
        entry: device.config_entries[0],
        entities: {},
      });
    }
    const [domain] = entity_id.split(".");
    things.get(device_id).entities[`${domain}.${translation_key}`] = entity_id;
  }
  const { compare } = new Intl.Collator(hass.locale.language, { numeric: true });
  return [...things.values()].sort((a, b) => compare(nameOf(a.device), nameOf(b.device)));
};

/** The state of a thing's entity; undefined if it has none. */
export const stateOf = (hass, thing, key) => hass.states[thing?.entities[key]];
