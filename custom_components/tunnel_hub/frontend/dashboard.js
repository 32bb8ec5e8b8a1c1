// The dashboard that builds itself: what needs attention, accounts, tunnels, nodes and the rest.

import { ACCOUNT, NODE, PEER, RELAY_NODE, TUNNEL, nameOf, stateOf, thingsOf } from "./things.js";
import { preload, translate } from "./words.js";

const LOW_TRAFFIC = { "TiB": 5 / 1024, "GiB": 5, "MiB": 5 * 1024, "TB": 0.005, "GB": 5, "MB": 5000 };
const FULL_WIDTH = { columns: "full" };
const MDI = {
  [ACCOUNT]: "mdi:account",
  [NODE]: "mdi:server-network",
  [TUNNEL]: "mdi:lan",
};

const ofKind =
  (...wanted) =>
  ({ kind }) =>
    wanted.includes(kind);
const isAccount = ofKind(ACCOUNT);
const isNode = ofKind(NODE, RELAY_NODE);
const isPeer = ofKind(PEER);
const isTunnel = ofKind(TUNNEL);
const isOther = (thing) => ![isAccount, isNode, isPeer, isTunnel].some((belongs) => belongs(thing));

const is = (entity, state) => ({ condition: "state", entity, state });
const heading = (text, icon, more) => ({ type: "heading", heading: text, icon, ...more });
const tile = (entity, more) => ({ type: "tile", entity, ...more });
const toDevice = ({ device }) => ({
  tap_action: { action: "navigate", navigation_path: `/config/devices/device/${device.id}` },
});

/** Tiles of those entities that a thing has. */
const tiles = (thing, ...keys) =>
  keys
    .filter((key) => thing.entities[key])
    .map((key) => tile(thing.entities[key], { name: { type: "entity" } }));

const switches = (thing, ...keys) =>
  tiles(thing, ...keys).map((card) => ({ ...card, features: [{ type: "toggle" }] }));

const buttons = (thing, ...keys) =>
  tiles(thing, ...keys).map((card) => ({ ...card, hide_state: true, features: [{ type: "button" }] }));

// What needs attention

const BOTH_NAMES = [{ type: "device" }, { type: "entity" }];

/** What may be wrong with a thing: {entity, name, visibility}. */
const troublesOf = (hass, thing) =>
  Object.entries(thing.entities).flatMap(([key, entity]) => {
    const { device_class } = hass.states[entity]?.attributes ?? {};
    const trouble = (...visibility) => [{ thing, entity, name: BOTH_NAMES, visibility }];
    if (device_class === "problem") return trouble(is(entity, "on"));
    if (device_class === "connectivity") {
      return [{ ...trouble(is(entity, "off"), ...unlessMeant(thing))[0], name: { type: "device" } }];
    }
    if (key === "sensor.load") return trouble(is(entity, "high"));
    if (key === "binary_sensor.signed_in_today") return trouble(is(entity, "off"));
    const below = key === "sensor.traffic_left" && lowTraffic(hass, entity);
    return below ? trouble({ condition: "numeric_state", entity, below }) : [];
  });

/** A tunnel that somebody has switched off is no trouble. */
const unlessMeant = ({ entities }) => [
  ...(entities["switch.enabled"] ? [is(entities["switch.enabled"], "on")] : []),
  ...(entities["switch.force_down"] ? [is(entities["switch.force_down"], "off")] : []),
];

/** How much traffic is little, in the entity's unit. */
const lowTraffic = (hass, entity) =>
  LOW_TRAFFIC[hass.states[entity]?.attributes.unit_of_measurement];

const attention = (hass, things) => {
  const troubles = [isAccount, isTunnel, isNode, isPeer, isOther]
    .flatMap((belongs) => things.filter(belongs))
    .flatMap((thing) => troublesOf(hass, thing));
  return {
    type: "grid",
    cards: [
      heading(translate(hass, "attention"), "mdi:alert-circle-outline"),
      ...troubles.map(({ thing, entity, name, visibility }) =>
        tile(entity, { name, color: "red", visibility, ...toDevice(thing) }),
      ),
      {
        type: "empty-state",
        icon: "mdi:check-circle-outline",
        title: translate(hass, "all_well"),
        visibility: troubles.map(({ visibility }) => ({
          condition: "not",
          conditions: [{ condition: "and", conditions: visibility }],
        })),
      },
    ],
  };
};

// Accounts

const account = (hass, thing) => ({
  type: "grid",
  cards: [
    heading(nameOf(thing.device), MDI[ACCOUNT], toDevice(thing)),
    ...trafficGauge(hass, thing),
    ...tiles(
      thing,
      "binary_sensor.signed_in_today",
      "sensor.traffic_today",
      "sensor.traffic_in_today",
      "sensor.traffic_out_today",
      "sensor.active_paths",
      "sensor.rate_in",
      "sensor.rate_out",
      "sensor.sessions",
      "sensor.tunnels_used",
      "sensor.points",
      "sensor.connections",
    ),
    ...buttons(thing, "button.sign_in"),
  ],
});

