// What the frontend loads. It makes the dashboard known, for which the frontend waits five seconds,
// and needs no other module for that: a slow connection may take longer to bring them all.

class TunnelHubDashboard extends HTMLElement {
  static get registryDependencies() {
    return ["devices", "entities"];
  }

  /**
   * @param {Config} _config
   * @param {Hass} hass
   */
  static async generate(_config, hass) {
    const { generate } = await import("./dashboard.js");
    return generate(hass);
  }
}

// The app puts another registry in the place of the browser's, and forgets what was defined before.
customElements.whenDefined("home-assistant").then(() => {
  customElements.define("ll-strategy-dashboard-tunnel-hub", TunnelHubDashboard);
  import("./offers.js");
});
