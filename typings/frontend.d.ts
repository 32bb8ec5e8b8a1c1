// What the modules in custom_components/tunnel_hub/frontend get from Home Assistant's frontend, as far
// as they use it, and what they hand to each other. Only the type checker reads this.

interface HassEntity {
  entity_id: string;
  state: string;
  attributes: Record<string, any>;
  last_changed: string;
  last_updated: string;
}

/** An entity in the registry, as the frontend shows it. */
interface EntityEntry {
  entity_id: string;
  name?: string;
  platform: string;
  device_id: string;
  translation_key: string;
  hidden?: boolean;
  entity_category?: "config" | "diagnostic";
}

interface DeviceEntry {
  id: string;
  name: string | null;
  name_by_user: string | null;
  manufacturer: string | null;
  identifiers: [domain: string, id: string][];
  config_entries: string[];
}

type Localize = (key: string, placeholders?: Record<string, unknown>) => string;

interface Hass {
  states: Record<string, HassEntity | undefined>;
  entities: Record<string, EntityEntry>;
  devices: Record<string, DeviceEntry>;
  locale: { language: string };
  localize: Localize;
  loadBackendTranslation(category: string, domain: string): Promise<Localize>;
  formatEntityState(state: Pick<HassEntity, "entity_id" | "state" | "attributes">): string;
  formatEntityAttributeValue(state: HassEntity, attribute: string): string;
  formatEntityName(state: HassEntity, parts: object): string;
}

/** A device of the integration with its entities, by domain and translation key. */
interface Thing {
  device: DeviceEntry;
  kind: string;
  /** The id of the config entry. */
  entry: string;
  entities: Record<string, string>;
}

/** The configuration of a card, a row, a condition or a view. */
interface Config {
  [option: string]: any;
}

type Way = "up" | "down" | "off" | "unknown";

/** A tunnel's path from home to the internet. */
interface TunnelPath {
  tunnel: Thing;
  node?: Thing;
  account?: Thing;
  /** The local address. */
  home?: HassEntity;
  /** The public address. */
  address?: HassEntity;
  /** Where a browser opens the tunnel. */
  url?: string;
  /** The sections from home to the tunnel, the node and the internet. */
  ways: Way[];
  /** What all of it comes to: the key of a text, and the colour. */
  verdict: string;
  way: Way;
  /** What the last check from home has found. */
  check?: HassEntity;
  /** What the service says to the contrary. */
  contradiction?: "online" | "offline";
}

interface Flow {
  direction: string;
  state: HassEntity;
  isCounter: boolean;
  /** Whether it is all of the node's traffic. */
  isNodes: boolean;
}

interface Window {
  customStrategies?: Config[];
  customCards?: Config[];
}

interface HTMLElementTagNameMap {
  "home-assistant": HTMLElement & { hass: Hass };
}
