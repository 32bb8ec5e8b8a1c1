// What the frontend loads: tells it of our dashboard and of our card.

import { TunnelHubDashboard } from "./dashboard.js";
import { TunnelHubPathsCard } from "./paths-card.js";
import { preload, translate } from "./words.js";
import { kindOf, TUNNEL } from "./things.js";

customElements.define("ll-strategy-dashboard-tunnel-hub", TunnelHubDashboard);
customElements.define("tunnel-hub-paths", TunnelHubPathsCard);

// The frontend reads these when it shows its dialogs, in a language that may change until then.
const inTheUsersWords = (type, key, more) => ({
  type,
  name: "Tunnel Hub",
  get description() {
    const { hass } = document.querySelector("home-assistant");
    preload(hass);
    return translate(hass, key);
  },
  ...more,
});

window.customStrategies ??= [];
window.customStrategies.push(
  Object.defineProperties({ strategyType: "dashboard" }, Object.getOwnPropertyDescriptors(
    inTheUsersWords("tunnel-hub", "dashboard_description"),
  )),
);

window.customCards ??= [];
window.customCards.push(
  Object.defineProperties(
    {
      documentationURL: "https://github.com/tunnel-hub/tunnel-hub#readme",
      getEntitySuggestion: (hass, entityId) => {
        const device = hass.devices[hass.entities[entityId]?.device_id];
        return device && kindOf(device) === TUNNEL
          ? { config: { type: "custom:tunnel-hub-paths", devices: [device.id] } }
          : null;
      },
    },
    Object.getOwnPropertyDescriptors(inTheUsersWords("tunnel-hub-paths", "paths_description")),
  ),
);
