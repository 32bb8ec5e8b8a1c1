// Converts a mesh to a graph: nodes, links, their states and positions.

import { DOWN, OFF, UNKNOWN, UP } from "./paths.js";

/** Distances in the units of the node's own console. */
const LEVEL = 130;
const SIBLING = 85;
const MOST_IN_A_ROW = 12;

/** States of paths to a node, the best first: a node shows the best one. */
const BEST_FIRST = [UP, UNKNOWN, DOWN, OFF];
/**
 * @param {Way} a
 * @param {Way} b
 */
const isBetter = (a, b) => BEST_FIRST.indexOf(a) < BEST_FIRST.indexOf(b);

/**
 * @param {MeshPicture} picture
 * @param {MeshNode} node
 * @returns {Way}
 */
const wayOf = ({ available }, { enabled, connected }) => {
  if (!available) return UNKNOWN;
  if (enabled === false) return OFF;
  return connected === null ? UNKNOWN : connected ? UP : DOWN;
};

/**
 * The name of a node. In a mesh, it is the end of a path.
 *
 * @param {MeshPicture} picture
 * @param {MeshNode} node
 */
const ownName = (picture, { name }) => (isServer(picture) ? name : (name.split("/").pop() ?? ""));

/**
 * The key of a node's position in the console. Nodes with the same name are one node, seen over
 * several paths, unless the service reports a conflict.
 *
 * @param {MeshPicture} picture
 * @param {MeshNode} node
 */
const keyOf = (picture, node) => {
  if (isServer(picture)) return node.id;
  return node.conflict ? node.name : ownName(picture, node);
};

/**
 * Whether these are the clients of a server, which stores no layout.
 *
 * @param {MeshPicture} picture
 */
export const isServer = ({ layout }) => layout === null;

/**
 * The graph of a mesh: each node once, with all paths to it; links; positions.
 *
 * @param {MeshPicture} picture
 * @returns {Mesh}
 */
export const meshOf = (picture) => {
  const self = picture.self;
  /** @type {Map<string, MeshVertex>} */
  const vertices = new Map();
  const hub = { key: self.key, name: self.name, device: self.device, isSelf: true, way: picture.available ? UP : UNKNOWN,
    latency: 0, depth: 0, above: undefined, places: [], exits: [], x: 0, y: 0 };
  vertices.set(self.key, /** @type {MeshVertex} */ (hub));
  const byId = new Map(picture.nodes.map((node) => [node.id, node]));
  const byExit = new Map(picture.nodes.map((node) => [node.exit_path ?? node.name, node]));
  /** @type {Map<string, MeshLink>} */
  const links = new Map();
  for (const node of sortedByDepth(picture.nodes, byId)) {
    const parent = node.above === null ? undefined : byId.get(node.above);
    const above = parent ? keyOf(picture, parent) : self.key;
    const key = keyOf(picture, node);
    // The peers of its neighbors include the hub itself.
    if (key === self.key) continue;
    const way = wayOf(picture, node);
    const vertex = vertices.get(key) ?? /** @type {MeshVertex} */ ({ key, name: ownName(picture, node), device: node.device,
      isSelf: false, way, latency: null, above, depth: (vertices.get(above)?.depth ?? 0) + 1, places: [], exits: [], x: 0, y: 0 });
    vertices.set(key, vertex);
    vertex.places.push({ node, way });
    if (isBetter(way, vertex.way)) vertex.way = way;
    if (node.latency !== null && (vertex.latency === null || node.latency < vertex.latency)) vertex.latency = node.latency;
    if (key === above) continue;
    const before = parent ? parent.latency : 0;
    const link = { id: [above, key].sort().join("\n"), from: above, to: key, way, rateIn: node.rate_in, rateOut: node.rate_out,
      latency: node.latency === null || before === null ? null : Math.max(0, node.latency - before) };
    // Two nodes may have connected to each other.
    const other = links.get(link.id);
    if (!other || isBetter(way, other.way)) links.set(link.id, link);
  }
  for (const exit of picture.exits) {
    // An unknown path is not shown.
    if (exit.exit_path === null) continue;
    const node = byExit.get(exit.exit_path);
    const vertex = exit.exit_path === "" ? vertices.get(self.key) : node && vertices.get(keyOf(picture, node));
    vertex?.exits.push(exit);
  }
  const found = [...vertices.values()];
  place(found, picture.layout ?? {});
  return { vertices: found, links: [...links.values()] };
};

/**
 * Sorts nodes before those behind them.
 *
 * @param {MeshNode[]} nodes
 * @param {Map<string, MeshNode>} byId
 */
const sortedByDepth = (nodes, byId) => {
  /** @type {(node: MeshNode | undefined) => number} */
  const depth = (node) => (node ? 1 + depth(byId.get(node.above ?? "")) : 0);
  return [...nodes].sort((a, b) => depth(a) - depth(b));
};

/**
 * The positions of the console. Other nodes are in rows by their distance from the hub, below those
 * that they are connected to.
 *
 * @param {MeshVertex[]} vertices
 * @param {Record<string, {x: number, y: number}>} layout
 */
const place = (vertices, layout) => {
  /** @type {MeshVertex[][]} */
  const levels = [];
  const byKey = new Map(vertices.map((vertex) => [vertex.key, vertex]));
  const order = new Map(inOrder(vertices).map((vertex, index) => [vertex, index]));
  for (const vertex of vertices) {
    const level = levels[vertex.depth] ?? [];
    level.push(vertex);
    levels[vertex.depth] = level;
  }
  let y = 0;
  for (const level of levels) {
    level.sort((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0));
    const inRow = Math.ceil(level.length / Math.ceil(level.length / MOST_IN_A_ROW));
    for (let start = 0; start < level.length; start += inRow) {
      const row = level.slice(start, start + inRow);
      spread(row, byKey);
      for (const vertex of row) vertex.y = y;
      y += LEVEL;
    }
  }
  for (const vertex of vertices) {
    const stored = layout[vertex.key];
    if (stored) Object.assign(vertex, { x: stored.x, y: stored.y });
  }
};

/**
 * Position the nodes of a row side by side, each as near as possible to the middle below its neighbor.
 *
 * @param {MeshVertex[]} row
 * @param {Map<string, MeshVertex>} byKey
 */
const spread = (row, byKey) => {
  const wanted = row.map(({ above }) => byKey.get(above ?? "")?.x ?? 0);
  const xs = [...wanted];
  for (let index = 1; index < xs.length; index += 1) xs[index] = Math.max(xs[index], xs[index - 1] + SIBLING);
  const shift = xs.reduce((sum, x, index) => sum + wanted[index] - x, 0) / row.length;
  row.forEach((vertex, index) => {
    vertex.x = Math.round(xs[index] + shift);
  });
};

/**
 * The nodes in the order of the tree, sorted by name, so that nodes behind the same one are together.
 *
 * @param {MeshVertex[]} vertices
 */
const inOrder = (vertices) => {
  /** @type {Map<string | undefined, MeshVertex[]>} */
  const below = new Map();
  for (const vertex of [...vertices].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    below.set(vertex.above, [...(below.get(vertex.above) ?? []), vertex]);
  }
  /** @type {MeshVertex[]} */
  const found = [];
  const waiting = [...(below.get(undefined) ?? [])];
  for (let vertex = waiting.pop(); vertex; vertex = waiting.pop()) {
    found.push(vertex);
    waiting.push(...[...(below.get(vertex.key) ?? [])].reverse());
  }
  return found;
};
