// Renders a request as code. The key is never in a snippet: it comes from the environment.

const KEY_VARIABLE = "MLAPI_KEY";

/** Returns `[language, code]` pairs for a request. */
function snippets(request, needsKey) {
  const url = BASE + request.path.replace(/^\//, "");
  const value = request.file ? undefined : parseJson(request.body);
  const parts = { request, url, value, needsKey };
  return [
    ["curl", curlSnippet(parts)],
    ["Python", requestsSnippet(parts)],
    ...(request.path.startsWith("/v1/") ? [["OpenAI", openaiSnippet(parts)]] : []),
    ["JavaScript", fetchSnippet(parts)],
  ];
}

/** Returns the file that a snippet writes the response to; null where it prints it. */
const outputFile = ({ accept }) => (/^(image|audio|video)\//.test(accept) ? `answer.${accept.split("/")[1]}` : null);

const shellQuoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

function curlSnippet({ request, url, needsKey }) {
  const file = outputFile(request);
  const output = file ? ` --output ${file}` : "";
  const stream = request.accept === "text/event-stream" ? " --no-buffer" : "";
  const body = request.file ? `--data-binary @${shellQuoted(request.file)}` : `--data-raw ${shellQuoted(request.body)}`;
  return [
    `curl --fail-with-body --silent --show-error${stream}${output} ${shellQuoted(url)}`,
    ...(needsKey ? [`  -H "x-api-key: $${KEY_VARIABLE}"`] : []),
    `  -H ${shellQuoted(`Content-Type: ${request.type}`)}`,
    `  -H ${shellQuoted(`Accept: ${request.accept}`)}`,
    `  ${body}`,
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
  const streams = request.accept === "text/event-stream";
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
      : `json=${pythonLiteral(value)}`;
  const file = outputFile(request);
  const lastLines = streams
    ? "for line in response.iter_lines(decode_unicode=True):\n    print(line)"
    : file
      ? `open("${file}", "wb").write(response.content)`
      : "print(response.text)";
  return [
    ...(needsKey ? ["import os", ""] : []),
    "import requests",
    "",
    `headers = {\n${keyLine}${headerLines.join("")}}`,
    `response = requests.post(${JSON.stringify(url)}, headers=headers, ${body}${streams ? ", stream=True" : ""})`,
    "response.raise_for_status()",
    lastLines,
  ].join("\n");
}

function openaiSnippet({ request, value, needsKey }) {
  const apiKey = needsKey ? `os.environ["${KEY_VARIABLE}"]` : '"not needed"';
  const client = `client = OpenAI(base_url=${JSON.stringify(`${BASE}v1`)}, api_key=${apiKey})`;
  const parameters = Object.entries(value ?? {}).map(([name, member]) => `    ${name}=${pythonLiteral(member, 8)},\n`);
  const firstLines = [...(needsKey ? ["import os", ""] : []), "from openai import OpenAI", "", client];
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
      : `JSON.stringify(${JSON.stringify(value, null, 2).replaceAll("\n", "\n  ")})`;
  const file = outputFile(request);
  const imports = [
    ...(request.file ? ["readFile"] : []),
    ...(file ? ["writeFile"] : []),
  ];
  const lastLines = file
    ? `await writeFile("${file}", Buffer.from(await response.arrayBuffer()));`
    : request.accept === "text/event-stream"
      ? "for await (const text of response.body.pipeThrough(new TextDecoderStream())) process.stdout.write(text);"
      : "console.log(await response.text());";
  return [
    ...(imports.length ? [`import { ${imports.join(", ")} } from "node:fs/promises";`, ""] : []),
    `const response = await fetch(${JSON.stringify(url)}, {`,
    '  method: "POST",',
    `  headers: {\n${headers.join("\n")}\n  },`,
    `  body: ${body},`,
    "});",
    "if (!response.ok) throw new Error(await response.text());",
    lastLines,
  ].join("\n");
}
