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
  config: { time_zone: string };
  locale: { language: string; time_zone?: "local" | "server" };
  user?: { is_admin: boolean };
  connection: {
    subscribeMessage<Message>(
      callback: (message: Message) => void,
      command: Record<string, unknown>,
      options?: { resubscribe?: boolean },
    ): Promise<() => Promise<void>>;
  };
  callWS<Answer>(command: Record<string, unknown>): Promise<Answer>;
  callService(domain: string, service: string, data: Record<string, unknown>): Promise<unknown>;
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

/** Something that needs attention. */
interface Trouble {
  thing: Thing;
  severity: "broken" | "warning" | "waiting";
  entity: string;
  condition: string;
  /** Why, and what to do about it. */
  advice: string;
  /** isTold: by the service; else it is when Home Assistant has noticed. */
  since?: { moment: number; isTold: boolean };
  action?: { word: string; domain: string; service: string; entity: string };
}

/** A node around the hub, as the subscription tells it; see mesh_view.py. */
interface MeshNode {
  id: string;
  device: string | null;
  /** The path, in a mesh. */
  name: string;
  /** The id of the node over which it is connected. */
  above: string | null;
  conflict: boolean | null;
  connected: boolean | null;
  enabled: boolean | null;
  direction: string | null;
  exit_node: boolean | null;
  exit_path: string | null;
  latency: number | null;
  nested: boolean | null;
  rate_in: number | null;
  rate_out: number | null;
}

interface MeshExit {
  id: string;
  device: string | null;
  name: string;
  exit_path: string | null;
}

interface MeshPicture {
  available: boolean;
  entry: string;
  self: { key: string; name: string; device: string | null; rate_in: number | null; rate_out: number | null };
  nodes: MeshNode[];
  exits: MeshExit[];
  /** null where nobody keeps it: at a server. */
  layout: Record<string, { x: number; y: number }> | null;
}

/** A node in the picture. places: the paths by which it is seen. */
interface MeshVertex {
  key: string;
  name: string;
  device: string | null;
  isSelf: boolean;
  way: Way;
  latency: number | null;
  depth: number;
  above?: string;
  places: { node: MeshNode; way: Way }[];
  exits: MeshExit[];
  x: number;
  y: number;
}

interface MeshLink {
  id: string;
  from: string;
  to: string;
  way: Way;
  /** Milliseconds of this hop alone. */
  latency: number | null;
  rateIn: number | null;
  rateOut: number | null;
}

interface Mesh {
  vertices: MeshVertex[];
  links: MeshLink[];
}

interface Window {
  customStrategies?: Config[];
  customCards?: Config[];
}

interface HTMLElementTagNameMap {
  "home-assistant": HTMLElement & { hass: Hass };
}
