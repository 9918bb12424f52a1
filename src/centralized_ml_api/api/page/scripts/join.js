// The page by which a team joins: the code from the link, a name, then the key, once.

const LONGEST_NAME = 32;
const FIRST_PROGRAM = "openai-python";
const WRONG_CODE = "join_code_wrong";
const WRONG_NAME = ["join_name_invalid", "join_name_taken"];

/** Colours code; here it stays as it is. */
const highlight = () => {};

/** Takes the code of a link such as `/join#code=…` out of the address, so that it is in no history. */
function takeCodeFromAddress() {
  const found = /^#code=(.+)$/.exec(location.hash);
  if (!found) return "";
  history.replaceState(null, "", location.pathname);
  return decodePart(found[1]);
}

/** Builds the page's head, and what is below it. */
function show(...parts) {
  byId("join").replaceChildren(element(
    "div",
    { class: "event-line" },
    logo(),
    element("div", {}, element("b", { dir: "auto" }, EVENT.title ?? location.host), element("span", { class: "small faint", id: "times" }, wordTimes(new Date()))),
  ), ...parts);
}

/** Says when the event is, in the reader's time zone; nothing where the config does not say. */
function wordTimes(now) {
  const [starts, ends] = [EVENT.starts, EVENT.ends].map((instant) => (instant ? new Date(instant) : null));
  const isFar = [starts, ends].some((instant) => instant && instant.getFullYear() !== now.getFullYear());
  const day = { weekday: "long", day: "numeric", month: "long", ...(isFar ? { year: "numeric" } : {}) };
  const written = new Intl.DateTimeFormat([], { ...day, hour: "numeric", minute: "2-digit" });
  if (ends && ends <= now) return `The event ended on ${written.format(ends)}`;
  if (starts && ends) return written.formatRange(starts, ends);
  return ends ? `Until ${written.format(ends)}` : starts ? `From ${written.format(starts)}` : "";
}

/** Builds an input with what is wrong with it below. */
function field(label, input, wrong, hint) {
  const id = `${input.id}-note`;
  input.setAttribute("aria-describedby", id);
  if (wrong) input.setAttribute("aria-invalid", "true");
  const note = wrong
    ? element("p", { id, class: "small bad", role: "alert" }, wrong)
    : element("p", { id, class: "small faint" }, hint);
  return element("div", {}, labelled(label, input), note);
}

/** Shows the form; `error` says why a team could not join so. */
function showForm(code, name = "", error = null) {
  const codeInput = element("input", {
    id: "code", class: "mono code", autocomplete: "off", autocapitalize: "characters", spellcheck: "false", required: true, maxlength: 64,
  });
  const nameInput = element("input", { id: "name", autocomplete: "off", required: true, maxlength: LONGEST_NAME });
  codeInput.value = code;
  nameInput.value = name;
  const button = element("button", { class: "primary big" }, "Get our key");
  const wrongCode = error?.code === WRONG_CODE ? error.message : "";
  const wrongName = WRONG_NAME.includes(error?.code) ? error.message : "";
  const other = error && !wrongCode && !wrongName ? error.message : "";
  const onsubmit = (event) => {
    event.preventDefault();
    button.disabled = true;
    join(codeInput.value.trim(), nameInput.value.trim());
  };
  show(element(
    "section",
    {},
    element("h1", {}, "Join with your team"),
    element("p", { class: "faint" }, "One of you joins for all. You get a key, and share it in your team."),
    element(
      "form",
      { onsubmit },
      field("Code from the organizers", codeInput, wrongCode, code ? "Taken from your link." : "It is on the projector."),
      field("Name of your team", nameInput, wrongName, "Everybody at the event may see it."),
      other ? element("p", { class: "bad", role: "alert" }, other) : null,
      button,
    ),
    element("p", { class: "small faint" }, "Have a key already? ", element("a", { href: BASE }, "Enter it on the page"), ". No account, no e-mail: your name goes to this API only."),
    trustNote(),
  ));
  (wrongCode || !code ? codeInput : nameInput).focus();
  if (error?.retryAfter) pauseFor(button, secondsToWait(error.retryAfter));
}

/** Lets nobody press the button for so long. */
function pauseFor(button, seconds) {
  button.disabled = true;
  setTimeout(() => { button.disabled = false; }, seconds * 1000);
}

async function join(code, name) {
  const body = JSON.stringify({ code, name, address: BASE.replace(/\/$/, "") });
  try {
    const response = await send(buildRequest("/join", { body }));
    const joined = await response.json();
    key.set(joined.key);
    await showJoined(joined);
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    showForm(code, name, error);
  }
}

