// The same call from a shell, Python and Node, as Markdown. SPDX-License-Identifier: MIT
const fence = (language, code) => "```" + language + "\n" + code.trim() + "\n```";
const sample = ({ curl, python, node }) =>
  [["curl", "bash", curl], ["Python", "python", python], ["Node", "javascript", node]]
    .filter(([, , code]) => code)
    .map(([title, language, code]) => `**${title}**\n\n${fence(language, code)}`)
    .join("\n\n");

export const samples = {
  chat: sample({
    curl: `
curl http://localhost:8000/v1/chat/completions \\
  -H 'Content-Type: application/json' \\
  -H 'Authorization: Bearer dummy-key' \\
  -d '{"model": "demo", "messages": [{"role": "user", "content": "Hello"}]}'`,
    python: `
from openai import OpenAI

client = OpenAI(base_url="http://localhost:8000/v1", api_key="dummy-key")
stream = client.chat.completions.create(
    model="demo",
    messages=[{"role": "user", "content": "Hello"}],
    stream=True,
)
for chunk in stream:
    if chunk.choices:
        print(chunk.choices[0].delta.content or "", end="")`,
    node: `
import OpenAI from "openai";

const client = new OpenAI({ baseURL: "http://localhost:8000/v1", apiKey: "dummy-key" });
const reply = await client.chat.completions.create({
  model: "demo",
  messages: [{ role: "user", content: "Hello" }],
});
console.log(reply.choices[0].message.content);`,
  }),
  responses: sample({
    curl: `
curl http://localhost:8000/v1/responses \\
  -H 'Content-Type: application/json' \\
  -H 'Authorization: Bearer dummy-key' \\
  -d '{"model": "demo", "input": "Hello"}'`,
    python: `
from openai import OpenAI

client = OpenAI(base_url="http://localhost:8000/v1", api_key="dummy-key")
response = client.responses.create(model="demo", input="Hello")
print(response.output_text)`,
    node: `
import OpenAI from "openai";

const client = new OpenAI({ baseURL: "http://localhost:8000/v1", apiKey: "dummy-key" });
const response = await client.responses.create({ model: "demo", input: "Hello" });
console.log(response.output_text);`,
  }),
  messages: sample({
    curl: `
curl http://localhost:8000/v1/messages \\
  -H 'Content-Type: application/json' \\
  -H 'x-api-key: dummy-key' -H 'anthropic-version: 2023-06-01' \\
  -d '{"model": "demo", "max_tokens": 1024, "messages": [{"role": "user", "content": "Hello"}]}'`,
    python: `
from anthropic import Anthropic

client = Anthropic(base_url="http://localhost:8000", api_key="dummy-key")
message = client.messages.create(
    model="demo",
    max_tokens=1024,
    messages=[{"role": "user", "content": "Hello"}],
)
print(message.content[0].text)`,
    node: `
import Anthropic from "@anthropic-ai/sdk";

const client = new Anthropic({ baseURL: "http://localhost:8000", apiKey: "dummy-key" });
const message = await client.messages.create({
  model: "demo",
  max_tokens: 1024,
  messages: [{ role: "user", content: "Hello" }],
});
console.log(message.content[0].text);`,
  }),
  cohere: sample({
    curl: `
curl http://localhost:8000/v2/chat \\
  -H 'Content-Type: application/json' \\
  -H 'Authorization: Bearer dummy-key' \\
  -d '{"model": "demo", "messages": [{"role": "user", "content": "Hello"}]}'`,
    python: `
from cohere import ClientV2

client = ClientV2(base_url="http://localhost:8000", api_key="dummy-key")
reply = client.chat(model="demo", messages=[{"role": "user", "content": "Hello"}])
print(reply.message.content[0].text)`,
    node: `
import { CohereClientV2 } from "cohere-ai";

const client = new CohereClientV2({ environment: "http://localhost:8000", token: "dummy-key" });
const reply = await client.chat({ model: "demo", messages: [{ role: "user", content: "Hello" }] });
console.log(reply.message.content[0].text);`,
  }),
  bedrock: sample({
    curl: `
curl http://localhost:8000/model/demo/converse \\
  -H 'Content-Type: application/json' \\
  -H 'Authorization: Bearer dummy-key' \\
  -d '{"messages": [{"role": "user", "content": [{"text": "Hello"}]}]}'`,
    python: `
import boto3

client = boto3.client("bedrock-runtime", endpoint_url="http://localhost:8000", region_name="us-east-1",
                      aws_access_key_id="dummy", aws_secret_access_key="key")
reply = client.converse(modelId="demo", messages=[{"role": "user", "content": [{"text": "Hello"}]}])
print(reply["output"]["message"]["content"][0]["text"])`,
    node: `
import { BedrockRuntimeClient, ConverseCommand } from "@aws-sdk/client-bedrock-runtime";

const client = new BedrockRuntimeClient({
  endpoint: "http://localhost:8000",
  region: "us-east-1",
  credentials: { accessKeyId: "dummy", secretAccessKey: "key" },
});
const command = new ConverseCommand({ modelId: "demo", messages: [{ role: "user", content: [{ text: "Hello" }] }] });
const reply = await client.send(command);
console.log(reply.output.message.content[0].text);`,
  }),
  gemini: sample({
    curl: `
curl http://localhost:8000/v1beta/models/demo:generateContent \\
  -H 'Content-Type: application/json' \\
  -H 'x-goog-api-key: dummy-key' \\
  -d '{"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}'`,
    python: `
from google import genai

client = genai.Client(
    api_key="dummy-key",
    http_options={"base_url": "http://localhost:8000"},
)
print(client.models.generate_content(model="demo", contents="Hello").text)`,
    node: `
import { GoogleGenAI } from "@google/genai";

const client = new GoogleGenAI({
  apiKey: "dummy-key",
  httpOptions: { baseUrl: "http://localhost:8000" },
});
const reply = await client.models.generateContent({ model: "demo", contents: "Hello" });
console.log(reply.text);`,
  }),
  gemini_stream: sample({
    curl: `
curl -N 'http://localhost:8000/v1beta/models/demo:streamGenerateContent?alt=sse' \\
  -H 'Content-Type: application/json' \\
  -H 'x-goog-api-key: dummy-key' \\
  -d '{"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}'`,
    python: `
from google import genai

client = genai.Client(
    api_key="dummy-key",
    http_options={"base_url": "http://localhost:8000"},
)
for chunk in client.models.generate_content_stream(model="demo", contents="Hello"):
    print(chunk.text, end="")`,
    node: `
import { GoogleGenAI } from "@google/genai";

const client = new GoogleGenAI({
  apiKey: "dummy-key",
  httpOptions: { baseUrl: "http://localhost:8000" },
});
for await (const chunk of await client.models.generateContentStream({ model: "demo", contents: "Hello" })) {
  process.stdout.write(chunk.text ?? "");
}`,
  }),
  models: sample({
    curl: `
curl http://localhost:8000/v1/models -H 'Authorization: Bearer dummy-key'`,
    python: `
from openai import OpenAI

client = OpenAI(base_url="http://localhost:8000/v1", api_key="dummy-key")
print([model.id for model in client.models.list()])`,
    node: `
import OpenAI from "openai";

const client = new OpenAI({ baseURL: "http://localhost:8000/v1", apiKey: "dummy-key" });
for await (const model of client.models.list()) console.log(model.id);`,
  }),
};
