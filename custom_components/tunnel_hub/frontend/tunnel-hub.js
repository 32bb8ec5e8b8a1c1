// The module that the frontend loads. It registers the dashboard, for which the frontend waits five
// seconds, without other modules, because a slow connection may take longer to load them all.

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

// The app replaces the browser's registry of elements, so elements may have to be defined again.
customElements.whenDefined("home-assistant").then(() => {
  customElements.define("ll-strategy-dashboard-tunnel-hub", TunnelHubDashboard);
  import("./register.js");
});
