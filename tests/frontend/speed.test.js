import assert from "node:assert/strict";
import { test } from "node:test";

import { formatSpeed, Speedometer } from "../../custom_components/tunnel_hub/frontend/speed.js";
import { lowTraffic } from "../../custom_components/tunnel_hub/frontend/traffic.js";

import { home } from "./home.js";

const NOON = Date.parse("2026-01-01T12:00:00Z");

const reading = (state, seconds, unit = "MiB") => ({
  entity_id: "sensor.in",
  state,
  last_updated: new Date(NOON + seconds * 1000).toISOString(),
  attributes: { unit_of_measurement: unit },
});

test("a speed needs two readings", () => {
  const speedometer = new Speedometer();
  assert.equal(speedometer.measure(reading("1", 0)), undefined);
  assert.equal(speedometer.measure(reading("3", 2)), 1024 ** 2);
});

test("a counter that decreased has been reset", () => {
  const speedometer = new Speedometer();
  speedometer.measure(reading("5", 0));
  assert.equal(speedometer.measure(reading("1", 10)), undefined);
  assert.equal(speedometer.measure(reading("2", 11)), 1024 ** 2);
});

test("the speed of a counter without updates becomes 0", () => {
  const speedometer = new Speedometer();
  speedometer.measure(reading("1", 0));
  speedometer.measure(reading("2", 10));
  assert.notEqual(speedometer.measure(reading("2", 10), NOON + 20_000), 0);
  assert.equal(speedometer.measure(reading("2", 10), NOON + 60_000), 0);
});

for (const [speed, words] of [
  [0, "0 Mbit/s"],
  [125e3, "1 Mbit/s"],
  [1536, "0.01 Mbit/s"],
  [5e9, "40000 Mbit/s"],
]) {
  test(`${speed} bytes per second are shown as ${words}`, () => {
    assert.equal(formatSpeed(home({}), speed), words);
  });
}

test("decimal and binary units differ", () => {
  const [decimal, binary] = ["GB", "GiB"].map((unit) => {
    const speedometer = new Speedometer();
    speedometer.measure(reading("0", 0, unit));
    return speedometer.measure(reading("1", 1, unit));
  });
  assert.deepEqual([decimal, binary], [1e9, 1024 ** 3]);
});

test("the limit of low traffic depends on the unit", () => {
  assert.equal(lowTraffic(reading("1", 0, "GiB")), 5);
  assert.equal(lowTraffic(reading("1", 0, "%")), undefined);
});
