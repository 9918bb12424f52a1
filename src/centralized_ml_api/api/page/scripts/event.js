// What everybody may know of the event: its title and its logo, which are in the document.

const EVENT = JSON.parse(byId("event").textContent);

const eventTitle = () => EVENT.title ?? "Models";

/** Returns the event's logo; null where it has none. */
const logo = () => (EVENT.logo ? element("img", { src: EVENT.logo, alt: "" }) : null);
