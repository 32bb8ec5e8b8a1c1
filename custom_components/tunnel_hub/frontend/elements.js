// Creates the elements of cards. Texts become text nodes, never markup.

/**
 * Create an element. Values are set as properties if it has them, otherwise as attributes.
 *
 * @param {string} tag
 * @param {Record<string, any>} [properties]
 * @param {...(Node | string)} children
 * @returns {any}
 */
export const make = (tag, properties = {}, ...children) => {
  /** @type {any} */
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
};

/**
 * Show a text, or hide the element if there is none.
 *
 * @param {HTMLElement} element
 * @param {string | null | undefined} text
 */
export const say = (element, text) => {
  if (element.textContent !== (text ?? "")) element.textContent = text ?? "";
  element.hidden = !text;
};

/**
 * Open the dialog of an entity, as a click on a tile does.
 *
 * @param {HTMLElement} element
 * @param {string} entityId
 */
export const showMore = (element, entityId) =>
  element.dispatchEvent(
    new CustomEvent("hass-more-info", { bubbles: true, composed: true, detail: { entityId } }),
  );

/**
 * Copy a text to the clipboard, also without HTTPS.
 *
 * @param {string} text
 */
export const copy = async (text) => {
  if (navigator.clipboard) {
    // eslint-disable-next-line ours/new-members -- just asked for
    await navigator.clipboard.writeText(text);
    return;
  }
  const field = make("textarea", { value: text });
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
};

/**
 * Replace the children of an element, unless they are the same.
 *
 * @param {Element} element
 * @param {Node[]} children
 */
export const fill = (element, children) => {
  if (children.length === element.childNodes.length && children.every((child, index) => child === element.childNodes[index])) return;
  element.textContent = "";
  element.append(...children);
};

/**
 * Create an SVG element.
 *
 * @param {string} tag
 * @param {Record<string, unknown>} attributes
 * @param {...(Node | string)} children
 * @returns {any}
 */
export const draw = (tag, attributes, ...children) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
};
