// What a model is for, in a word for the list and in a verb for its button.

const KIND_ORDER = ["Chats", "Sees", "Hears", "Says", "Draws", "Embeds", "Other"];
const VERBS = { Hears: "Write it down", Says: "Say it", Draws: "Draw it", Embeds: "Compare" };

function kindOf(model) {
  if (model.openai === "chat") return model.sees ? "Sees" : "Chats";
  if (model.openai === "embeddings") return "Embeds";
  if (model.takes.startsWith("audio/")) return "Hears";
  if (model.gives.startsWith("audio/")) return "Says";
  if (model.gives.startsWith("image/") || model.task === "txt2img") return "Draws";
  return "Other";
}

const isChat = (model) => model.openai === "chat" && model.served;

/** Returns the models that chat, those that are ready first. */
const chatModels = () => state.catalogue.models.filter(isChat);

const findModel = (name) => state.catalogue.models.find((model) => model.name === name);

/** Returns how many tokens a model's conversations can hold; undefined if nobody knows. */
const contextLength = (name) => state.catalogue.data.find((listed) => listed.id === name)?.context_length;

/** Returns what may wake a model that sleeps: a call, or the next hours of the event; `now` in milliseconds. */
function sleepLabel(hours, now) {
  const isOpen = hours.some(({ from, to }) => Date.parse(from) <= now && now < Date.parse(to));
  if (isOpen || !hours.length) return "asleep, wakes when called";
  const next = hours.find(({ from }) => now < Date.parse(from));
  const style = { dateStyle: "medium", timeStyle: "short" };
  return next ? `asleep until ${new Date(next.from).toLocaleString([], style)}` : "asleep";
}

/** Returns the label of a model's state, a `short` one for the list where that differs, and the class of its dot. */
function statusOf(model) {
  if (!model.served) return { label: "not served", dot: "absent", isReady: false };
  const reason = state.health?.unready?.[model.name];
  if (reason) return { label: reason, dot: "waiting", isReady: false };
  const sleep = state.health?.asleep?.[model.name];
  if (sleep === "waking") return { label: "waking", dot: "waiting", isReady: false };
  if (sleep) return { short: "asleep", label: sleepLabel(state.catalogue?.event.hours ?? [], Date.now()), dot: "asleep", isReady: false };
  return state.health ? { label: "ready", dot: "ready", isReady: true } : { label: "served", dot: "", isReady: true };
}
