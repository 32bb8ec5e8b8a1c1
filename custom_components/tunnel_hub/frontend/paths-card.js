// The card that shows each tunnel's path from home to the outside, and where it is interrupted.

import { copy, fill, make, say, showMore } from "./elements.js";
import { adviceOf, flowsOf, INCONCLUSIVE, isKnown, isVisited, loadOf, pathsOf } from "./paths.js";
import { nameBelow, nameOf, stateOf, TUNNEL, thingsOf } from "./registry.js";
import { formatSpeed, Speedometer } from "./speed.js";
import { ago, conditionName, formatDate, formatDay, formatNumber, labeled, listed, preload, translate } from "./translations.js";
import { Uptimes } from "./uptime.js";

const STYLE = `
  /* Home Assistant's own colour of links is too faint for small text. */
  :host { display: block; --link-color: var(--primary-color); }
  @supports (color: color-mix(in srgb, red, blue)) {
    :host { --link-color: color-mix(in srgb, var(--primary-color) 70%, var(--primary-text-color)); }
  }
  ha-card { container-type: inline-size; height: 100%; }
  ul { list-style: none; margin: 0; padding: 0 16px; overflow: hidden; display: grid; column-gap: 32px; grid-template-columns: minmax(0, 1fr); }
  li { padding: 12px 0; min-width: 0; border-top: 1px solid var(--divider-color); margin-top: -1px; }
  .path { display: flex; align-items: start; }
  .title { display: flex; flex-wrap: wrap; gap: 4px 8px; margin-bottom: 8px; }
  .heading { max-width: 100%; }
  .name { display: block; font-weight: 500; overflow: hidden; text-overflow: ellipsis; }
  .name:hover { text-decoration: underline; }
  .service { color: var(--secondary-text-color); }
  .verdict { margin-inline-start: auto; display: inline-flex; align-items: center; gap: 4px; flex: none; }
  .verdict ha-icon { --mdc-icon-size: 18px; color: var(--way); }
  [data-way="up"] { --way: var(--success-color, #0a8a0a); }
  [data-way="down"] { --way: var(--error-color, #db4437); }
  [data-way="off"], [data-way="unknown"] { --way: var(--secondary-text-color, #727272); }
  button, a {
    all: unset; box-sizing: border-box; cursor: pointer; border-radius: 8px;
  }
  button:focus-visible, a:focus-visible { outline: 2px solid var(--primary-color); outline-offset: 2px; }
  .stop { flex: none; width: 19%; min-width: 64px; max-width: 190px; display: grid; align-content: start;
    justify-items: center; text-align: center; }
  .stop ha-icon { width: 40px; height: 40px; border-radius: 50%; display: grid; place-items: center;
    background: color-mix(in srgb, var(--way) 15%, transparent); color: var(--way); }
  .stop:hover ha-icon { background: color-mix(in srgb, var(--way) 28%, transparent); }
  .label, .detail { max-width: 100%; overflow: hidden; text-overflow: ellipsis; }
  .label { margin-top: 4px; white-space: nowrap; }
  .detail { color: var(--secondary-text-color); font-size: 12px; line-height: 16px;
    display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3; overflow-wrap: anywhere; }
  .way { flex: 1; position: relative; height: 40px; min-width: 8px; }
  .way::before { content: ""; position: absolute; top: 19px; left: 2px; right: 2px; height: 2px; background: var(--way); }
  .way:not([data-way="up"])::before { background: none; border-top: 2px dashed var(--way); height: 0; }
  .way[data-way="up"]::before {
    background: linear-gradient(90deg, var(--way) 60%, transparent 60%) 0 0 / 10px 2px;
    animation: flow 1s linear infinite;
  }
  .way[data-way="down"]::after { content: "✕"; position: absolute; top: 10px; left: 0; right: 0; text-align: center;
    color: var(--way); font-weight: bold; line-height: 20px; text-shadow: 0 0 3px var(--card-background-color),
    0 0 3px var(--card-background-color), 0 0 3px var(--card-background-color); }
  @keyframes flow { to { background-position-x: 10px; } }
  @media (prefers-reduced-motion: reduce) { .way::before { animation: none !important; } }
  .foot { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 12px; margin-top: 8px;
    color: var(--secondary-text-color); font-size: 12px; }
  .speeds { display: flex; gap: 12px; }
  .contradiction { margin-top: 8px; font-size: 12px; color: var(--way); }
  .days { display: flex; gap: 2px; height: 16px; margin-top: 8px; }
  .days span { flex: 1; border-radius: 2px; background: var(--way); min-width: 2px; }
  .days [data-way="unknown"] { opacity: 0.3; }
  .advice { margin-top: 8px; font-size: 12px; }
  .controls { display: flex; flex-wrap: wrap; gap: 4px 16px; align-items: center; margin-top: 8px; }
  .controls button { display: inline-flex; align-items: center; gap: 8px; padding: 4px 0; }
  .controls .press { color: var(--link-color); font-weight: 500; padding: 4px 8px; }
  .controls .press:hover { background: rgba(127, 127, 127, 0.15); }
  .controls [role="switch"]::before { content: ""; box-sizing: border-box; width: 32px; height: 18px; border-radius: 9px;
    border: 2px solid var(--secondary-text-color, #727272);
    background: radial-gradient(circle at 7px 7px, var(--secondary-text-color, #727272) 4.5px, transparent 5.5px); }
  .controls [aria-checked="true"]::before { border-color: var(--primary-color);
    background: radial-gradient(circle at 21px 7px, var(--card-background-color, #fff) 4.5px, transparent 5.5px) var(--primary-color); }
  .controls [aria-disabled="true"] { opacity: 0.5; cursor: default; }
  .check { margin-top: 8px; font-size: 12px; color: var(--secondary-text-color); }
  .reach { display: flex; align-items: center; gap: 4px; margin-inline-start: auto; min-width: 0; }
  .reach button, .reach a { color: var(--link-color); padding: 4px 8px; font-weight: 500; }
  .reach button:hover, .reach a:hover { background: color-mix(in srgb, var(--primary-color) 10%, transparent); }
  .more { display: block; width: 100%; padding: 12px 16px; text-align: center; font-weight: 500;
    color: var(--link-color); border-top: 1px solid var(--divider-color); }
  .empty { padding: 16px; color: var(--secondary-text-color); }
  [hidden] { display: none !important; }
  .told { display: none; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  @container (min-width: 900px) {
    ul { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  }
  @container (max-width: 480px) {
    .stop { width: 18%; min-width: 0; }
    .stop .detail { display: none; }
    .label { font-size: 12px; line-height: 16px; white-space: normal; display: -webkit-box;
      -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow-wrap: anywhere; }
    .told { display: inline; }
    .speeds { flex-basis: 100%; }
    .reach { flex: 1; justify-content: end; }
    .reach .told { margin-inline-end: auto; }
  }
`;

