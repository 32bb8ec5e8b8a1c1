// The card with problems by account, the worst first, and with controls to fix them.

import { attentionOf, BROKEN, WAITING } from "./attention.js";
import { fill, make, say } from "./elements.js";
import { nameBelow, nameOf, thingsOf } from "./registry.js";
import { ago, labeled, preload, translate } from "./translations.js";

const STYLE = `
  :host { display: block; --link-color: var(--primary-color); }
  @supports (color: color-mix(in srgb, red, blue)) {
    :host { --link-color: color-mix(in srgb, var(--primary-color) 70%, var(--primary-text-color)); }
  }
  .groups { padding: 4px 16px 12px; display: grid; grid-template-columns: repeat(auto-fill, minmax(260px, 1fr)); column-gap: 32px; }
  section { min-width: 0; }
  h3 { display: flex; align-items: center; gap: 8px; margin: 12px 0 4px; font-size: 14px; font-weight: 500; color: var(--secondary-text-color); }
  h3 span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  ul { list-style: none; margin: 0; padding: 0; }
  li { display: flex; align-items: center; gap: 12px; padding: 8px 0; }
  li + li { border-top: 1px solid var(--divider-color); }
  [data-severity="broken"] { --severity: var(--error-color, #db4437); }
  [data-severity="warning"] { --severity: var(--warning-color, #ffa600); }
  [data-severity="waiting"] { --severity: var(--info-color, #039be5); }
  li ha-icon { flex: none; color: var(--severity); }
  .text { flex: 1; min-width: 0; }
  .name { font-weight: 500; color: inherit; text-decoration: none; overflow-wrap: anywhere; }
  .name:hover { text-decoration: underline; }
  .condition { overflow-wrap: anywhere; }
  .detail { color: var(--secondary-text-color); font-size: 12px; line-height: 16px; }
  button { all: unset; box-sizing: border-box; cursor: pointer; border-radius: 8px; flex: none; padding: 6px 12px;
    font-weight: 500; color: var(--link-color); }
  button:hover { background: rgba(127, 127, 127, 0.15); }
  button:focus, a:focus { outline: 2px solid var(--primary-color); outline-offset: 2px; border-radius: 4px; }
  button:focus:not(:focus-visible), a:focus:not(:focus-visible) { outline: none; }
  .more { padding: 6px 0; }
  .well { display: flex; flex-direction: column; align-items: center; gap: 8px; padding: 32px 16px; color: var(--secondary-text-color); }
  .well ha-icon { --mdc-icon-size: 40px; color: var(--success-color, #43a047); }
  [hidden] { display: none !important; }
`;

/** @type {Record<Trouble["severity"], string>} */
const ICONS = { broken: "mdi:alert-circle", warning: "mdi:alert", waiting: "mdi:information-outline" };
/** Problems of each account that are shown before the user expands the list. */
const SHOWN = 3;
const SHOWN_ON_PHONES = 2;
const PHONE = 500;
/** Milliseconds between two updates while states change, and between updates of times. */
const PAUSE = 250;
const MINUTE = 60000;
/** A problem from this long after the account was loaded may be older. */
const LOADING = MINUTE;

/** One thing that needs attention. */
class Row {
  constructor() {
    this._icon = make("ha-icon");
    this._name = make("a", { className: "name" });
    this._condition = make("span", { className: "condition" });
    this._advice = make("div", { className: "detail" });
    this._since = make("div", { className: "detail" });
    this._action = make("button", { type: "button" });
    this.element = make("li", {}, this._icon,
      make("div", { className: "text" }, make("div", {}, this._name, " · ", this._condition), this._advice, this._since), this._action);
  }

  /**
   * @param {Hass} hass
   * @param {Thing | undefined} account
   * @param {Trouble} trouble
   * @param {string} since
   */
  render(hass, account, { thing, severity, condition, advice, action }, since) {
    this.element.dataset.severity = severity;
    this._icon.icon = ICONS[severity];
    this._icon.setAttribute("role", "img");
    this._icon.setAttribute("aria-label", translate(hass, `severity_${severity}`));
    say(this._name, nameBelow(account, thing.device));
    this._name.href = `/config/devices/device/${thing.device.id}`;
    say(this._condition, condition);
    say(this._advice, advice);
    say(this._since, since);
    say(this._action, action && translate(hass, action.word));
    if (!action) return;
    this._action.setAttribute("aria-label", labeled(hass, this._action.textContent ?? "", nameOf(thing.device)));
    this._action.onclick = () => hass.callService(action.domain, action.service, { entity_id: action.entity });
  }
}

