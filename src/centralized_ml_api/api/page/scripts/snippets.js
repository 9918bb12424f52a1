// Renders a request as code. The key is never in a snippet: it comes from the environment.
//
// The code prints the text of a streamed chat as it arrives. Responses are in UTF-8, which few of them say.

const KEY_VARIABLE = "MLAPI_KEY";

/** Reads the events of a streamed chat, where curl has no means for that. */
const PRINT_CHAT = `python3 -c '
import json, sys
for line in sys.stdin:
    if line.startswith("data: {"):
        chunk = json.loads(line[6:])
        if "error" in chunk:
            raise SystemExit(line)
        for choice in chunk["choices"]:
            print(choice["delta"].get("content") or "", end="", flush=True)
    elif line.strip() and not line.startswith("data:"):
        print(line, end="")
print()'`;

/** Returns the request in each language: its name, what it needs, how it is coloured, the code. */
function snippets(request, needsKey) {
  const url = BASE + request.path.replace(/^\//, "");
  const value = request.file ? undefined : parseJson(request.body);
  const parts = { request, url, value, needsKey };
  const openai = { name: "OpenAI", needs: "pip install openai", language: "python", code: () => openaiSnippet(parts) };
  return [
    { name: "curl", needs: streamsChat(request) ? "needs curl and Python" : "needs curl", language: "bash", code: () => curlSnippet(parts) },
    { name: "Python", needs: "pip install requests", language: "python", code: () => requestsSnippet(parts) },
    ...(request.path.startsWith("/v1/") ? [openai] : []),
    { name: "JavaScript", needs: "Node 18 or newer", language: "javascript", code: () => fetchSnippet(parts) },
  ].map((snippet) => ({ ...snippet, code: snippet.code() }));
}

const streams = ({ accept }) => accept === "text/event-stream";

const streamsChat = (request) => streams(request) && request.path === "/v1/chat/completions";

/** Returns the file that a snippet writes the response to; null where it prints it. */
const outputFile = ({ accept }) => (/^(image|audio|video)\//.test(accept) ? `answer.${accept.split("/")[1]}` : null);

const shellQuoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

function curlSnippet({ request, url, needsKey }) {
  const file = outputFile(request);
  const output = file ? ` --output ${file}` : "";
  const stream = streams(request) ? " --no-buffer" : "";
  const print = streamsChat(request) ? ` \\\n  | ${PRINT_CHAT}` : "";
  const sent = request.file ?? request.bodyFile;
  const body = sent ? `--data-binary @${shellQuoted(sent)}` : `--data-raw ${shellQuoted(request.body)}`;
  return [
    `curl --fail-with-body --silent --show-error${stream}${output} ${shellQuoted(url)}`,
    ...(needsKey ? [`  -H "x-api-key: $${KEY_VARIABLE}"`] : []),
    `  -H ${shellQuoted(`Content-Type: ${request.type}`)}`,
    `  -H ${shellQuoted(`Accept: ${request.accept}`)}`,
    `  ${body}${print}`,
  ].join(" \\\n");
}

/** Renders a JSON value as a Python literal. */
function pythonLiteral(value, indent = 4) {
  const indentation = " ".repeat(indent);
  const closing = " ".repeat(indent - 4);
  if (value === null || value === undefined) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (Array.isArray(value)) {
    if (!value.length) return "[]";
    return `[\n${value.map((item) => `${indentation}${pythonLiteral(item, indent + 4)},\n`).join("")}${closing}]`;
  }
  if (typeof value === "object") {
    const members = Object.entries(value).map(
      ([name, member]) => `${indentation}${JSON.stringify(name)}: ${pythonLiteral(member, indent + 4)},\n`,
    );
    return members.length ? `{\n${members.join("")}${closing}}` : "{}";
  }
  return JSON.stringify(value);
}

function requestsSnippet({ request, url, value, needsKey }) {
  const headers = {
    ...(request.file || value === undefined ? { "Content-Type": request.type } : {}),
    Accept: request.accept,
  };
  const keyLine = needsKey ? `    "x-api-key": os.environ["${KEY_VARIABLE}"],\n` : "";
  const headerLines = Object.entries(headers).map(
    ([name, text]) => `    ${JSON.stringify(name)}: ${JSON.stringify(text)},\n`,
  );
  const body = request.file
    ? `data=open(${JSON.stringify(request.file)}, "rb")`
    : value === undefined
      ? `data=${JSON.stringify(request.body)}.encode()`
      : `json=${request.bodyFile ? loadedInPython(request) : pythonLiteral(value)}`;
  const file = outputFile(request);
  const modules = [...(streamsChat(request) || request.bodyFile ? ["json"] : []), ...(needsKey ? ["os"] : [])];
  return [
    ...(modules.length ? [...modules.map((module) => `import ${module}`), ""] : []),
    "import requests",
    "",
    `headers = {\n${keyLine}${headerLines.join("")}}`,
    `response = requests.post(${JSON.stringify(url)}, headers=headers, ${body}${streams(request) ? ", stream=True" : ""})`,
    "response.raise_for_status()",
    file
      ? `open("${file}", "wb").write(response.content)`
      : requestsPrint(request).join("\n"),
  ].join("\n");
}

const loadedInPython = ({ bodyFile }) => `json.load(open("${bodyFile}", encoding="utf-8"))`;

function requestsPrint(request) {
  const encoding = 'response.encoding = "utf-8"';
  if (!streams(request)) return [encoding, "print(response.text)"];
  if (!streamsChat(request)) return [encoding, "for line in response.iter_lines(decode_unicode=True):", "    print(line)"];
  return [
    "for line in response.iter_lines():",
    '    if line.startswith(b"data: {"):',
    "        chunk = json.loads(line[6:])",
    '        if "error" in chunk:',
    '            raise SystemExit(chunk["error"])',
    '        for choice in chunk["choices"]:',
    '            print(choice["delta"].get("content") or "", end="", flush=True)',
    "print()",
  ];
}

function openaiSnippet({ request, value, needsKey }) {
  const apiKey = needsKey ? `os.environ["${KEY_VARIABLE}"]` : '"not needed"';
  const client = `client = OpenAI(base_url=${JSON.stringify(`${BASE}v1`)}, api_key=${apiKey})`;
  const parameters = request.bodyFile
    ? [`    **${loadedInPython(request)},\n`]
    : Object.entries(value ?? {}).map(([name, member]) => `    ${name}=${pythonLiteral(member, 8)},\n`);
  const modules = [...(request.bodyFile ? ["import json"] : []), ...(needsKey ? ["import os"] : [])];
  const firstLines = [...(modules.length ? [...modules, ""] : []), "from openai import OpenAI", "", client];
  if (request.path === "/v1/embeddings") {
    const printed = "print([len(item.embedding) for item in response.data])";
    return [...firstLines, `response = client.embeddings.create(\n${parameters.join("")})`, printed].join("\n");
  }
  const lastLines = value?.stream
    ? 'for chunk in response:\n    if chunk.choices:\n        print(chunk.choices[0].delta.content or "", end="", flush=True)\nprint()'
    : "print(response.choices[0].message.content)";
  return [...firstLines, `response = client.chat.completions.create(\n${parameters.join("")})`, lastLines].join("\n");
}

function fetchSnippet({ request, url, value, needsKey }) {
  const headers = [
    ...(needsKey ? [`    "x-api-key": process.env.${KEY_VARIABLE},`] : []),
    `    "Content-Type": ${JSON.stringify(request.type)},`,
    `    Accept: ${JSON.stringify(request.accept)},`,
  ];
  const body = request.file
    ? `await readFile(${JSON.stringify(request.file)})`
    : value === undefined
      ? JSON.stringify(request.body)
      : request.bodyFile
        ? `await readFile("${request.bodyFile}")`
        : `JSON.stringify(${JSON.stringify(value, null, 2).replaceAll("\n", "\n  ")})`;
  const file = outputFile(request);
  const imports = [
    ...(request.file || request.bodyFile ? ["readFile"] : []),
    ...(file ? ["writeFile"] : []),
  ];
  return [
    ...(imports.length ? [`import { ${imports.join(", ")} } from "node:fs/promises";`, ""] : []),
    `const response = await fetch(${JSON.stringify(url)}, {`,
    '  method: "POST",',
    `  headers: {\n${headers.join("\n")}\n  },`,
    `  body: ${body},`,
    "});",
    "if (!response.ok) throw new Error(await response.text());",
    file ? `await writeFile("${file}", Buffer.from(await response.arrayBuffer()));` : fetchPrint(request),
  ].join("\n");
}

function fetchPrint(request) {
  if (!streams(request)) return "console.log(await response.text());";
  const texts = "for await (const text of response.body.pipeThrough(new TextDecoderStream()))";
  if (!streamsChat(request)) return `${texts} process.stdout.write(text);`;
  return [
    'let rest = "";',
    `${texts} {`,
    '  const lines = (rest + text).split("\\n");',
    "  rest = lines.pop();",
    '  for (const line of lines.filter((line) => line.startsWith("data: {"))) {',
    "    const { choices, error } = JSON.parse(line.slice(6));",
    "    if (error) throw new Error(error.message);",
    '    process.stdout.write(choices[0]?.delta.content ?? "");',
    "  }",
    "}",
    "console.log();",
  ].join("\n");
}