const STOPS = [
  ["home", "mdi:home"],
  ["tunnel", "mdi:lan"],
  ["node", "mdi:server-network"],
  ["outside", "mdi:earth"],
];
const TUNNEL_AT = 1;
const GOOD_DAY = 99;
const NODE_AT = 2;
/**
 * Switches and buttons with their labels.
 *
 * @type {Record<string, string>}
 */
const CONTROLS = {
  "switch.enabled": "hint_enabled",
  "switch.force_down": "hint_force_down",
  "button.force_offline": "hint_disconnect",
};
const MORE = 50;
/** @type {Record<Way, string>} */
const VERDICT_ICONS = { up: "mdi:check-circle", down: "mdi:alert-circle", off: "mdi:pause-circle",
  unknown: "mdi:help-circle" };

/** @typedef {{devices?: string[], limit?: number, controls?: boolean, below_account?: boolean}} PathsConfig */

/** One stop of a path: an icon with words, which shows more when it is pressed. */
class Stop {
  /** @param {string} icon */
  constructor(icon) {
    /** @type {string | undefined} */
    this._entityId = undefined;
    this._label = make("span", { className: "label" });
    this._detail = make("span", { className: "detail" });
    this.element = make("button", { className: "stop", type: "button" },
      make("ha-icon", { icon, "aria-hidden": "true" }), this._label, this._detail);
    this.element.addEventListener("click", () => this._entityId && showMore(this.element, this._entityId));
  }

