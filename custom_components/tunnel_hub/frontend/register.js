// Registers the cards and the dashboard strategy with the frontend, and adds them to its dialogs.

import { TunnelHubAttentionCard } from "./attention-card.js";
import { TunnelHubMeshCard } from "./mesh-card.js";
import { TunnelHubPathsCard } from "./paths-card.js";
import { hasPath, kindOf } from "./registry.js";
import { preload, translate } from "./translations.js";

customElements.define("tunnel-hub-attention", TunnelHubAttentionCard);
customElements.define("tunnel-hub-mesh", TunnelHubMeshCard);
customElements.define("tunnel-hub-paths", TunnelHubPathsCard);

const DOCUMENTATION = "https://github.com/tunnel-hub/tunnel-hub#readme";

// The frontend reads these when it shows its dialogs, in a language that may change until then.
/**
 * @param {string} type
 * @param {string} key
 * @param {Config} [more]
 */
const inTheUsersWords = (type, key, more) => ({
  type,
  name: "Tunnel Hub",
  get description() {
    const app = document.querySelector("home-assistant");
    if (!app) return "";
    const { hass } = app;
    preload(hass);
    return translate(hass, key);
  },
  ...more,
});

window.customStrategies = [
  ...(window.customStrategies ?? []),
  inTheUsersWords("tunnel-hub", "dashboard_description", { strategyType: "dashboard" }),
];

window.customCards = [
  ...(window.customCards ?? []),
  inTheUsersWords("tunnel-hub-attention", "attention_description", { documentationURL: DOCUMENTATION }),
  inTheUsersWords("tunnel-hub-mesh", "mesh_description", { documentationURL: DOCUMENTATION }),
  inTheUsersWords("tunnel-hub-paths", "paths_description", {
    documentationURL: DOCUMENTATION,
    getEntitySuggestion: (/** @type {Hass} */ hass, /** @type {string} */ entityId) => {
      const device = hass.devices[hass.entities[entityId]?.device_id];
      return device && hasPath({ kind: kindOf(device) })
        ? { config: { type: "custom:tunnel-hub-paths", devices: [device.id] } }
        : null;
    },
  }),
];
