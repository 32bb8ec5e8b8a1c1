import assert from "node:assert/strict";
import { test } from "node:test";

import { adviceOf, flowsOf, isVisited, pathsOf } from "../../custom_components/tunnel_hub/frontend/paths.js";
import { thingsOf, usedNodes } from "../../custom_components/tunnel_hub/frontend/registry.js";
import { home } from "./home.js";

const pathsIn = (things, chosen) => {
  const hass = home(things);
  return pathsOf(hass, thingsOf(hass), chosen);
};

const tunnel = (states, node_id) => ({
  kind: "tunnel",
  states: { "sensor.node_name": ["Cape  Town", { node_id }], ...states },
});

const VERDICTS = [
  [{ "binary_sensor.online": "on" }, "connected", "unknown"],
  [{ "binary_sensor.online": "on", "sensor.verdict": "unknown" }, "connected", "unknown"],
  [{ "binary_sensor.online": "on", "sensor.verdict": "not_checkable" }, "connected", "unknown"],
  [
    { "binary_sensor.online": "on", "sensor.verdict": "unknown", "sensor.last_check": "2026-10-20" },
    "connected_inconclusive",
    "unknown",
  ],
  [{ "binary_sensor.online": "on", "sensor.verdict": "reachable" }, "reachable", "up"],
  [{ "binary_sensor.online": "off", "sensor.verdict": "reachable" }, "reachable", "up"],
  [{ "binary_sensor.online": "on", "sensor.verdict": "port_closed" }, "port_closed", "down"],
  [{ "binary_sensor.online": "on", "sensor.verdict": "tls" }, "tls", "down"],
  [{ "binary_sensor.online": "on", "sensor.verdict": "node_down" }, "node_offline", "down"],
  [{ "switch.force_down": "on", "sensor.verdict": "no_client" }, "held_down", "off"],
  [{ "switch.enabled": "off", "sensor.verdict": "no_client" }, "disabled", "off"],
  [{ "binary_sensor.online": "off" }, "no_client", "down"],
  [{ "binary_sensor.online": "off", "sensor.state": "offline" }, "no_client", "down"],
  [{ "binary_sensor.online": "off", "sensor.state": "node_offline" }, "node_offline", "down"],
  [{ "binary_sensor.online": "off", "sensor.state": "node_maintenance" }, "node_maintenance", "down"],
  [{ "binary_sensor.online": "off", "sensor.state": "node_removed" }, "node_removed", "down"],
  [{ "binary_sensor.online": "off", "sensor.latency": "unknown" }, "link_down", "down"],
  [{ "binary_sensor.online": "off", "switch.enabled": "off" }, "disabled", "off"],
  [{ "binary_sensor.online": "off", "switch.force_down": "on" }, "held_down", "off"],
  [{ "binary_sensor.online": "unavailable" }, "not_known", "unknown"],
  [{}, "not_known", "unknown"],
];

for (const [states, verdict, way] of VERDICTS) {
  test(`${JSON.stringify(states)} is ${verdict}`, () => {
    const [path] = pathsIn({ nas: tunnel(states) });
    assert.deepEqual([path.verdict, path.way], [verdict, way]);
  });
}

test("a watched address has a path, too", () => {
  const states = { "sensor.verdict": "dns", "sensor.address": "example.com", "sensor.protocol": "https" };
  const [path] = pathsIn({ mine: { kind: "watched_address", states } });
  assert.deepEqual([path.verdict, path.way, path.url], ["dns", "down", "https://example.com/"]);
});

for (const [online, reachable, contradiction] of [
  ["on", "off", "online"],
  ["off", "on", "offline"],
  ["on", "on", undefined],
  ["off", "off", undefined],
  ["on", "unknown", undefined],
  ["unknown", "off", undefined],
]) {
  test(`online ${online} and reachable ${reachable}: contradiction ${contradiction}`, () => {
    const states = {
      "binary_sensor.online": online,
      "binary_sensor.reachable": reachable,
      "sensor.verdict": reachable === "on" ? "reachable" : "no_answer",
    };
    assert.equal(pathsIn({ nas: tunnel(states) })[0].contradiction, contradiction);
  });
}