  /**
   * @param {Hass} hass
   * @param {{label: string, detail?: string, way: Way, entityId?: string}} stop
   */
  render(hass, { label, detail, way, entityId }) {
    this._entityId = entityId;
    this.element.disabled = !entityId;
    this.element.dataset.way = way;
    this.element.title = labeled(hass, label, detail);
    say(this._label, label);
    // A long address is broken between its parts; words are at their spaces.
    say(this._detail, detail?.includes(" ") ? detail : detail?.replace(/[.:]/g, "\u200b$&"));
  }
}

/** One tunnel's row. */
class Row {
  /**
   * @param {PathsConfig} config
   * @param {(address: string) => void} tellCopied
   */
  constructor({ controls, below_account }, tellCopied) {
    this._hasControls = Boolean(controls);
    this._isBelowAccount = Boolean(below_account);
    /** @type {Map<string, any>} */
    this._buttons = new Map();
    this._name = make("a", { className: "name" });
    this._service = make("span", { className: "service" });
    this._verdictIcon = make("ha-icon", { "aria-hidden": "true" });
    this._verdictText = make("span");
    this._verdict = make("span", { className: "verdict" }, this._verdictIcon, this._verdictText);
    this._stops = STOPS.map(([, icon]) => new Stop(icon));
    this._ways = STOPS.slice(1).map(() => make("span", { className: "way", "aria-hidden": "true" }));
    this._speeds = make("span", { className: "speeds" });
    this._contradiction = make("div", { className: "contradiction", role: "note" });
    this._check = make("div", { className: "check" });
    this._days = make("div", { className: "days", role: "img", hidden: true });
    /** @type {import("./uptime.js").UptimeDay[] | undefined} */
    this._shownDays = undefined;
    this._advice = make("div", { className: "advice" });
    this._controls = make("div", { className: "controls", hidden: !controls });
    this._open = make("a", { target: "_blank", rel: "noreferrer" });
    this._copy = make("button", { type: "button" });
    this._told = make("span", { className: "told", "aria-hidden": "true" });
    this._reach = make("span", { className: "reach" }, this._told, this._open, this._copy);
    /** @type {string | undefined} */
    this._address = undefined;
    this._path = make(
      "div",
      { className: "path", role: "group" },
      ...this._stops.flatMap(({ element }, index) =>
        index ? [this._ways[index - 1], element] : [element],
      ),
    );
    this.element = make(
      "li",
      {},
      make("div", { className: "title" }, make("span", { className: "heading", role: "heading", "aria-level": 3 }, this._name),
        this._service, this._verdict),
      this._path,
      // Above what may appear when a switch is used, so that the switches stay where they are.
      this._controls,
      this._advice,
      this._contradiction,
      this._check,
      this._days,
      make("div", { className: "foot" }, this._speeds, this._reach),
    );

    this._copy.addEventListener("click", async () => {
      if (!this._address) return;
      await copy(this._address);
      tellCopied(this._address);
    });
  }