/** The services tell no limit, so the gauge ends at the next round figure. */
const trafficGauge = (hass, thing) => {
  const state = stateOf(hass, thing, "sensor.traffic_left");
  const low = state && lowTraffic(hass, state.entity_id);
  if (!low) return [];
  const left = Math.max(Number(state.state) || 0, 4 * low);
  const magnitude = 10 ** Math.floor(Math.log10(left));
  return [
    {
      type: "gauge",
      entity: state.entity_id,
      needle: true,
      min: 0,
      max: magnitude * Math.ceil(left / magnitude),
      severity: { red: 0, yellow: low, green: 3 * low },
    },
  ];
};

const paths = (hass, tunnels) => ({
  type: "grid",
  column_span: 2,
  cards: [
    heading(translate(hass, "paths"), "mdi:transit-connection-variant"),
    {
      type: "custom:tunnel-hub-paths",
      devices: tunnels.map(({ device }) => device.id),
      grid_options: FULL_WIDTH,
    },
  ],
});

// Tunnels and nodes

const tunnel = (hass, thing) => ({
  type: "grid",
  cards: [
    {
      type: "custom:tunnel-hub-paths",
      devices: [thing.device.id],
      grid_options: FULL_WIDTH,
    },
    ...switches(thing, "switch.enabled", "switch.force_down"),
    ...tiles(
      thing,
      "sensor.connections",
      "sensor.traffic_in_today",
      "sensor.traffic_out_today",
    ),
    ...buttons(thing, "button.force_offline"),
  ],
});

const NODE_WORDS = ["sensor.load", "sensor.state", "sensor.clients", "sensor.connections"];
const NODE_SHARES = ["sensor.bandwidth_usage", "sensor.cpu_usage", "sensor.memory_usage"];

const node = (hass, thing) => {
  const { "binary_sensor.online": online, ...entities } = thing.entities;
  const shown = [...NODE_WORDS, ...NODE_SHARES];
  const more = Object.keys(entities).filter(
    (key) => !shown.includes(key) && !hass.entities[entities[key]].entity_category,
  );
  return {
    type: "grid",
    cards: [
      heading(nameOf(thing.device), MDI[NODE], {
        ...toDevice(thing),
        badges: online ? [{ type: "entity", entity: online, color: "state" }] : [],
      }),
      ...tiles(thing, ...NODE_WORDS),
      ...tiles(thing, ...NODE_SHARES).map((card) => ({
        ...card,
        features: [{ type: "trend-graph", hours_to_show: 24 }],
      })),
      ...tiles(thing, ...more),
    ],
  };
};

/** Any other thing: all that is not mere detail. */
const other = (hass, thing) => ({
  type: "grid",
  cards: [
    heading(nameOf(thing.device), undefined, toDevice(thing)),
    ...Object.values(thing.entities)
      .filter((entity) => !hass.entities[entity].entity_category)
      .map((entity) => tile(entity, { name: { type: "entity" } })),
  ],
});

const VIEWS = [
  { path: "tunnels", icon: MDI[TUNNEL], section: tunnel, has: isTunnel },
  { path: "nodes", icon: MDI[NODE], section: node, has: isNode },
  { path: "mesh", icon: "mdi:graph", section: other, has: isPeer },
  {
    path: "more",
    icon: "mdi:dots-horizontal-circle-outline",
    section: other,
    has: isOther,
  },
];

const sections = (path, title, icon, all) => ({
  type: "sections",
  path,
  title,
  icon,
  max_columns: 4,
  dense_section_placement: true,
  sections: all,
});

const overview = (hass, things) => {
  const tunnels = things.filter(isTunnel);
  const accounts = things.filter(isAccount);
  return sections("overview", translate(hass, "overview"), "mdi:view-dashboard", [
    attention(hass, things),
    // Some services tell nothing of an account itself.
    ...accounts.map((thing) => account(hass, thing)).filter(({ cards }) => cards.length > 1),
    ...(tunnels.length ? [paths(hass, tunnels)] : []),
  ]);
};

const nothing = (hass) => ({
  type: "panel",
  path: "overview",
  cards: [
    {
      type: "empty-state",
      icon: MDI[TUNNEL],
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

export class TunnelHubDashboard extends HTMLElement {
  static registryDependencies = ["devices", "entities"];

  static async generate(config, current) {
    const hass = { ...current, localize: await preload(current) };
    const things = thingsOf(hass);
    if (!things.length) return { title: "Tunnel Hub", views: [nothing(hass)] };
    return {
      title: "Tunnel Hub",
      views: [
        overview(hass, things),
        ...VIEWS.map(({ path, icon, section, has }) =>
          sections(
            path,
            translate(hass, path),
            icon,
            things.filter(has).map((thing) => section(hass, thing)),
          ),
        ).filter((view) => view.sections.length),
      ],
    };
  }
}