for (const [states, advice] of [
  [{}, "component.tunnel_hub.common.advice_no_client"],
  [{ "sensor.phase": "running" }, "component.tunnel_hub.common.advice_no_client"],
  [{ "sensor.phase": "unavailable" }, "component.tunnel_hub.common.advice_no_client"],
  [{ "sensor.phase": ["closed", { advice: "closed" }], "sensor.error": "unknown" }, "closed · sensor.nas_phase advice closed"],
  [
    { "sensor.phase": ["start_error", { advice: "start_error" }], "sensor.error": "port already used" },
    "start_error · port already used · sensor.nas_phase advice start_error",
  ],
]) {
  test(`advice for an offline tunnel with ${JSON.stringify(states)}: ${advice}`, () => {
    const hass = home({ nas: tunnel({ "binary_sensor.online": "off", ...states }) });
    assert.equal(adviceOf(hass, pathsOf(hass, thingsOf(hass))[0]), advice);
  });
}

test("the service's state and the check's result give the same condition", () => {
  const [reported, checked] = ["unknown", "no_client"].map(
    (verdict) => pathsIn({ nas: tunnel({ "binary_sensor.online": "off", "sensor.verdict": verdict }) })[0],
  );
  assert.equal(reported.verdict, checked.verdict);
});

test("broken paths come first, and only selected ones are listed", () => {
  const things = {
    good: tunnel({ "binary_sensor.online": "on" }),
    off: tunnel({ "binary_sensor.online": "off", "switch.enabled": "off" }),
    bad: tunnel({ "binary_sensor.online": "off" }),
  };
  const names = (chosen) => pathsIn(things, chosen).map((path) => path.tunnel.device.id);
  assert.deepEqual(names(), ["bad", "good", "off"]);
  assert.deepEqual(names(["off"]), ["off"]);
});

for (const [protocol, address, url] of [
  ["HTTP", "a.example.com", "http://a.example.com/"],
  ["https", "a.example.com", "https://a.example.com/"],
  ["tcp", "a.example.com:22", undefined],
  ["http", "not an address", undefined],
  ["javascript", "alert(1)", undefined],
]) {
  test(`the link of ${protocol}://${address} is ${url}`, () => {
    const states = { "sensor.protocol": protocol, "sensor.public_address": address };
    assert.equal(pathsIn({ nas: tunnel(states) })[0].url, url);
  });
}

test("tunnels with a key have visitors", () => {
  const protocols = ["stcp", "STCP", "sudp", "xtcp", "tcp", "https", "unknown"];
  const hass = home(Object.fromEntries(protocols.map((protocol) => [protocol, tunnel({ "sensor.protocol": protocol })])));
  const found = thingsOf(hass).filter((thing) => isVisited(hass, thing)).map(({ device }) => device.id);
  assert.deepEqual(found.sort(), ["STCP", "stcp", "sudp", "xtcp"]);
});

test("the node of a tunnel is found by id, and its traffic is shown", () => {
  const node = (traffic) => ({
    kind: "node",
    name: "Cape Town",
    states: { "sensor.traffic_in_today": traffic },
  });
  const hass = home({ nas: tunnel({}, "3"), 3: node("7"), 4: node("8"), other: tunnel({}, undefined) });
  const [path, other] = pathsOf(hass, thingsOf(hass));
  assert.equal(path.node?.device.id, "3");
  assert.equal(other.node, undefined);
  assert.deepEqual([...usedNodes(hass)].map((used) => used?.device.id), ["3", undefined]);
  assert.deepEqual(
    flowsOf(hass, path).map(({ direction, state, isCounter, isNodes }) => [
      direction,
      state.state,
      isCounter,
      isNodes,
    ]),
    [["in", "7", true, true]],
  );
});

const ofServer = (own, states = {}) => ({
  kind: "tunnel",
  entry: "frps",
  own,
  states: { "sensor.client": "alice.ha", "sensor.protocol": "tcp", ...states },
});
const ofClient = (own, states = {}) => ({
  kind: "tunnel",
  entry: "frpc",
  own,
  states: { "sensor.source": "file", "sensor.protocol": "tcp", ...states },
});
const addressed = (address, protocol = "tcp") => ({
  "sensor.public_address": address,
  "sensor.protocol": protocol,
});

test("a tunnel of a server and of the client at home is one path", () => {
  const things = {
    account: { kind: "account", entry: "frpc", states: { "sensor.tunnels_online": "1" } },
    server: ofServer("alice.nas", {
      ...addressed("192.0.2.1:6001"),
      "binary_sensor.online": "on",
      "sensor.traffic_in_today": "7",
      "sensor.verdict": "reachable",
    }),
    home: ofClient("nas", {
      ...addressed("frp.example.com:6001"),
      "binary_sensor.online": "on",
      "sensor.local_address": "127.0.0.1:80",
      "switch.enabled": "on",
    }),
  };
  const [path, ...others] = pathsIn(things);
  assert.deepEqual(others, []);
  assert.equal(path.tunnel.device.id, "home");
  assert.equal(path.account.device.id, "account");
  assert.equal(path.home.state, "127.0.0.1:80");
  assert.equal(path.address.state, "frp.example.com:6001");
  assert.equal(path.verdict, "reachable");
  assert.equal(flowsOf(home(things), path)[0].state.state, "7");
  for (const chosen of ["home", "server"]) assert.equal(pathsIn(things, [chosen]).length, 1);
  assert.deepEqual(pathsIn(things, ["another"]), []);
});