  /**
   * @param {Hass} hass
   * @param {TunnelPath} path
   * @param {Speedometer} speedometer
   * @param {Uptimes} uptimes
   */
  render(hass, path, speedometer, uptimes) {
    const { tunnel, node, account, home, address, url, ways, verdict, way } = path;
    /** @type {Localize} */
    const words = (key, placeholders) => translate(hass, key, placeholders);
    const name = nameBelow(this._isBelowAccount ? account : undefined, tunnel.device);
    say(this._name, name);
    this._name.href = `/config/devices/device/${tunnel.device.id}`;
    const isTunnel = tunnel.kind === TUNNEL;
    say(this._service, isTunnel ? tunnel.device.manufacturer : words("watched_addresses"));
    this._verdict.dataset.way = way;
    this._verdictIcon.icon = VERDICT_ICONS[way];
    say(this._verdictText, conditionName(hass, verdict));
    say(this._advice, adviceOf(hass, path));
    say(this._contradiction, path.contradiction && words(`path_says_${path.contradiction}`, {
      service: tunnel.device.manufacturer ?? "",
    }));
    // A tunnel that can be reached is not a problem, whatever the service reports.
    this._contradiction.dataset.way = path.contradiction === "online" ? "down" : "unknown";
    say(this._check, path.check || verdict === INCONCLUSIVE ? describeCheck(hass, tunnel) : "");
    this._showDays(hass, tunnel, uptimes);
    this._path.setAttribute("aria-label", labeled(hass, name, this._verdictText.textContent ?? ""));

    const load = loadOf(hass, path);
    const [toTunnel, toNode, toOutside] = ways;
    const stops = [
      {
        label: words("home"),
        detail: home?.state ?? (account && nameOf(account.device)),
        entityId: home?.entity_id,
      },
      {
        label: words("tunnel"),
        detail: describeAll(hass, tunnel, "sensor.protocol", "sensor.latency"),
        entityId: tunnel.entities["binary_sensor.online"],
      },
      {
        label: node ? nameOf(node.device) : (told(hass, tunnel, "sensor.node_name") ?? words("node")),
        detail: load && describe(hass, load),
        entityId: node?.entities["binary_sensor.online"] ?? tunnel.entities["sensor.node_name"],
      },
      {
        label: words(isVisited(hass, tunnel) ? "visitors" : "outside"),
        detail: address?.state ?? (isVisited(hass, tunnel) ? words("visitors_only") : undefined),
        entityId: address?.entity_id,
      },
    ];
    /** @type {Way[]} */
    const colours = [toTunnel === "down" ? (verdict === "no_local_service" ? "down" : "off") : toTunnel, toTunnel, toNode, toOutside];
    stops.forEach((stop, index) => {
      this._stops[index].render(hass, { ...stop, way: colours[index] });
    });
    ways.forEach((each, index) => {
      this._ways[index].dataset.way = each;
    });
    // Tunnels of some services use no node.
    const hasNode = Boolean(node || stops[NODE_AT].entityId);
    this._stops[TUNNEL_AT].element.hidden = this._ways[TUNNEL_AT - 1].hidden = !isTunnel;
    this._stops[NODE_AT].element.hidden = this._ways[NODE_AT - 1].hidden = !hasNode;

    fill(
      this._speeds,
      flowsOf(hass, path).map(({ direction, state, isCounter, isNodes: ofNode }) => {
        const told = hass.formatEntityState(state);
        const amount = isCounter
          ? (speedOf(hass, state, speedometer) ?? words("today", { amount: told }))
          : told;
        return make("span", { textContent: words(`${ofNode ? "node_" : ""}traffic_${direction}`, { amount }) });
      }),
    );

    this._control(hass, tunnel);
    this._reach.hidden = !address;
    say(this._told, address?.state);
    this._address = address?.state;
    this._open.hidden = !url;
    if (url) this._open.href = url;
    say(this._copy, words("copy"));
    this._copy.setAttribute("aria-label", words("copy_address", { name }));
    if (url) {
      say(this._open, words("open"));
      this._open.setAttribute("aria-label", words("open_address", { name }));
    }
  }

  /**
   * One bar for each of the last days.
   *
   * @param {Hass} hass
   * @param {Thing} thing
   * @param {Uptimes} uptimes
   */
  _showDays(hass, thing, uptimes) {
    const days = uptimes.daysOf(thing.entities["sensor.availability"]);
    if (days === this._shownDays) return;
    this._shownDays = days;
    this._days.hidden = !days.length;
    fill(
      this._days,
      days.map(({ day, mean }) => {
        const told = mean === undefined ? "–" : formatNumber(hass, mean, "%");
        const bar = make("span", { title: labeled(hass, formatDay(hass, day), told) });
        bar.dataset.way = wayOfDay(mean);
        return bar;
      }),
    );
    const whole = stateOf(hass, thing, "sensor.uptime_30_days");
    this._days.setAttribute("aria-label", isKnown(whole)
      ? labeled(hass, hass.formatEntityName(whole, { type: "entity" }), hass.formatEntityState(whole))
      : "");
  }

