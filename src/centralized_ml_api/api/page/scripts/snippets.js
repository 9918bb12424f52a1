// The request as programs would send it. The key is never in a snippet: it comes from the environment.

const KEY_VARIABLE = "MLAPI_KEY";

/** The names of the languages and the text of each, for a request and whether a key is needed. */
function snippets(model, call, needsKey) {
  const url = BASE + call.path.replace(/^\//, "");
  const value = call.file ? undefined : parsed(call.body);
  const given = { model, call, url, value, needsKey };
  return [
    ["curl", curlSnippet(given)],
    ["Python", requestsSnippet(given)],
    ...(call.path.startsWith("/v1/") ? [["OpenAI", openaiSnippet(given)]] : []),
    ["JavaScript", fetchSnippet(given)],
  ];
}

const shellQuoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

function curlSnippet({ call, url, needsKey }) {
  const out = /^(image|audio|video)\//.test(call.accept) ? ` --output answer.${call.accept.split("/")[1]}` : "";
  const stream = call.accept === "text/event-stream" ? " --no-buffer" : "";
  const body = call.file ? `--data-binary @${shellQuoted(call.file)}` : `--data-raw ${shellQuoted(call.body)}`;
  return [
    `curl --fail-with-body --silent --show-error${stream}${out} ${shellQuoted(url)}`,
    ...(needsKey ? [`  -H "x-api-key: $${KEY_VARIABLE}"`] : []),
    `  -H ${shellQuoted(`Content-Type: ${call.type}`)}`,
    `  -H ${shellQuoted(`Accept: ${call.accept}`)}`,
    `  ${body}`,
  ].join(" \\\n");
}

/** A JSON value in Python's words. */
function python(value, indent = 4) {
  const pad = " ".repeat(indent);
  const end = " ".repeat(indent - 4);
  if (value === null || value === undefined) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (Array.isArray(value)) {
    if (!value.length) return "[]";
    return `[\n${value.map((part) => `${pad}${python(part, indent + 4)},\n`).join("")}${end}]`;
  }
  if (typeof value === "object") {
    const parts = Object.entries(value).map(([name, part]) => `${pad}${JSON.stringify(name)}: ${python(part, indent + 4)},\n`);
    return parts.length ? `{\n${parts.join("")}${end}}` : "{}";
  }
  return JSON.stringify(value);
}

function requestsSnippet({ call, url, value, needsKey }) {
  const streams = call.accept === "text/event-stream";
  const headers = {
    ...(call.file || value === undefined ? { "Content-Type": call.type } : {}),
    Accept: call.accept,
  };
  const keyLine = needsKey ? `    "x-api-key": os.environ["${KEY_VARIABLE}"],\n` : "";
  const listed = Object.entries(headers).map(([name, text]) => `    ${JSON.stringify(name)}: ${JSON.stringify(text)},\n`);
  const body = call.file
    ? `data=open(${JSON.stringify(call.file)}, "rb")`
    : value === undefined
      ? `data=${JSON.stringify(call.body)}.encode()`
      : `json=${python(value)}`;
  const end = streams
    ? "for line in answer.iter_lines(decode_unicode=True):\n    print(line)"
    : /^(image|audio|video)\//.test(call.accept)
      ? `open("answer.${call.accept.split("/")[1]}", "wb").write(answer.content)`
      : "print(answer.text)";
  return [
    ...(needsKey ? ["import os", ""] : []),
    "import requests",
    "",
    `headers = {\n${keyLine}${listed.join("")}}`,
    `answer = requests.post(${JSON.stringify(url)}, headers=headers, ${body}${streams ? ", stream=True" : ""})`,
    "answer.raise_for_status()",
    end,
  ].join("\n");
}

function openaiSnippet({ call, value, needsKey }) {
  const apiKey = needsKey ? `os.environ["${KEY_VARIABLE}"]` : '"none is needed"';
  const client = `client = OpenAI(base_url=${JSON.stringify(`${BASE}v1`)}, api_key=${apiKey})`;
  const parameters = Object.entries(value ?? {}).map(([name, part]) => `    ${name}=${python(part, 8)},\n`);
  const head = [...(needsKey ? ["import os", ""] : []), "from openai import OpenAI", "", client];
  if (call.path === "/v1/embeddings") {
    return [...head, `answer = client.embeddings.create(\n${parameters.join("")})`, "print([len(item.embedding) for item in answer.data])"].join("\n");
  }
  const end = value?.stream
    ? 'for event in answer:\n    if event.choices:\n        print(event.choices[0].delta.content or "", end="", flush=True)\nprint()'
    : "print(answer.choices[0].message.content)";
  return [...head, `answer = client.chat.completions.create(\n${parameters.join("")})`, end].join("\n");
}

function fetchSnippet({ call, url, value, needsKey }) {
  const headers = [
    ...(needsKey ? [`    "x-api-key": process.env.${KEY_VARIABLE},`] : []),
    `    "Content-Type": ${JSON.stringify(call.type)},`,
    `    Accept: ${JSON.stringify(call.accept)},`,
  ];
  const body = call.file
    ? `await readFile(${JSON.stringify(call.file)})`
    : value === undefined
      ? JSON.stringify(call.body)
      : `JSON.stringify(${JSON.stringify(value, null, 2).replaceAll("\n", "\n  ")})`;
  const binary = /^(image|audio|video)\//.test(call.accept);
  const imports = [
    ...(call.file ? ["readFile"] : []),
    ...(binary ? ["writeFile"] : []),
  ];
  const end = binary
    ? `await writeFile("answer.${call.accept.split("/")[1]}", Buffer.from(await answer.arrayBuffer()));`
    : call.accept === "text/event-stream"
      ? "for await (const piece of answer.body.pipeThrough(new TextDecoderStream())) process.stdout.write(piece);"
      : "console.log(await answer.text());";
  return [
    ...(imports.length ? [`import { ${imports.join(", ")} } from "node:fs/promises";`, ""] : []),
    `const answer = await fetch(${JSON.stringify(url)}, {`,
    '  method: "POST",',
    `  headers: {\n${headers.join("\n")}\n  },`,
    `  body: ${body},`,
    "});",
    "if (!answer.ok) throw new Error(await answer.text());",
    end,
  ].join("\n");
}
