// The dashboard strategy: problems, accounts, tunnels, nodes and everything else.

import { heading, headingOf, is, mainEntities, rows, tile, tiles, toDevice } from "./cards.js";
import { pathsOf } from "./paths.js";
import {
  ACCOUNT,
  CLIENT,
  hasPath,
  ICONS,
  isOfMesh,
  NODE,
  nameBelow,
  PEER,
  PROXY,
  PUBLIC_NODE,
  RELAY_NODE,
  RULE,
  SERVICE,
  TUNNEL,
  thingsOf,
  USER,
  usedNodes,
  WATCHED,
  WIREGUARD_PEER,
} from "./registry.js";
import { preload, translate } from "./translations.js";

const FULL_WIDTH = { columns: "full" };
const MOST_SECTIONS = 60;
const MOST_TILES = 8;
const MOST_PATHS = 8;
const MOST_COLUMNS = 4;

const ofKind =
  (/** @type {string[]} */ ...wanted) =>
  (/** @type {Thing} */ { kind }) =>
    wanted.includes(kind);

// Accounts

const SIGNED_IN = "binary_sensor.signed_in_today";
const ACCOUNT_KEYS = [
  "sensor.traffic_today",
  "sensor.traffic_in_today",
  "sensor.traffic_out_today",
  "sensor.rate_in",
  "sensor.rate_out",
  "sensor.active_paths",
  "sensor.sessions",
  "sensor.tunnels_used",
  "sensor.tunnels_online",
  "sensor.points",
  "sensor.connections",
];

/**
 * @param {Thing} thing
 * @param {Thing[]} things
 */
const account = (thing, things) => {
  const relays = things.filter(({ kind, entry }) => kind === RELAY_NODE && entry === thing.entry);
  const cards = [
    ...graphs(thing, "sensor.traffic_left"),
    ...tiles(thing, SIGNED_IN).map((card) => ({ ...card, color: "green" })),
    ...tiles(thing, ...ACCOUNT_KEYS),
    ...signIn(thing),
    ...relays.slice(0, MOST_TILES).flatMap((relay) => relayTile(thing, relay)),
  ];
  // Some services have no data of the account itself.
  return cards.length ? [headingOf(thing, ICONS[ACCOUNT]), ...cards] : [];
};

/**
 * @param {Thing[]} things
 */
const accounts = (things) => ({
  type: "grid",
  column_span: MOST_COLUMNS,
  cards: things.filter(ofKind(ACCOUNT)).flatMap((thing) => account(thing, things)),
});

/**
 * The sign-in button, until the account has signed in today.
 *
 * @param {Thing} thing
 * @returns {Config[]}
 */
const signIn = (thing) =>
  tiles(thing, "button.sign_in").map((card) => ({
    ...card,
    hide_state: true,
    features: [{ type: "button" }],
    features_position: "inline",
    grid_options: { columns: 12 },
    visibility: [is(thing.entities[SIGNED_IN], "off")],
  }));

/**
 * @param {Thing} owner
 * @param {Thing} thing
 */
const relayTile = (owner, thing) =>
  [thing.entities["binary_sensor.online"]].filter(Boolean).map((entity) =>
    tile(entity, {
      name: nameBelow(owner, thing.device),
      icon: ICONS[RELAY_NODE],
      color: "green",
      ...toDevice(thing),
    }),
  );

// Tunnels

/** @param {Hass} hass */
const paths = (hass) => ({
  type: "grid",
  column_span: MOST_COLUMNS,
  cards: [
    heading(translate(hass, "paths"), "mdi:transit-connection-variant"),
    { type: "custom:tunnel-hub-paths", limit: MOST_PATHS, grid_options: FULL_WIDTH },
  ],
});

/**
 * A card for each tunnel with its switches, by account.
 *
 * @param {Hass} hass
 * @param {Thing[]} things
 */
