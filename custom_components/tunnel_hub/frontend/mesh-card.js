// The card that draws a mesh: nodes and links with current data, at the positions of the node's console.

import { draw, fill, make, say } from "./elements.js";
import { isServer, meshOf } from "./mesh.js";
import { ACCOUNT, hasPicture, thingsOf } from "./registry.js";
import { formatSpeed } from "./speed.js";
import { conditionName, formatNumber, labeled, listed, preload, translate } from "./translations.js";

const STYLE = `
  :host { display: block; }
  .picture { overflow: auto; max-height: 80vh; padding: 8px; outline: none; }
  svg { display: block; margin: auto; width: 100%; height: auto; font-size: 12px; user-select: none; -webkit-user-select: none; }
  [data-way="up"] { --way: var(--success-color, #0a8a0a); }
  [data-way="down"] { --way: var(--error-color, #db4437); }
  [data-way="off"], [data-way="unknown"] { --way: var(--secondary-text-color, #727272); }
  line { stroke: var(--way); stroke-width: 2; }
  [data-way="down"] line { stroke-dasharray: 6 5; }
  [data-way="off"] line, [data-way="unknown"] line { stroke-dasharray: 2 5; }
  circle { fill: var(--card-background-color, #fff); stroke: var(--way); stroke-width: 3; }
  [data-way="down"] circle { stroke-dasharray: 6 4; }
  [data-way="off"] circle, [data-way="unknown"] circle { stroke-dasharray: 2 4; }
  .dot { fill: var(--way); stroke: none; }
  text { fill: var(--primary-text-color, #212121); text-anchor: middle; paint-order: stroke;
    stroke: var(--card-background-color, #fff); stroke-width: 4px; stroke-linejoin: round; }
  .node { cursor: pointer; outline: none; }
  .node.movable { touch-action: none; }
  .name { font-weight: 500; }
  .small { font-size: 11px; fill: var(--secondary-text-color, #727272); }
  .broken { fill: var(--error-color, #db4437); font-size: 15px; font-weight: bold; }
  .ring { display: none; fill: none; stroke: var(--primary-color, #03a9f4); stroke-width: 3; stroke-dasharray: none !important; }
  .node:focus .ring { display: inline; }
  .hint, .empty { padding: 0 16px 8px; color: var(--secondary-text-color, #727272); font-size: 12px; }
  .empty { padding: 16px; font-size: inherit; }
  details { padding: 0 16px 12px; overflow-x: auto; }
  summary { cursor: pointer; padding: 8px 0; font-weight: 500; }
  table { border-collapse: collapse; width: 100%; }
  th, td { text-align: start; padding: 4px 12px 4px 0; border-top: 1px solid var(--divider-color, #ddd); vertical-align: top; }
  thead th { border: 0; color: var(--secondary-text-color, #727272); font-weight: 500; white-space: nowrap; }
  tbody th { font-weight: 500; overflow-wrap: anywhere; min-width: 5em; }
  td { white-space: nowrap; }
  td:last-child { white-space: normal; min-width: 8em; }
  .state::before { content: ""; display: inline-block; width: 8px; height: 8px; border-radius: 50%; margin-inline-end: 6px; background: var(--way); }
  [hidden] { display: none !important; }
`;

const RADIUS = 16;
const MARGIN = 70;
/** Nodes have more text here than in the console, so distances are larger by this factor. */
const SCALE = 1.4;
/** The position of a link's text, as a part of the way to the farther node. */
const LABEL = 0.66;
const STEP = 10;
const MOST_LETTERS = 16;
/** Pixels of movement up to which a touch is not a drag. */
const SLIP = 5;
/** Milliseconds without another key after which a place is stored, and until an ended view is opened again. */
const PAUSE = 800;
const AGAIN = 5000;
/** @type {Record<Way, string>} */
const CONDITIONS = { up: "link_up", down: "link_down", off: "disabled", unknown: "not_known" };
const COLUMNS = ["node", "link_state", "latency", "rate_in", "rate_out", "leaves_here"];
/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** @param {string} text */
const shortened = (text) => (text.length > MOST_LETTERS ? `${text.slice(0, MOST_LETTERS - 1)}…` : text);

/**
 * @param {Element} element
 * @param {Record<string, unknown>} attributes
 */
const set = (element, attributes) => {
  for (const [name, value] of Object.entries(attributes)) {
    if (element.getAttribute(name) !== String(value)) element.setAttribute(name, String(value));
  }
};

/**
 * The texts of a node or a link, in the user's language.
 *
 * @param {Hass} hass
 */