/** What needs attention at one account. */
class Group {
  constructor() {
    /** @type {Map<string, Row>} */
    this._rows = new Map();
    this._isOpen = false;
    this._name = make("span");
    this._list = make("ul");
    this._more = make("button", { className: "more", type: "button" });
    this.element = make("section", {}, make("h3", {}, this._name), this._list, this._more);
  }

  /**
   * @param {Hass} hass
   * @param {Thing | undefined} account
   * @param {Trouble[]} troubles
   * @param {(trouble: Trouble) => string} since
   * @param {() => void} again
   * @param {number} most how many are shown before the user expands the list
   */
  render(hass, account, troubles, since, again, most) {
    say(this._name, account && nameOf(account.device));
    const shown = this._isOpen ? troubles : troubles.slice(0, most);
    const keys = shown.map(({ thing, entity }) => `${thing.device.id} ${entity}`);
    this._rows = new Map(keys.map((key) => [key, this._rows.get(key) ?? new Row()]));
    fill(this._list, [...this._rows.values()].map(({ element }) => element));
    shown.forEach((trouble, index) => {
      this._rows.get(keys[index])?.render(hass, account, trouble, since(trouble));
    });
    const hidden = troubles.length - shown.length;
    say(this._more, hidden ? translate(hass, "show_more", { count: hidden }) : "");
    this._more.onclick = () => {
      this._isOpen = true;
      again();
    };
  }
}

export class TunnelHubAttentionCard extends HTMLElement {
  static getStubConfig() {
    return {};
  }

  constructor() {
    super();
    /** @type {Hass | undefined} */
    this._hass = undefined;
    /** @type {Thing[]} */
    this._things = [];
    this._timer = 0;
    this._clock = 0;
    /** @type {Map<string, Group>} */
    this._groups = new Map();
    /** @type {Record<string, string>} */
    this._loaded = {};
    this._list = make("div", { className: "groups" });
    this._words = make("span");
    this._well = make("div", { className: "well" }, make("ha-icon", { icon: "mdi:check-circle-outline" }), this._words);
    this._root = this.attachShadow({ mode: "open" });
    this._root.append(make("style", { textContent: STYLE }), make("ha-card", {}, this._list, this._well));
  }

  setConfig() {}

  /** @param {Hass} hass */
  set hass(hass) {
    const before = this._hass;
    this._hass = hass;
    if (before?.localize !== hass.localize && !translate(hass, "tunnels")) preload(hass);
    if (before?.connection !== hass.connection || before?.devices !== hass.devices) this._learn(hass);
    const things = thingsOf(hass);
    const isSame = before?.localize === hass.localize && things === this._things &&
      things.every(({ entities }) => Object.values(entities).every((entity) => before?.states[entity] === hass.states[entity]));
    this._things = things;
    if (!isSame) this._showSoon();
  }

  connectedCallback() {
    this._clock = setInterval(() => this._show(), MINUTE);
  }

  disconnectedCallback() {
    clearInterval(this._clock);
  }

  /** States often change together. */
  _showSoon() {
    if (this._timer) return;
    this._timer = setTimeout(() => {
      this._timer = 0;
      this._show();
    }, PAUSE);
  }

  getCardSize() {
    return 6;
  }

  getGridOptions() {
    return { columns: "full", min_columns: 6 };
  }

  /**
   * Read when each account was loaded: problems from that time may be older.
   *
   * @param {Hass} hass
   */
  async _learn(hass) {
    try {
      this._loaded = await hass.callWS({ type: "tunnel_hub/loaded" });
    } catch {
      // Without it, the times are those of the states.
    }
    this._show();
  }

  _show() {
    const hass = this._hass;
    if (!hass) return;
    const found = attentionOf(hass, this._things);
    this._groups = new Map(found.map(({ troubles: [{ thing }] }) => [thing.entry, this._groups.get(thing.entry) ?? new Group()]));
    fill(this._list, [...this._groups.values()].map(({ element }) => element));
    const most = this.offsetWidth < PHONE ? SHOWN_ON_PHONES : SHOWN;
    const since = (/** @type {Trouble} */ trouble) => this._since(hass, trouble);
    for (const { account, troubles } of found) {
      this._groups.get(troubles[0].thing.entry)?.render(hass, account, troubles, since, () => this._show(), most);
    }
    this._list.hidden = !found.length;
    this._well.hidden = found.some(({ troubles }) => troubles[0].severity !== WAITING);
    say(this._words, translate(hass, "all_well"));
  }

  /**
   * @param {Hass} hass
   * @param {Trouble} trouble
   */
  _since(hass, { thing, severity, since }) {
    if (!since || severity === WAITING) return "";
    const loaded = Date.parse(this._loaded[thing.entry]);
    if (!since.isTold && since.moment < loaded + LOADING) return translate(hass, "since_loaded");
    return severity === BROKEN || since.isTold ? ago(hass, since.moment) : "";
  }
}
