// Keeps conversations in this browser, apart for each key; where the browser keeps nothing, only until the page is closed.

const DATABASE = "mlapi";
const CONVERSATIONS = "conversations";

/** Returns a short name for whose conversations these are. It has to differ between keys, not to hide one. */
function ownerName() {
  let hash = 5381;
  for (const letter of BASE + key.get()) hash = (Math.imul(hash, 33) ^ letter.codePointAt(0)) >>> 0;
  return hash.toString(36);
}

function openDatabase() {
  return new Promise((done, failed) => {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(CONVERSATIONS, { keyPath: "id" });
    opening.onsuccess = () => done(opening.result);
    opening.onerror = () => failed(opening.error);
  });
}

/** Runs `ask(store)`, which returns a request of IndexedDB; returns its result. */
async function inStore(mode, ask) {
  const database = await openDatabase();
  try {
    return await new Promise((done, failed) => {
      const request = ask(database.transaction(CONVERSATIONS, mode).objectStore(CONVERSATIONS));
      request.onsuccess = () => done(request.result);
      request.onerror = () => failed(request.error);
    });
  } finally {
    database.close();
  }
}

/** Returns the conversations of whoever has this key, the newest first. */
async function loadConversations() {
  try {
    const all = await inStore("readonly", (store) => store.getAll());
    const owner = ownerName();
    return all.filter((one) => one.owner === owner).sort((left, right) => right.updated - left.updated);
  } catch {
    return [];
  }
}

async function saveConversation(conversation) {
  try {
    await inStore("readwrite", (store) => store.put(conversation));
  } catch {
    say("This browser does not keep conversations.");
  }
}

async function removeConversation(id) {
  try {
    await inStore("readwrite", (store) => store.delete(id));
  } catch {
    // It was never kept.
  }
}