const describe = (hass) => {
  const ms = (/** @type {number | null} */ latency) => (latency === null ? "" : formatNumber(hass, latency, "ms"));
  const speed = (/** @type {number | null} */ rate) => (rate === null ? "" : formatSpeed(hass, rate));
  return {
    ms,
    speed,
    state: (/** @type {Way} */ way) => conditionName(hass, CONDITIONS[way]),
    exits: (/** @type {MeshVertex} */ { exits }) => listed(hass, exits.map(({ name }) => name)),
    rates: (/** @type {MeshLink} */ { rateIn, rateOut }) =>
      rateIn || rateOut ? [`↓ ${speed(rateIn)}`, `↑ ${speed(rateOut)}`] : [],
  };
};

/** A node in the drawing. */
class NodeShape {
  constructor() {
    this.name = draw("text", { class: "name", y: RADIUS + 16 });
    this.latency = draw("text", { class: "small", y: RADIUS + 30 });
    this.exits = draw("text", { class: "small" });
    this.dot = draw("circle", { class: "dot", r: 6 });
    this.title = draw("title", {});
    this.element = draw("g", { class: "node", role: "link", tabindex: 0 }, this.title, draw("circle", { class: "ring", r: RADIUS + 5 }),
      draw("circle", { r: RADIUS }), this.dot, this.name, this.latency, this.exits);
  }

  /**
   * @param {Hass} hass
   * @param {MeshVertex} vertex
   */
  render(hass, vertex) {
    const words = describe(hass);
    const exits = words.exits(vertex);
    const latency = vertex.isSelf ? "" : words.ms(vertex.latency);
    const state = vertex.isSelf ? translate(hass, "this_node") : words.state(vertex.way);
    const leaves = exits && labeled(hass, translate(hass, "leaves_here"), exits);
    this.name.textContent = shortened(vertex.name);
    this.latency.textContent = latency;
    this.exits.textContent = exits && `⇥ ${shortened(exits)}`;
    const told = listed(hass, [vertex.name, state, latency, leaves]);
    this.title.textContent = told;
    set(this.element, { "aria-label": told, "data-way": vertex.way, "data-key": vertex.key });
    set(this.exits, { y: vertex.isSelf ? -RADIUS - 8 : RADIUS + 44 });
    // The hub, and nodes with peers behind them, are filled.
    set(this.dot, { r: vertex.isSelf ? RADIUS - 5 : vertex.places.some(({ node }) => node.nested) ? 8 : 4 });
    this.placeAt(vertex);
  }

  /** @param {{x: number, y: number}} place */
  placeAt({ x, y }) {
    set(this.element, { transform: `translate(${x * SCALE} ${y * SCALE})` });
  }
}

/** A link in the drawing. Screen readers use its nodes and the table instead. */
class LinkShape {
  constructor() {
    this.line = draw("line", {});
    this.lines = [-10, 4, 18].map((y) => draw("text", { class: "small", y }));
    this.broken = draw("text", { class: "broken", y: 5 });
    this.label = draw("g", {}, ...this.lines, this.broken);
    this.element = draw("g", { class: "link", "aria-hidden": "true" }, this.line, this.label);
  }

  /**
   * @param {Hass} hass
   * @param {MeshLink} link
   */
  render(hass, link) {
    const words = describe(hass);
    const isUp = link.way === "up";
    const told = isUp ? [words.ms(link.latency), ...words.rates(link)] : [];
    this.lines.forEach((line, index) => {
      line.textContent = told[index] ?? "";
    });
    this.broken.textContent = link.way === "down" ? "✕" : "";
    set(this.element, { "data-way": link.way });
  }

  /**
   * @param {MeshVertex} from
   * @param {MeshVertex} to
   */
  connect(from, to) {
    const [x1, y1, x2, y2] = [from.x, from.y, to.x, to.y].map((each) => each * SCALE);
    set(this.line, { x1, y1, x2, y2 });
    set(this.label, { transform: `translate(${x1 + (x2 - x1) * LABEL} ${y1 + (y2 - y1) * LABEL})` });
  }
}

export class TunnelHubMeshCard extends HTMLElement {
  static getStubConfig() {
    return {};
  }

  static getConfigForm() {
    return {
      schema: [{ name: "device", selector: { device: { filter: ["Hub", "Server"].map((model) => ({ integration: "tunnel_hub", model })) } } }],
      computeLabel: (/** @type {unknown} */ _, /** @type {Localize} */ localize) => localize("component.tunnel_hub.common.this_node"),
    };
  }

