import assert from "node:assert/strict";
import { test } from "node:test";
import { formatDate } from "../../custom_components/tunnel_hub/frontend/translations.js";
import { lastDays, Uptimes } from "../../custom_components/tunnel_hub/frontend/uptime.js";
import { home } from "./home.js";

const HOUR = 3_600_000;

for (const [zone, now, midnights, last] of [
  ["UTC", "2026-10-20T12:00Z", ["2026-10-18T00:00Z", "2026-10-19T00:00Z", "2026-10-20T00:00Z"], "2026-10-20"],
  ["Asia/Shanghai", "2026-10-20T17:00Z", ["2026-10-18T16:00Z", "2026-10-19T16:00Z", "2026-10-20T16:00Z"], "2026-10-21"],
  ["America/Los_Angeles", "2026-10-20T05:00Z", ["2026-10-17T07:00Z", "2026-10-18T07:00Z", "2026-10-19T07:00Z"], "2026-10-19"],
  ["Pacific/Kiritimati", "2026-10-20T11:00Z", ["2026-10-18T10:00Z", "2026-10-19T10:00Z", "2026-10-20T10:00Z"], "2026-10-21"],
  // A day of 25 hours, one of 23, and one that begins at 01:00.
  ["Europe/Berlin", "2026-10-25T22:30Z", ["2026-10-22T22:00Z", "2026-10-23T22:00Z", "2026-10-24T22:00Z"], "2026-10-25"],
  ["Europe/Berlin", "2026-03-29T21:30Z", ["2026-03-26T23:00Z", "2026-03-27T23:00Z", "2026-03-28T23:00Z"], "2026-03-29"],
  ["America/Santiago", "2026-09-06T12:00Z", ["2026-09-04T04:00Z", "2026-09-05T04:00Z", "2026-09-06T04:00Z"], "2026-09-06"],
]) {
  test(`the last days at ${now} in ${zone}, some of them unknown`, () => {
    const rows = midnights.map((start, index) => ({ start: Date.parse(start), mean: [50, null, 100][index] }));
    const days = lastDays(rows, Date.parse(now), zone);
    assert.equal(new Set(days.map(({ day }) => day)).size, 30);
    assert.deepEqual(days.map(({ mean }) => mean), [...Array(27).fill(undefined), 50, undefined, 100]);
    assert.equal(days[29].day, last);
    assert.equal(Date.parse(days[29].day) - Date.parse(days[0].day), 29 * 24 * HOUR);
  });
}

test("a time zone that the browser does not support", () => {
  assert.equal(lastDays([], Date.now(), "Mars/Olympus_Mons").length, 30);
});

for (const [time_zone, day] of [
  ["server", "2026-02-04"],
  ["local", undefined],
]) {
  test(`dates use the profile's time zone: ${time_zone}`, () => {
    const hass = home({});
    const there = { ...hass, config: { time_zone: "Pacific/Kiritimati" }, locale: { language: "en", time_zone } };
    const moment = "2026-02-03T12:00:00Z";
    const date = new Date(moment);
    const here = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, "0"));
    assert.equal(formatDate(there, moment), day ?? here.join("-"));
  });
}

test("all entities are read in one request, and cached for an hour", async () => {
  const requested = [];
  const hass = {
    config: { time_zone: "UTC" },
    callWS: async (command) => {
      requested.push(command.statistic_ids);
      return { "sensor.a": [{ start: Date.now(), mean: 99.5 }] };
    },
  };
  let changes = 0;
  const uptimes = new Uptimes(() => {
    changes += 1;
  });
  await uptimes.read(hass, ["sensor.b", "sensor.a"]);
  await uptimes.read(hass, ["sensor.a", "sensor.b"]);
  assert.deepEqual(requested, [["sensor.b", "sensor.a"]]);
  assert.equal(changes, 1);
  assert.equal(uptimes.daysOf("sensor.a")[29].mean, 99.5);
  assert.equal(uptimes.daysOf("sensor.a"), uptimes.daysOf("sensor.a"));
  assert.deepEqual(uptimes.daysOf("sensor.b"), []);
  await uptimes.read(hass, ["sensor.a"]);
  assert.equal(requested.length, 2);
});

test("no days without the recorder", async () => {
  const uptimes = new Uptimes(() => assert.fail());
  await uptimes.read({ callWS: async () => assert.fail("unknown command") }, ["sensor.a"]);
  assert.deepEqual(uptimes.daysOf("sensor.a"), []);
});