const tunnels = (hass, things) => {
  // Both ends of one tunnel have one card.
  const wanted = new Set(pathsOf(hass, things, undefined).map(({ tunnel }) => tunnel.device.id));
  const all = things.filter(({ device }) => wanted.has(device.id));
  const shown = all.slice(0, MOST_SECTIONS);
  const owners = new Map(things.filter(ofKind(ACCOUNT)).map((thing) => [thing.entry, thing]));
  const entries = new Set([...owners.keys(), ...shown.map(({ entry }) => entry)]);
  const sections = [...entries].map((wantedEntry) => {
    const owner = owners.get(wantedEntry);
    return {
      type: "grid",
      column_span: MOST_COLUMNS,
      cards: [
        owner ? headingOf(owner, ICONS[ACCOUNT]) : heading(translate(hass, "watched_addresses"), ICONS[WATCHED]),
        ...shown.filter(({ entry }) => entry === wantedEntry).map(({ device }) => ({
          type: "custom:tunnel-hub-paths",
          devices: [device.id],
          controls: true,
          below_account: true,
          grid_options: { columns: 12 },
        })),
      ],
    };
  });
  return [
    ...sections.filter(({ cards }) => cards.length > 1),
    ...(all.length > shown.length ? [others(hass, all.length)] : []),
  ];
};

// Nodes and peers

const FIRST_KEYS = [
  "sensor.load",
  "sensor.state",
  "sensor.phase",
  "sensor.latency",
  "sensor.clients",
  "sensor.connections",
];
const GRAPH_KEYS = [
  "sensor.bandwidth_usage",
  "sensor.cpu_usage",
  "sensor.memory_usage",
  "sensor.bandwidth",
  "sensor.rate_in",
  "sensor.rate_out",
];
const HEADING_KEYS = ["binary_sensor.online", "binary_sensor.connected"];

/**
 * A heading with the name of a thing and its state.
 *
 * @param {Thing} thing
 * @param {string} icon
 */
const online = (thing, icon) =>
  headingOf(thing, icon, {
    badges: HEADING_KEYS.map((key) => thing.entities[key])
      .filter(Boolean)
      .map((entity) => ({ type: "entity", entity, color: "green" })),
  });

/**
 * Tiles with a graph of the last day.
 *
 * @param {Thing} thing
 * @param {...string} keys
 */
const graphs = (thing, ...keys) =>
  tiles(thing, ...keys).map((card) => ({
    ...card,
    features: [{ type: "trend-graph", hours_to_show: 24 }],
  }));

/**
 * @param {Hass} hass
 * @param {Thing} thing
 */
const node = (hass, thing) => {
  const shown = [...FIRST_KEYS, ...GRAPH_KEYS, ...HEADING_KEYS];
  const more = mainEntities(hass, thing)
    .map(([key]) => key)
    .filter((key) => !shown.includes(key) && !key.startsWith("button."));
  return {
    type: "grid",
    cards: [
      online(thing, ICONS[thing.kind]),
      ...graphs(thing, ...GRAPH_KEYS),
      ...tiles(thing, ...FIRST_KEYS, ...more),
    ],
  };
};

/**
 * @param {Hass} _hass
 * @param {Thing} thing
 */
const peer = (_hass, thing) => ({
  type: "grid",
  cards: [
    online(thing, ICONS[PEER]),
    ...graphs(thing, ...GRAPH_KEYS),
    ...tiles(thing, "switch.nested", "sensor.latency"),
  ],
});

/**
 * The mesh card of each hub, or of the clients of each server.
 *
 * @param {Thing[]} things
 * @param {(thing: Thing) => boolean} isPart
 */
const pictures = (things, isPart) => {
  const entries = new Set(things.filter(isPart).map(({ entry }) => entry));
  return things
    .filter(({ kind, entry }) => kind === ACCOUNT && entries.has(entry))
    .map((hub) => ({
      type: "grid",
      column_span: MOST_COLUMNS,
      cards: [
        headingOf(hub, isPart === isOfMesh ? ICONS[PEER] : ICONS[CLIENT]),
        { type: "custom:tunnel-hub-mesh", device: hub.device.id, grid_options: FULL_WIDTH },
      ],
    }));
};

// Everything else, by kind

const MORE = [
  ["clients", CLIENT],
  ["users", USER],
  ["rules", RULE],
  ["proxies", PROXY],
  ["wireguard_peers", WIREGUARD_PEER],
  ["services", SERVICE],
];

/**
 * @param {Hass} hass
 * @param {Thing[]} things
 */