  constructor() {
    super();
    /** @type {{device?: string} | undefined} */
    this._config = undefined;
    /** @type {Hass | undefined} */
    this._hass = undefined;
    /** @type {MeshPicture | undefined} */
    this._picture = undefined;
    /** @type {Mesh} */
    this._mesh = { vertices: [], links: [] };
    /** @type {Map<string, NodeShape>} */
    this._nodes = new Map();
    /** @type {Map<string, LinkShape>} */
    this._links = new Map();
    /** @type {Promise<() => Promise<void>> | undefined} */
    this._subscription = undefined;
    /** @type {string | undefined} */
    this._subscribed = undefined;
    /** @type {{vertex: MeshVertex, x: number, y: number, moved: boolean, start: DOMPoint | SVGPoint} | undefined} */
    this._dragged = undefined;
    this._timer = 0;
    this._lines = draw("g", {});
    this._circles = draw("g", {});
    this._svg = draw("svg", { role: "group", "aria-describedby": "hint" }, this._lines, this._circles);
    this._hint = make("div", { className: "hint", id: "hint" });
    this._empty = make("div", { className: "empty" });
    this._summary = make("summary");
    this._columns = COLUMNS.map(() => make("th", { scope: "col" }));
    /** @type {Map<string, any>} */
    this._rows = new Map();
    this._body = make("tbody");
    this._table = make("details", {}, this._summary, make("table", {}, make("thead", {}, make("tr", {}, ...this._columns)), this._body));
    this._scroll = make("div", { className: "picture" }, this._svg);
    this._root = this.attachShadow({ mode: "open" });
    this._root.append(make("style", { textContent: STYLE }),
      make("ha-card", {}, this._scroll, this._hint, this._table, this._empty));
    this._table.addEventListener("toggle", () => this._hass && this._tell(this._hass));
    this._svg.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => this._begin(event));
    this._svg.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => this._drag(event));
    this._svg.addEventListener("pointerup", (/** @type {PointerEvent} */ event) => this._drop(event));
    this._svg.addEventListener("pointercancel", () => this._giveUp());
    this._svg.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this._press(event));
  }

  /** @param {{device?: string}} config device: the id of the node's device; the first node without one. */
  setConfig(config) {
    this._config = config;
    this._follow();
  }

  /** @param {Hass} hass */
  set hass(hass) {
    const before = this._hass;
    this._hass = hass;
    if (before?.localize !== hass.localize && !translate(hass, "tunnels")) preload(hass);
    if (before?.devices !== hass.devices || before?.connection !== hass.connection) this._follow();
    if (before?.localize !== hass.localize || before?.locale !== hass.locale) this._show();
  }

  connectedCallback() {
    this._follow();
  }

  disconnectedCallback() {
    this._leave();
  }

  getCardSize() {
    return 8;
  }

  getGridOptions() {
    return { columns: "full", min_columns: 6 };
  }

  // The subscription, while the card is on the page

  _follow() {
    const device = this._config && this._hass && this.isConnected ? (this._config.device ?? firstHub(this._hass)) : undefined;
    if (device === this._subscribed) return;
    this._leave();
    const connection = this._hass?.connection;
    if (!device || !connection) {
      this._show();
      return;
    }
    this._subscribed = device;
    const show = (/** @type {MeshPicture | null} */ picture) => {
      if (this._subscribed !== device) return;
      if (picture === null) this._retry(device);
      else this._take(picture);
    };
    this._subscription = connection.subscribeMessage(show, { type: "tunnel_hub/subscribe_mesh", device_id: device });
    this._subscription.catch(() => this._retry(device));
  }

  /**
   * Subscribe again after a pause: an entry may just be reloading.
   *
   * @param {string} device
   */
  _retry(device) {
    if (this._subscribed !== device) return;
    this._leave();
    this._subscribed = device;
    setTimeout(() => {
      if (this._subscribed !== device || this._subscription) return;
      this._subscribed = undefined;
      this._follow();
    }, AGAIN);
  }

  _leave() {
    this._subscription?.then((stop) => stop()).catch(() => {});
    this._subscription = this._subscribed = undefined;
  }

  /** @param {MeshPicture} picture */
  _take(picture) {
    this._picture = picture;
    this._show();
  }

  _show() {
    const hass = this._hass;
    if (!hass) return;
    const picture = this._picture;
    this._scroll.hidden = this._table.hidden = !picture;
    say(this._empty, picture ? "" : translate(hass, "no_mesh"));
    const canMove = this._canMove;
    say(this._hint, canMove ? translate(hass, "mesh_arrange") : "");
    if (!picture) return;
    const dragged = this._dragged?.vertex;
    this._mesh = meshOf(picture);
    for (const vertex of this._mesh.vertices) {
      if (vertex.key === dragged?.key) Object.assign(vertex, { x: dragged.x, y: dragged.y });
      if (this._dragged && vertex.key === dragged?.key) this._dragged.vertex = vertex;
    }
    const { vertices, links } = this._mesh;
    this._nodes = keep(this._nodes, vertices.map(({ key }) => key), () => new NodeShape());
    this._links = keep(this._links, links.map(({ id }) => id), () => new LinkShape());
    fill(this._circles, [...this._nodes.values()].map(({ element }) => element));
    fill(this._lines, [...this._links.values()].map(({ element }) => element));
    const title = isServer(picture) ? "clients_of" : "mesh_of";
    set(this._svg, { "aria-label": translate(hass, title, { name: picture.self.name }) });
    for (const vertex of vertices) {
      const shape = this._nodes.get(vertex.key);
      shape?.render(hass, vertex);
      shape?.element.classList.toggle("movable", canMove);
    }
    for (const link of links) this._links.get(link.id)?.render(hass, link);
    this._moveLinks();
    if (!this._dragged) this._frame();
    this._tell(hass);
  }

  /** The drawing is as large as its nodes need, and not much larger than in the console. */
  _frame() {
    const xs = this._mesh.vertices.map(({ x }) => x * SCALE);
    const ys = this._mesh.vertices.map(({ y }) => y * SCALE);
    const [left, top] = [Math.min(...xs) - MARGIN, Math.min(...ys) - MARGIN];
    const [width, height] = [Math.max(...xs) + MARGIN - left, Math.max(...ys) + MARGIN - top];
    const isFirst = !this._svg.hasAttribute("viewBox");
    set(this._svg, { viewBox: `${left} ${top} ${width} ${height}`, style: `min-width: ${width * 0.85}px; max-width: ${width * 1.1}px` });
    if (isFirst) requestAnimationFrame(() => this._center());
  }

  /** Scroll to the hub if there is not enough room for all nodes. */
  _center() {
    const { left, width } = this._scroll.getBoundingClientRect();
    const self = this._nodes.get(this._picture?.self.key ?? "")?.element.getBoundingClientRect();
    if (self) this._scroll.scrollLeft += self.left + self.width / 2 - left - width / 2;
  }

  _moveLinks() {
    const places = new Map(this._mesh.vertices.map((vertex) => [vertex.key, vertex]));
    for (const { id, from, to } of this._mesh.links) {
      const [a, b] = [places.get(from), places.get(to)];
      if (a && b) this._links.get(id)?.connect(a, b);
    }
  }

  /**
   * The same data as a table. Rows are updated in place, because a user may be reading it.
   *
   * @param {Hass} hass
   */
  _tell(hass) {
    say(this._summary, translate(hass, "mesh_table"));
    if (!this._table.open) return;
    const words = describe(hass);
    this._columns.forEach((cell, index) => {
      say(cell, translate(hass, COLUMNS[index]));
    });
    const rows = this._mesh.vertices.flatMap((vertex) => {
      const { self } = /** @type {MeshPicture} */ (this._picture);
      const exits = words.exits(vertex);
      return vertex.isSelf
        ? [{ id: "", way: vertex.way, told: [vertex.name, translate(hass, "this_node"), "", words.speed(self.rate_in), words.speed(self.rate_out), exits] }]
        : vertex.places.map(({ node, way }) => ({ id: node.id, way, told: [node.name, words.state(way), words.ms(node.latency),
            words.speed(node.rate_in), words.speed(node.rate_out), exits] }));
    });
    this._rows = keep(this._rows, rows.map(({ id }) => id), () => make("tr", {}, make("th", { scope: "row" }),
      make("td", { className: "state" }), ...COLUMNS.slice(2).map(() => make("td"))));
    fill(this._body, [...this._rows.values()]);
    this._columns.forEach((cell, index) => {
      cell.hidden = rows.every(({ told }) => !told[index]);
    });
    for (const { id, way, told } of rows) {
      const row = this._rows.get(id);
      told.forEach((text, index) => {
        if (row.cells[index].textContent !== text) row.cells[index].textContent = text;
        row.cells[index].hidden = this._columns[index].hidden;
      });
      row.cells[1].dataset.way = way;
    }
  }

  // Moving nodes, only for administrators, because all users share the layout

  get _canMove() {
    return Boolean(this._picture && !isServer(this._picture) && this._hass?.user?.is_admin);
  }

  /** @param {Event} event */
  _vertexOf(event) {
    const element = /** @type {Element} */ (event.target).closest(".node");
    return element ? this._mesh.vertices.find(({ key }) => key === element.getAttribute("data-key")) : undefined;
  }

  /** @param {PointerEvent} event */
  _pointOf(event) {
    const point = this._svg.createSVGPoint();
    Object.assign(point, { x: event.clientX, y: event.clientY });
    return point.matrixTransform(this._svg.getScreenCTM().inverse());
  }

  /** @param {PointerEvent} event */
  _begin(event) {
    const vertex = this._vertexOf(event);
    if (!vertex || event.button) return;
    this._dragged = { vertex, x: vertex.x, y: vertex.y, moved: false, start: this._pointOf(event) };
    if (this._canMove) this._svg.setPointerCapture(event.pointerId);
  }

  /** @param {PointerEvent} event */
  _drag(event) {
    const dragged = this._dragged;
    if (!dragged || !this._canMove) return;
    const { x, y } = this._pointOf(event);
    const [right, down] = [x - dragged.start.x, y - dragged.start.y];
    dragged.moved = dragged.moved || Math.hypot(right, down) > SLIP;
    if (dragged.moved) this._move(dragged.vertex, dragged.x + right / SCALE, dragged.y + down / SCALE);
  }

  /** @param {PointerEvent} event */
  _drop(event) {
    const dragged = this._dragged;
    this._dragged = undefined;
    if (!dragged) return;
    event.preventDefault();
    this._nodes.get(dragged.vertex.key)?.element.focus();
    if (dragged.moved) this._store();
    else this._open(dragged.vertex);
  }

  _giveUp() {
    this._dragged = undefined;
    this._show();
  }

  /** @param {KeyboardEvent} event */
  _press(event) {
    const vertex = this._vertexOf(event);
    if (!vertex) return;
    const arrow = ARROWS[event.key];
    if (event.key === "Enter") this._open(vertex);
    if (!arrow || !this._canMove) return;
    event.preventDefault();
    this._move(vertex, vertex.x + arrow[0] * STEP, vertex.y + arrow[1] * STEP);
    this._keepPlaces();
    clearTimeout(this._timer);
    this._timer = setTimeout(() => this._store(), PAUSE);
  }

  /**
   * @param {MeshVertex} vertex
   * @param {number} x
   * @param {number} y
   */
  _move(vertex, x, y) {
    Object.assign(vertex, { x: Math.round(x), y: Math.round(y) });
    this._nodes.get(vertex.key)?.placeAt(vertex);
    this._moveLinks();
  }

  /** Keep the current positions, so that an update of other data does not move the nodes back. */
  _keepPlaces() {
    if (!this._picture) return;
    const shown = this._mesh.vertices.map(({ key, x, y }) => [key, { x, y }]);
    this._picture = { ...this._picture, layout: { ...this._picture.layout, ...Object.fromEntries(shown) } };
  }

  /** Store all positions at the node, as the console does. */
  async _store() {
    const before = this._picture;
    if (!before || !this._hass) return;
    this._keepPlaces();
    this._frame();
    const positions = this._picture?.layout;
    try {
      await this._hass.callService("tunnel_hub", "set_graph_layout", { config_entry_id: before.entry, positions });
    } catch {
      // Home Assistant has shown the error.
      if (this._subscribed) this._retry(this._subscribed);
    }
  }

  /** @param {MeshVertex} vertex */
  _open({ device }) {
    if (!device) return;
    history.pushState(null, "", `/config/devices/device/${device}`);
    window.dispatchEvent(new CustomEvent("location-changed", { detail: { replace: false } }));
  }
}

/**
 * Keep existing elements by key, create new ones, and remove the others.
 *
 * @template Shape
 * @param {Map<string, Shape>} shapes
 * @param {string[]} keys
 * @param {() => Shape} create
 */
const keep = (shapes, keys, create) => new Map(keys.map((key) => [key, shapes.get(key) ?? create()]));

/**
 * The device of the first hub or server with a mesh card.
 *
 * @param {Hass} hass
 */
const firstHub = (hass) => {
  const things = thingsOf(hass);
  const entry = things.find(hasPicture)?.entry;
  return things.find((thing) => thing.kind === ACCOUNT && thing.entry === entry)?.device.id;
};
