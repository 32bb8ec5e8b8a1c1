import assert from "node:assert/strict";
import { test } from "node:test";

import { lastDays, Uptimes } from "../../custom_components/tunnel_hub/frontend/uptime.js";

const NOW = new Date(2026, 9, 20, 12).getTime();
const midnight = (day) => new Date(2026, 9, day).getTime();

test("the last days, the oldest first, and what is not known", () => {
  const days = lastDays(
    [
      { start: midnight(18), mean: 50 },
      { start: midnight(19), mean: null },
      { start: midnight(20), mean: 100 },
    ],
    NOW,
  );
  assert.equal(days.length, 30);
  assert.deepEqual(days.slice(-4).map(({ mean }) => mean), [undefined, 50, undefined, 100]);
  assert.equal(days[29].date.getDate(), 20);
});

test("all entities are read in one request, and again only after an hour", async () => {
  const asked = [];
  const hass = {
    callWS: async (command) => {
      asked.push(command.statistic_ids);
      return { "sensor.a": [{ start: Date.now(), mean: 99.5 }] };
    },
  };
  let changes = 0;
  const uptimes = new Uptimes(() => {
    changes += 1;
  });
  await uptimes.read(hass, ["sensor.b", "sensor.a"]);
  await uptimes.read(hass, ["sensor.a", "sensor.b"]);
  assert.deepEqual(asked, [["sensor.b", "sensor.a"]]);
  assert.equal(changes, 1);
  assert.equal(uptimes.daysOf("sensor.a")[29].mean, 99.5);
  assert.equal(uptimes.daysOf("sensor.a"), uptimes.daysOf("sensor.a"));
  assert.deepEqual(uptimes.daysOf("sensor.b"), []);
  await uptimes.read(hass, ["sensor.a"]);
  assert.equal(asked.length, 2);
});

test("without the recorder there are no days", async () => {
  const uptimes = new Uptimes(() => assert.fail());
  await uptimes.read({ callWS: async () => assert.fail("unknown command") }, ["sensor.a"]);
  assert.deepEqual(uptimes.daysOf("sensor.a"), []);
});