test("an unknown verdict of the client does not override the server's", () => {
  const [path] = pathsIn({
    server: ofServer("alice.nas", { "binary_sensor.online": "on", "sensor.verdict": "reachable" }),
    home: ofClient("nas", { "binary_sensor.online": "off", "sensor.verdict": "unknown" }),
  });
  assert.equal(path.verdict, "reachable");
});

test("the server's state is used while the client is unavailable", () => {
  const [path] = pathsIn({
    server: ofServer("alice.nas", { "binary_sensor.online": "off" }),
    home: ofClient("nas", { "binary_sensor.online": "unavailable" }),
  });
  assert.equal(path.verdict, "no_client");
});

for (const [why, one, other] of [
  ["another name", ofServer("alice.nas"), ofClient("as")],
  ["another type", ofServer("a.nas"), ofClient("nas", { "sensor.protocol": "udp" })],
  ["another port", ofServer("a.nas", addressed("x:1")), ofClient("nas", addressed("x:2"))],
  [
    "another domain",
    ofServer("a.web", addressed("a.example.com:8080", "http")),
    ofClient("web", addressed("b.example.com:8080", "http")),
  ],
  ["two clients at home", ofClient("nas"), ofClient("nas")],
  ["two servers", ofServer("a.nas"), ofServer("b.nas")],
]) {
  test(`${why}: two paths`, () => assert.equal(pathsIn({ one, other }).length, 2));
}

for (const [server, client] of [
  ["nas", "nas"],
  ["a.b.c", "b.c"],
  ["alice.中文 a/b", "中文 a/b"],
  ["alice.x:y", "x:y"],
]) {
  test(`${server} at the server is ${client} at home`, () => {
    const things = { server: ofServer(server), home: ofClient(client) };
    assert.equal(pathsIn(things).length, 1);
  });
}

test("tunnels of several servers with the same name are not merged", () => {
  const things = { one: ofServer("a.nas"), other: ofServer("b.nas"), home: ofClient("nas") };
  assert.equal(pathsIn(things).length, 3);
});

const NOON = "2026-01-01T12:00:00Z";
const LATER = "2026-01-01T12:05:00.5Z";
for (const [what, changed, states, verdict, contradiction] of [
  ["it was enabled", "switch.enabled", { "switch.enabled": "on" }, "connected", undefined],
  ["it was disabled", "switch.enabled", { "switch.enabled": "off" }, "disabled", undefined],
  ["it is no longer forced down", "switch.force_down", { "switch.force_down": "off" }, "connected", undefined],
  ["a client has connected", "binary_sensor.online", {}, "connected", undefined],
  ["the client has disconnected", "binary_sensor.online", { "binary_sensor.online": "off" }, "no_client", undefined],
]) {
  for (const at of [NOON, LATER]) {
    const isOld = at === NOON;
    test(`a check ${isOld ? "before" : "since"} ${what} ${isOld ? "is not" : "is"} shown`, () => {
      const all = { "binary_sensor.online": "on", "binary_sensor.reachable": "on", "sensor.verdict": "reachable", "sensor.last_check": at, ...states };
      const hass = home({ nas: tunnel(all) });
      const [path] = pathsOf(hass, thingsOf(hass));
      hass.states[path.tunnel.entities[changed]].last_changed = LATER;
      const [now] = pathsOf(hass, thingsOf(hass));
      const isOff = states["switch.enabled"] === "off";
      assert.equal(now.verdict, isOld || isOff ? verdict : "reachable");
      assert.equal(now.contradiction, isOld || all["binary_sensor.online"] === "on" ? contradiction : "offline");
      assert.equal(Boolean(now.check), !isOld);
      if (isOld) assert.ok(!now.ways.includes("up") || verdict === "connected");
    });
  }
}

test("a check from before a restart is still used", () => {
  const hass = home({ nas: tunnel({ "binary_sensor.online": "on", "sensor.verdict": "port_closed", "sensor.last_check": NOON }) });
  for (const state of Object.values(hass.states)) state.last_changed = LATER;
  assert.equal(pathsOf(hass, thingsOf(hass))[0].verdict, "port_closed");
});