const moreOf = (hass, things) =>
  MORE.flatMap(([word, kind]) => {
    const chosen = things.filter(ofKind(kind));
    return chosen.length
      ? [
          {
            type: "grid",
            cards: [
              heading(translate(hass, word), ICONS[kind]),
              ...chosen.slice(0, MOST_SECTIONS).flatMap((thing) => [
                headingOf(thing, undefined, { heading_style: "subtitle" }),
                rows(mainEntities(hass, thing).map(([, entity]) => entity)),
              ]),
            ],
          },
        ]
      : [];
  });

// Views

/**
 * @param {string} path
 * @param {string | null | undefined} title
 * @param {string | undefined} icon
 * @param {Config[]} sections
 */
const view = (path, title, icon, sections) => ({
  type: "sections",
  path,
  title,
  icon,
  show_icon_and_title: true,
  max_columns: MOST_COLUMNS,
  dense_section_placement: true,
  sections,
});

/**
 * A section for each thing, and a link to the others if there are too many for a page.
 *
 * @param {Hass} hass
 * @param {Thing[]} things
 * @param {(hass: Hass, thing: Thing) => Config} section
 */
const each = (hass, things, section) => [
  ...things.slice(0, MOST_SECTIONS).map((thing) => section(hass, thing)),
  ...(things.length > MOST_SECTIONS ? [others(hass, things.length)] : []),
];

/**
 * @param {Hass} hass
 * @param {number} count
 */
const others = (hass, count) => ({
  type: "grid",
  cards: [
    heading(translate(hass, "all_devices", { count }), "mdi:dots-horizontal", {
      tap_action: {
        action: "navigate",
        navigation_path: "/config/devices/dashboard?historyBack=1&domain=tunnel_hub",
      },
    }),
  ],
});

/**
 * @param {Hass} hass
 * @param {Thing[]} things
 */
const overview = (hass, things) => [
  {
    type: "grid",
    column_span: MOST_COLUMNS,
    cards: [
      heading(translate(hass, "attention"), "mdi:alert-circle-outline"),
      { type: "custom:tunnel-hub-attention", grid_options: FULL_WIDTH },
    ],
  },
  accounts(things),
  ...(things.some(hasPath) ? [paths(hass)] : []),
];

/**
 * Nodes in use first.
 *
 * @param {Hass} hass
 * @param {Thing[]} things
 */
const nodes = (hass, things) => {
  const used = usedNodes(hass);
  return things.filter(ofKind(NODE)).sort((a, b) => Number(used.has(b)) - Number(used.has(a)));
};

/**
 * @param {Hass} hass
 * @param {Thing[]} things
 */
const views = (hass, things) => {
  const relays = things.filter(ofKind(RELAY_NODE, PUBLIC_NODE));
  const say = (/** @type {string} */ word) => translate(hass, word);
  return [
    view("overview", say("overview"), "mdi:view-dashboard", overview(hass, things)),
    view("tunnels", say("tunnels"), ICONS[TUNNEL], tunnels(hass, things)),
    view("nodes", say("nodes"), ICONS[NODE], each(hass, nodes(hass, things), node)),
    view("mesh", say("mesh"), ICONS[PEER], [
      ...pictures(things, isOfMesh),
      ...each(hass, things.filter(isOfMesh), peer),
    ]),
    view("relays", relays[0]?.device.manufacturer, ICONS[RELAY_NODE], each(hass, relays, node)),
    view("more", say("more"), "mdi:dots-horizontal-circle-outline", [
      ...pictures(things, ofKind(CLIENT)),
      ...moreOf(hass, things),
    ]),
  ].filter(({ sections }) => sections.length);
};

/** @param {Hass} hass */
const nothing = (hass) => ({
  type: "panel",
  path: "overview",
  cards: [
    {
      type: "empty-state",
      icon: ICONS[TUNNEL],
      title: translate(hass, "nothing"),
      content: translate(hass, "nothing_text"),
      buttons: [
        {
          text: translate(hass, "add_account"),
          tap_action: {
            action: "navigate",
            navigation_path: "/config/integrations/integration/tunnel_hub",
          },
        },
      ],
    },
  ],
});

/**
 * The configuration of the whole dashboard, in the user's language.
 *
 * @param {Hass} current
 */
export const generate = async (current) => {
  const hass = { ...current, localize: await preload(current) };
  const things = thingsOf(hass);
  return {
    title: "Tunnel Hub",
    views: things.length ? views(hass, things) : [nothing(hass)],
  };
};