/** Returns the models with their paths under `/v1`; an empty list where they cannot be read now. */
async function loadModels() {
  try {
    return (await (await send(buildRequest("/v1/models"))).json()).data;
  } catch {
    return [];
  }
}

async function showJoined({ team, key: own, qr }) {
  document.title = `${team} · ${EVENT.title ?? "Models"}`;
  const link = `${BASE}#key=${own}`;
  const copy = iconButton("copy", "Copy key", () => copyText(own, copy), { class: "primary" });
  const share = iconButton("copy", "Copy a link for the team", () => copyText(link, share), { class: "" });
  const save = iconButton("download", "Save as .env", () => download(`${team}.env`, envFile(own)), { class: "" });
  const title = element("h1", { tabindex: "-1", dir: "auto" }, `${team} ${team.endsWith("s") ? "are" : "is"} in`);
  show(
    element(
      "div",
      { class: "joined" },
      element(
        "section",
        {},
        title,
        element("p", { class: "faint" }, "This is your team's key. It is shown this once: copy it now, and send it to your teammates."),
        element("div", { class: "keybox" }, element("output", { id: "key", class: "mono", "aria-label": "Your key" }, own), copy),
        element("p", { class: "small faint" }, "Whoever has it calls as your team. Keep it out of your repository."),
        element("div", { class: "row wrap" }, share, save),
        element("a", { class: "button primary big", href: BASE }, "Open the page"),
      ),
      qr ? element("aside", { "aria-label": "Sign in on a phone" }, drawQr(qr), element("p", { class: "small faint" }, element("b", { class: "strong" }, "For your team's phones"), element("br"), "It opens the page, signed in. It holds your key: show it to your team only.")) : null,
    ),
    element("section", { id: "programs" }),
  );
  title.focus();
  const models = await loadModels();
  byId("programs").replaceChildren(...describePrograms(models, own));
}

async function copyText(text, button) {
  await copy(text, button.querySelector(".label"));
}

function drawQr({ path, size }) {
  const svg = document.createElementNS(SVG, "svg");
  const dark = document.createElementNS(SVG, "path");
  const properties = { class: "qr", viewBox: `0 0 ${size} ${size}`, role: "img", "aria-label": "QR code that opens the page, signed in", "shape-rendering": "crispEdges" };
  for (const [name, value] of Object.entries(properties)) svg.setAttribute(name, value);
  dark.setAttribute("d", path);
  svg.append(dark);
  return svg;
}

const envFile = (own) => {
  const address = BASE.replace(/\/$/, "");
  const trust = trustLines() && `# The API's certificate is of its own authority. Before the first call, in the same shell:\n${trustLines().replace(/^(?!# )/gm, "# ")}\n`;
  return `${trust}MLAPI_URL=${address}\nMLAPI_KEY=${own}\nOPENAI_BASE_URL=${address}/v1\nOPENAI_API_KEY=${own}\n`;
};

/** Builds the lines with which programs call the first model that has paths under `/v1`. */
function describePrograms(models, own) {
  const model = models.find(({ routes }) => routes?.length);
  if (!model) return [];
  const programs = PROGRAMS.flatMap((program) => {
    const [, lines] = program.lines.find(([path]) => model.routes.includes(path)) ?? [];
    return lines ? [{ ...program, lines }] : [];
  });
  if (!programs.length) return [];
  const values = { url: BASE.replace(/\/$/, ""), base: `${BASE}v1`, model: model.id, key: own };
  const select = element("select", {}, programs.map(({ id, title }) => element("option", { value: id }, title)));
  const box = element("div", { class: "program" });
  const draw = () => {
    const { install, place, lines } = programs.find(({ id }) => id === select.value);
    box.replaceChildren(...[
      trustLines() ? codeBox("in each shell, first: trust this API", trustLines()) : null,
      codeBox("in each shell, then your key", `export MLAPI_KEY=${own}`),
      install ? codeBox("install it", install) : null,
      codeBox(place, renderLines(lines, values)),
    ].filter(Boolean));
  };
  if (programs.some(({ id }) => id === FIRST_PROGRAM)) select.value = FIRST_PROGRAM;
  select.addEventListener("change", draw);
  draw();
  return [element("h2", {}, "Call it from code"), labelled("Program", select), box];
}

document.documentElement.dataset.theme = localStorage.getItem("mlapi-theme") ?? "";
showForm(takeCodeFromAddress());
