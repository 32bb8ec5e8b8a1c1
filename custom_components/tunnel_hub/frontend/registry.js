// Finds the devices of accounts, tunnels, nodes and so on, and their entities, in the registries.

const DOMAIN = "tunnel_hub";

export const ACCOUNT = "account";
export const CLIENT = "client";
export const NODE = "node";
export const PEER = "peer";
export const PROXY = "proxy";
export const PUBLIC_NODE = "public_node";
export const RELAY_NODE = "relay_node";
export const RULE = "rule";
export const SERVICE = "service";
export const TUNNEL = "tunnel";
export const USER = "user";
export const WATCHED = "watched_address";
export const WIREGUARD_PEER = "wireguard_peer";

/** @type {Record<string, string>} */
export const ICONS = {
  [ACCOUNT]: "mdi:account-circle",
  [CLIENT]: "mdi:laptop",
  [NODE]: "mdi:server-network",
  [PEER]: "mdi:graph",
  [PROXY]: "mdi:swap-horizontal-bold",
  [PUBLIC_NODE]: "mdi:server-network-outline",
  [RELAY_NODE]: "mdi:access-point-network",
  [RULE]: "mdi:routes",
  [SERVICE]: "mdi:cloud-outline",
  [TUNNEL]: "mdi:lan",
  [USER]: "mdi:account-multiple",
  [WATCHED]: "mdi:radar",
  [WIREGUARD_PEER]: "mdi:vpn",
};

/**
 * The kind of a device of the integration; undefined for other devices.
 *
 * @param {DeviceEntry} device
 * @returns {string | undefined}
 */
export const kindOf = (device) => keyOf(device)[1];

/**
 * The id of a device's resource at the service.
 *
 * @param {DeviceEntry} device
 */
export const idOf = (device) => keyOf(device).slice(2).join(":");

/**
 * @param {DeviceEntry} device
 * @returns {string[]}
 */
const keyOf = (device) => device.identifiers.find(([domain]) => domain === DOMAIN)?.[1].split(":") ?? [];

/**
 * Whether a thing is a node of a mesh; a tunnel there is also the link to a neighbour.
 *
 * @param {Thing} thing
 */
export const isOfMesh = ({ kind, entities }) =>
  kind === PEER || (kind === TUNNEL && "sensor.latency" in entities);

/**
 * Whether a mesh card shows a thing: the nodes of a mesh, and the clients of a server.
 *
 * @param {Thing} thing
 */
export const hasPicture = (thing) => isOfMesh(thing) || thing.kind === CLIENT;

/**
 * Whether a thing has a path to the outside: a tunnel, or an address that is watched.
 *
 * @param {{kind?: string}} thing
 */
export const hasPath = ({ kind }) => kind === TUNNEL || kind === WATCHED;

/**
 * The name of a device.
 *
 * @param {DeviceEntry} device
 * @returns {string}
 */
export const nameOf = (device) => device.name_by_user || device.name || "";

/**
 * The name of a device without the name of its account, for places below it.
 *
 * @param {Thing | undefined} account
 * @param {DeviceEntry} device
 */
export const nameBelow = (account, device) => {
  const name = nameOf(device);
  const suffix = account && [nameOf(account.device), account.device.name].map((each) => ` (${each})`).find((each) => name.endsWith(each));
  return suffix && !device.name_by_user ? name.slice(0, -suffix.length) : name;
};

/**
 * Cache the result of a function while its arguments are the same objects.
 *
 * @template {unknown[]} Parts
 * @template Made
 * @param {(...parts: Parts) => Made} make
 * @returns {(...parts: Parts) => Made}
 */
const remember = (make) => {
  /** @type {Made} */
  let made;
  /** @type {unknown[]} */
  let from = [];
  return (...parts) => {
    if (parts.some((part, index) => part !== from[index])) {
      made = make(...parts);
      from = parts;
    }
    return made;
  };
};

const gather = remember((
  /** @type {Hass["entities"]} */ entities,
  /** @type {Hass["devices"]} */ devices,
  /** @type {string} */ language,
) => {
  /** @type {Map<string, Thing>} */
  const things = new Map();
  for (const entity of Object.values(entities)) {
    const { entity_id, platform, device_id, translation_key, hidden } = entity;
    const device = devices[device_id];
    if (platform !== DOMAIN || hidden || !device) continue;
    const thing = things.get(device_id) ?? {
      device,
      kind: kindOf(device) ?? "",
      entry: device.config_entries[0],
      entities: {},
    };
    things.set(device_id, thing);
    const [domain] = entity_id.split(".");
    thing.entities[`${domain}.${translation_key}`] = entity_id;
  }
  const { compare } = new Intl.Collator(language, { numeric: true });
  return [...things.values()].sort((a, b) => compare(nameOf(a.device), nameOf(b.device)));
});

/**
 * All things with a visible entity, sorted by name.
 *
 * Each is {device, kind, entry, entities}: the device, its kind, the entry of the account, and the ids
 * of its entities by domain and key, such as "binary_sensor.online".
 *
 * @param {Hass} hass
 * @returns {Thing[]}
 */
export const thingsOf = ({ entities, devices, locale }) =>
  gather(entities, devices, locale.language);

const indexNodes = remember(
  (/** @type {Thing[]} */ things) =>
    new Map(
      things
        .filter(({ kind }) => kind === NODE)
        .map((node) => [`${node.entry}:${idOf(node.device)}`, node]),
    ),
);

/**
 * The node of a tunnel: of the same account, with the id in the tunnel's attributes. Several
 * nodes may have the same name.
 *
 * @param {Hass} hass
 * @param {Thing} tunnel
 * @returns {Thing | undefined}
 */
export const nodeOf = (hass, tunnel) =>
  indexNodes(thingsOf(hass)).get(
    `${tunnel.entry}:${stateOf(hass, tunnel, "sensor.node_name")?.attributes.node_id}`,
  );

/**
 * The nodes that tunnels run over.
 *
 * @param {Hass} hass
 */
export const usedNodes = (hass) =>
  new Set(
    thingsOf(hass)
      .filter(({ kind }) => kind === TUNNEL)
      .map((tunnel) => nodeOf(hass, tunnel)),
  );

/**
 * The state of a thing's entity; undefined if it has none.
 *
 * @param {Hass} hass
 * @param {Thing | undefined} thing
 * @param {string} key
 * @returns {HassEntity | undefined}
 */
export const stateOf = (hass, thing, key) => thing && hass.states[thing.entities[key]];
