import assert from "node:assert/strict";
import { test } from "node:test";

import { meshOf } from "../../custom_components/tunnel_hub/frontend/mesh.js";

const node = (id, name, more) => ({
  id,
  name,
  device: id,
  above: null,
  conflict: null,
  connected: true,
  enabled: true,
  exit_path: name,
  latency: null,
  nested: null,
  rate_in: null,
  rate_out: null,
  ...more,
});

const picture = (nodes, more) => ({
  available: true,
  entry: "entry",
  self: { key: "ea1b", name: "home", device: "hub", rate_in: null, rate_out: null },
  nodes,
  exits: [],
  layout: {},
  ...more,
});

const NODES = [
  node("peer:us/r1", "us/r1", { above: "link:us", latency: 162 }),
  node("link:us", "us", { latency: 43, rate_in: 1 }),
  node("link:de", "de", { enabled: false, connected: false }),
  node("peer:office", "office", { exit_path: "ea1b/office" }),
];
const find = ({ vertices }, key) => vertices.find((vertex) => vertex.key === key);
const ends = ({ links }) => links.map(({ from, to }) => `${from} ${to}`).sort();

test("nodes are linked to the one that lists them", () => {
  const mesh = meshOf(picture(NODES));
  assert.deepEqual(ends(mesh), ["ea1b de", "ea1b office", "ea1b us", "us r1"]);
  assert.deepEqual(mesh.vertices.map(({ key }) => key).sort(), ["de", "ea1b", "office", "r1", "us"]);
});

test("the latency of a link is that of its own hop", () => {
  const { links } = meshOf(picture(NODES));
  const latencies = Object.fromEntries(links.map(({ to, latency }) => [to, latency]));
  assert.deepEqual(latencies, { us: 43, r1: 119, de: null, office: null });
});

for (const [more, available, way] of [
  [{}, true, "up"],
  [{ connected: false }, true, "down"],
  [{ connected: null }, true, "unknown"],
  [{ connected: false, enabled: false }, true, "off"],
  [{}, false, "unknown"],
]) {
  test(`${JSON.stringify(more)}, ${available ? "available" : "unavailable"}: ${way}`, () => {
    const mesh = meshOf(picture([node("link:us", "us", more)], { available }));
    assert.deepEqual([find(mesh, "us").way, mesh.links[0].way], [way, way]);
  });
}

test("a node with two paths is shown once, with the state of its best path", () => {
  const mesh = meshOf(
    picture([
      node("link:us", "us"),
      node("link:jp", "jp"),
      node("peer:us/x", "us/x", { above: "link:us", connected: false }),
      node("peer:jp/x", "jp/x", { above: "link:jp", latency: 9 }),
    ]),
  );
  assert.deepEqual(ends(mesh), ["ea1b jp", "ea1b us", "jp x", "us x"]);
  const { way, latency, places } = find(mesh, "x");
  assert.deepEqual([way, latency, places.length], ["up", 9, 2]);
});

test("two nodes with the same name are separate if the service reports a conflict", () => {
  const two = ["x", "x (2)"].map((name) => node(`peer:${name}`, name, { conflict: true }));
  assert.equal(meshOf(picture(two)).vertices.length, 3);
});

test("connections in both directions are one link, and the hub is shown once", () => {
  const mesh = meshOf(
    picture([
      node("link:us", "us", { connected: false }),
      node("peer:us", "us"),
      node("peer:us/ea1b", "us/ea1b", { above: "link:us" }),
    ]),
  );
  assert.equal(mesh.vertices.length, 2);
  assert.deepEqual(mesh.links.map(({ way }) => way), ["up"]);
});

test("users are listed at their exits", () => {
  const exits = [
    ["alice", "us/r1"],
    ["bob", ""],
    ["carol", "ea1b/office"],
    ["dave", "gone/for/good"],
    ["erin", null],
  ].map(([name, exit_path]) => ({ id: name, device: null, name, exit_path }));
  const mesh = meshOf(picture(NODES, { exits }));
  const found = mesh.vertices.flatMap(({ key, exits: there }) => there.map(({ name }) => [key, name]));
  assert.deepEqual(found.sort(), [["ea1b", "bob"], ["office", "carol"], ["r1", "alice"]]);
});

test("the stored layout overrides the automatic one", () => {
  const mesh = meshOf(picture(NODES, { layout: { us: { x: 7, y: -3 }, ea1b: { x: 1, y: 2 } } }));
  assert.deepEqual([find(mesh, "us").x, find(mesh, "us").y], [7, -3]);
  assert.deepEqual([find(mesh, "ea1b").x, find(mesh, "ea1b").y], [1, 2]);
});

const many = (count) =>
  Array.from({ length: count }, (_, index) =>
    index < 20 ? node(`link:n${index}`, `n${index}`)
      : node(`peer:${index}`, `n${index % 20}/m${index}`, { above: `link:n${index % 20}` }),
  );

test("nodes without a stored position don't overlap", () => {
  const { vertices } = meshOf(picture(many(100)));
  for (const [index, a] of vertices.entries()) {
    for (const b of vertices.slice(index + 1)) {
      assert.ok(Math.hypot(a.x - b.x, a.y - b.y) >= 84, `${a.key} and ${b.key}`);
    }
  }
});

test("the layout of 1,000 nodes is fast", () => {
  const nodes = many(1000);
  const began = performance.now();
  meshOf(picture(nodes));
  assert.ok(performance.now() - began < 250);
});

test("tunnels of a server are linked to their clients by id, not by name", () => {
  const all = [
    node("tunnel:ha", "ha", { above: "client:ha", connected: false }),
    node("tunnel:a/b", "a/b", { above: "client:ha" }),
    node("tunnel:b", "b"),
    node("client:ha", "ha", { enabled: null }),
    node("client:gone", "gone", { connected: false }),
  ];
  const mesh = meshOf(picture(all, { layout: null }));
  assert.deepEqual(ends(mesh), [
    "client:ha tunnel:a/b", "client:ha tunnel:ha", "ea1b client:gone", "ea1b client:ha", "ea1b tunnel:b",
  ]);
  assert.deepEqual(all.map(({ id }) => [find(mesh, id).name, find(mesh, id).way, find(mesh, id).depth]), [
    ["ha", "down", 2], ["a/b", "up", 2], ["b", "up", 1], ["ha", "up", 1], ["gone", "down", 1],
  ]);
});