  /**
   * The switches and buttons of a tunnel, if the card shows them.
   *
   * @param {Hass} hass
   * @param {Thing} tunnel
   */
  _control(hass, { entities }) {
    if (!this._hasControls) return;
    const keys = Object.keys(CONTROLS).filter((key) => entities[key]);
    const before = this._buttons;
    this._buttons = new Map(keys.map((key) => [key, before.get(key) ?? make("button", { type: "button",
      ...(key.startsWith("switch.") ? { role: "switch" } : { className: "press" }) })]));
    fill(this._controls, [...this._buttons.values()]);
    for (const [key, button] of this._buttons) {
      const [domain] = key.split(".");
      button.title = translate(hass, CONTROLS[key]);
      const state = hass.states[entities[key]];
      const isThere = Boolean(state) && state?.state !== "unavailable";
      say(button, state ? hass.formatEntityName(state, { type: "entity" }) : "");
      button.setAttribute("aria-disabled", String(!isThere));
      if (domain === "switch") button.setAttribute("aria-checked", String(state?.state === "on"));
      button.onclick = () =>
        isThere && hass.callService(domain, domain === "switch" ? "toggle" : "press", { entity_id: entities[key] });
    }
  }
}

/**
 * The state of a day by its uptime.
 *
 * @param {number | undefined} mean
 * @returns {Way}
 */
const wayOfDay = (mean) => {
  if (mean === undefined) return "unknown";
  return mean >= GOOD_DAY ? "up" : "down";
};

/**
 * The state of a tunnel's entity, unless it is unknown.
 *
 * @param {Hass} hass
 * @param {Thing} tunnel
 * @param {string} key
 */
const told = (hass, tunnel, key) => {
  const state = stateOf(hass, tunnel, key);
  return isKnown(state) ? state.state : undefined;
};

/**
 * The results of a check besides the verdict: how long ago, how fast, and the state of the
 * certificate.
 *
 * @param {Hass} hass
 * @param {Thing} tunnel
 * @returns {string}
 */
const describeCheck = (hass, tunnel) => {
  const checked = stateOf(hass, tunnel, "sensor.last_check");
  if (!isKnown(checked)) return "";
  const time = stateOf(hass, tunnel, "sensor.response_time");
  const parts = [translate(hass, "checked_ago", { ago: ago(hass, Date.parse(checked.state)) })];
  if (isKnown(time)) parts.push(hass.formatEntityState(time));
  const trusted = stateOf(hass, tunnel, "binary_sensor.certificate_trusted");
  const expires = stateOf(hass, tunnel, "sensor.certificate_expires");
  if (trusted?.state === "off") {
    const reason = hass.formatEntityAttributeValue(trusted, "reason");
    parts.push(translate(hass, "certificate_not_trusted", { reason }));
  } else if (isKnown(expires)) {
    parts.push(translate(hass, "certificate_until", { date: formatDate(hass, expires.state) }));
  }
  return parts.join(" · ");
};

/**
 * The state of an entity; a percentage with its name, because it is unclear without.
 *
 * @param {Hass} hass
 * @param {HassEntity} state
 */
const describe = (hass, state) => {
  const words = hass.formatEntityState(state);
  return state.attributes.unit_of_measurement === "%"
    ? `${hass.formatEntityName(state, { type: "entity" })} ${words}`
    : words;
};

/**
 * @param {Hass} hass
 * @param {Thing} thing
 * @param {...string} keys
 */
const describeAll = (hass, thing, ...keys) =>
  listed(
    hass,
    keys
      .map((key) => stateOf(hass, thing, key))
      .filter((state) => isKnown(state))
      .map((state) => hass.formatEntityState(state)),
  );

/**
 * @param {Hass} hass
 * @param {HassEntity} state
 * @param {import("./speed.js").Speedometer} speedometer
 */
