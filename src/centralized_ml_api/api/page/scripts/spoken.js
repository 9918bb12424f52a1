// Lets screen readers hear answers while they come: block by block, each once.

const HEARD_MILLISECONDS = 60_000;

/** How many blocks of an answer were read out. */
const spoken = new WeakMap();

/** Begins an answer, or its rest: of what broke off, the last block is read out once more, as a whole. */
function beginToSpeak(answer) {
  spoken.set(answer, Math.max(0, (spoken.get(answer) ?? 0) - 1));
}

/** Reads out the blocks that are complete, all once it `isDone`; of two models side by side, one after the other. */
function speak(conversation, answer, isDone) {
  const view = views.get(answer);
  if (state.conversation !== conversation || !view || (conversation.models.length > 1 && !isDone)) return;
  const blocks = [...view.body.container.children];
  const complete = isDone ? blocks.length : blocks.length - 1;
  const from = spoken.get(answer) ?? 0;
  if (complete <= from) return;
  const words = blocks.slice(from, complete).map((block) => element("p", {}, wordBlock(block)));
  byId("heard").append(...words);
  setTimeout(() => words.forEach((said) => said.remove()), HEARD_MILLISECONDS); // or who searches the page finds all twice
  spoken.set(answer, complete);
}

/** Returns what is heard of a block: of code, how long it is. */
function wordBlock(block) {
  const code = block.querySelector(".codebox");
  if (!code) return block.innerText;
  const lines = code.querySelector("pre").textContent.split("\n").length;
  return `Code: ${code.querySelector("header span").textContent}, ${lines} line${lines === 1 ? "" : "s"}.`;
}
