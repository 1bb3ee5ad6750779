// Vectors by the official SDKs for Node: what is asked as JSON in, what the SDK made of the answer as JSON out.
// SPDX-License-Identifier: MIT
import { text } from "node:stream/consumers";

const { sdk, url, key, model, texts, dimensions } = JSON.parse(await text(process.stdin));

const asking = {
  async openai(encoding_format) {
    const { OpenAI } = await import("openai");
    const client = new OpenAI({ baseURL: url + "/v1", apiKey: key, maxRetries: 0 });
    const got = await client.embeddings.create({ model, input: texts, dimensions, encoding_format });
    return { vectors: got.data.map((one) => one.embedding), tokens: got.usage.prompt_tokens };
  },

  async "openai-float"() {
    return asking.openai("float");
  },

  async gemini() {
    const { GoogleGenAI } = await import("@google/genai");
    const client = new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: url } });
    const config = { outputDimensionality: dimensions, taskType: "RETRIEVAL_DOCUMENT" };
    const got = await client.models.embedContent({ model, contents: texts, config });
    return { vectors: got.embeddings.map((one) => one.values) };
  },

  async cohere() {
    const { CohereClientV2 } = await import("cohere-ai");
    const client = new CohereClientV2({ token: key, environment: url });
    const asked = { model, texts, inputType: "search_document", embeddingTypes: ["float"], outputDimension: dimensions };
    const got = await client.embed(asked);
    return { vectors: got.embeddings.float, tokens: got.meta.billedUnits.inputTokens };
  },

  async bedrock() {
    const { BedrockRuntimeClient, InvokeModelCommand } = await import("@aws-sdk/client-bedrock-runtime");
    const { NodeHttpHandler } = await import("@smithy/node-http-handler");
    const client = new BedrockRuntimeClient({
      endpoint: url,
      region: "eu-central-1",
      credentials: { accessKeyId: "AKIAOFTHECLIENT00000", secretAccessKey: key },
      maxAttempts: 1,
      requestHandler: new NodeHttpHandler(), // by itself it speaks HTTP/2 only
    });
    const body = JSON.stringify({ texts, input_type: "search_document", output_dimension: dimensions });
    const got = await client.send(new InvokeModelCommand({ modelId: model, body, contentType: "application/json" }));
    const told = JSON.parse(new TextDecoder().decode(got.body));
    return { vectors: told.embeddings, tokens: told.meta.billed_units.input_tokens };
  },
};

process.stdout.write(JSON.stringify(await asking[sdk]()));