const speedOf = (hass, state, speedometer) => {
  const speed = speedometer.measure(state);
  return speed === undefined ? undefined : formatSpeed(hass, speed);
};

export class TunnelHubPathsCard extends HTMLElement {
  static getStubConfig() {
    return {};
  }

  static getConfigForm() {
    return {
      schema: [
        {
          name: "devices",
          selector: {
            device: {
              multiple: true,
              filter: ["Tunnel", "Watched address"].map((model) => ({ integration: "tunnel_hub", model })),
            },
          },
        },
        { name: "controls", selector: { boolean: {} } },
      ],
      computeLabel: (/** @type {{name: string}} */ { name }, /** @type {Localize} */ localize) =>
        localize(`component.tunnel_hub.common.${name === "devices" ? "tunnels" : "controls"}`),
    };
  }

  constructor() {
    super();
    /** @type {PathsConfig | undefined} */
    this._config = undefined;
    /** @type {Hass | undefined} */
    this._hass = undefined;
    /** @type {Thing[]} */
    this._things = [];
    /** @type {Map<string, Row>} */
    this._rows = new Map();
    this._speedometer = new Speedometer();
    this._uptimes = new Uptimes(() => this._show());
    this._shown = MORE;
    this._list = make("ul");
    this._more = make("button", { className: "more", type: "button" });
    this._empty = make("div", { className: "empty" });
    this._root = this.attachShadow({ mode: "open" });
    this._more.addEventListener("click", () => {
      this._shown += MORE;
      this._show();
    });
    this._root.append(make("style", { textContent: STYLE }), make("ha-card", {}, this._list, this._more, this._empty));
  }

  /**
   * config: {devices, limit, controls, below_account}: the ids of the tunnels' devices, all tunnels
   * if there are none; how many are shown before the user expands the list; whether to show their
   * switches; and whether the card is below the account's name.
   *
   * @param {PathsConfig} config
   */
  setConfig(config) {
    this._config = config;
    this._shown = config.limit ?? MORE;
    this._show();
  }

  /** @param {Hass} hass */
  set hass(hass) {
    const before = this._hass;
    this._hass = hass;
    if (before?.localize !== hass.localize && !translate(hass, "tunnels")) preload(hass);
    if (before?.entities !== hass.entities || before?.devices !== hass.devices) {
      this._things = thingsOf(hass);
    }
    this._show();
  }

  getCardSize() {
    return 3 * Math.max(1, this._rows.size);
  }

  getGridOptions() {
    return { columns: "full", min_columns: 6 };
  }

  /** Update the card, once both Home Assistant and the configuration are known. */
  _show() {
    const hass = this._hass;
    if (!hass || !this._config) return;
    const config = this._config;
    const all = pathsOf(hass, this._things, config.devices);
    const paths = all.slice(0, this._shown);
    const rows = new Map(
      paths.map(({ tunnel: { device } }) => [
        device.id,
        this._rows.get(device.id) ?? new Row(config, (address) => this._tellCopied(address)),
      ]),
    );
    if ([...rows.keys()].join() !== [...this._rows.keys()].join()) {
      const focused = /** @type {HTMLElement | null} */ (this._root.activeElement);
      fill(this._list, [...rows.values()].map(({ element }) => element));
      focused?.focus();
    }
    this._rows = rows;
    for (const path of paths) rows.get(path.tunnel.device.id)?.render(hass, path, this._speedometer, this._uptimes);
    this._uptimes.read(hass, paths.map(({ tunnel }) => tunnel.entities["sensor.availability"]).filter(Boolean));
    const hidden = all.length - paths.length;
    say(this._more, hidden ? translate(hass, "show_more", { count: hidden }) : "");
    say(this._empty, paths.length ? "" : translate(hass, "no_tunnels"));
    this._list.hidden = !paths.length;
  }

  /** @param {string} address */
  _tellCopied(address) {
    this.dispatchEvent(
      new CustomEvent("hass-notification", {
        bubbles: true,
        composed: true,
        detail: { message: this._hass && translate(this._hass, "copied", { address }) },
      }),
    );
  }
}
