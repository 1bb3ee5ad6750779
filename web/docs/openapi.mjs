// The OpenAPI 3.1 document of what the gateway serves. Bodies are described as far as a reader needs them to begin; every
// other field of a vendor's dialect passes as well. SPDX-License-Identifier: MIT
import { admin_paths, admin_schemas } from "./admin.mjs";
import { samples } from "./samples.mjs";
import { schemas } from "./schemas.mjs";

const json = (schema, examples) => ({
  "application/json": { schema, ...(examples ? { examples } : {}) },
});
const ref = (name) => ({ $ref: `#/components/schemas/${name}` });

// `id` is where the dialect's clients look for the exchange's id.
const headers = (id, counts) => ({
  [id]: { description: "The gateway's own id of this exchange, as in its log.", schema: { type: "string" } },
  "x-sluice-notes": {
    description: "What the upstream's dialect could not say: `lost`, `restated` or `added`, each with a JSON pointer.",
    schema: { type: "string" },
  },
  ...(counts
    ? {
        "x-sluice-estimate": {
          description: "`true` when nobody at this backend counts and the number is the gateway's guess.",
          schema: { type: "string", const: "true" },
        },
      }
    : {}),
  "x-ratelimit-limit-requests": { description: "Requests per minute, when a limit is set.", schema: { type: "integer" } },
  "x-ratelimit-remaining-requests": { description: "Of these, how many are left.", schema: { type: "integer" } },
  "x-ratelimit-reset-requests": { description: "Until all are free again, such as `1s` or `6m0s`.", schema: { type: "string" } },
});

// The errors that a model call can end with, in the dialect's own shape.
const errors = (schema) => {
  const error = (description, more = {}) => ({ description, headers: { ...more }, content: json(ref(schema)) });
  return {
    400: error("The request is malformed, or says what the target cannot say."),
    401: error("The caller may not use this gateway; the message says how to open it."),
    404: error("No backend serves this model; the message names the closest ones."),
    413: error("The body is larger than `server.max_body`."),
    429: error("Too many requests, here or upstream.", {
      "retry-after": { description: "Seconds to wait.", schema: { type: "integer" } },
    }),
    502: error("The upstream failed, refused the gateway's key, or broke off."),
    503: error("The upstream or the gateway is overloaded."),
    504: error("The upstream was too slow."),
  };
};

const model_call = ({ tag, id, summary, description, sample, request, reply, event, error, examples, parameters, counts, request_id = "x-request-id", event_type = "text/event-stream" }) => ({
  tags: [tag],
  operationId: id,
  summary,
  description: sample ? `${description}\n\n${samples[sample]}` : description,
  ...(parameters ? { parameters } : {}),
  requestBody: { required: true, content: json(ref(request), examples) },
  responses: {
    200: {
      description: !event ? "The answer." : reply ? "The answer, whole or as server-sent events." : "The answer as events.",
      headers: headers(request_id, counts),
      content: { ...(reply ? json(ref(reply)) : {}), ...(event ? { [event_type]: { schema: ref(event) } } : {}) },
    },
    ...errors(error),
  },
});

const question = "What is the tallest mountain on Mars?";
const weather = {
  type: "object",
  properties: { city: { type: "string" }, unit: { type: "string", enum: ["celsius", "fahrenheit"] } },
  required: ["city"],
};

const chat = model_call({
  tag: "Models",
  id: "createChatCompletion",
  summary: "OpenAI Chat Completions",
  description:
    "Any model of any backend in OpenAI's dialect. The model `demo` answers without any key. A request for a backend of another dialect is translated; what cannot be said there is told in `x-sluice-notes`.",
  sample: "chat",
  request: "ChatRequest",
  reply: "ChatReply",
  event: "ChatEvents",
  error: "OpenAIError",
  examples: {
    text: { summary: "A question", value: { model: "demo", messages: [{ role: "user", content: question }] } },
    stream: {
      summary: "The same as a stream",
      value: { model: "demo", stream: true, stream_options: { include_usage: true }, messages: [{ role: "user", content: question }] },
    },
    tools: {
      summary: "With a tool",
      value: {
        model: "demo",
        messages: [{ role: "user", content: "What is the weather in Paris?" }],
        tools: [{ type: "function", function: { name: "get_weather", description: "The weather of a city", parameters: weather } }],
      },
    },
    structured: {
      summary: "Structured output",
      value: {
        model: "demo",
        messages: [{ role: "user", content: "Describe Olympus Mons" }],
        response_format: {
          type: "json_schema",
          json_schema: {
            name: "mountain",
            strict: true,
            schema: {
              type: "object",
              properties: { name: { type: "string" }, height_km: { type: "number" } },
              required: ["name", "height_km"],
              additionalProperties: false,
            },
          },
        },
      },
    },
    image: {
      summary: "With an image",
      value: {
        model: "demo",
        messages: [
          {
            role: "user",
            content: [
              { type: "text", text: "What is in this picture?" },
              { type: "image_url", image_url: { url: "https://example.com/picture.png" } },
            ],
          },
        ],
      },
    },
  },
});

const completions = model_call({
  tag: "Models",
  id: "createCompletion",
  summary: "OpenAI Completions (legacy)",
  description:
    "One text in, its continuation out: untouched to backends that speak it, as a chat to the others. Several prompts, tokens and `suffix` reach only the former.",
  request: "CompletionRequest",
  reply: "CompletionReply",
  event: "CompletionEvents",
  error: "OpenAIError",
  examples: {
    text: { summary: "A text", value: { model: "demo", prompt: "The tallest mountain on Mars is", max_tokens: 64 } },
    stream: { summary: "The same as a stream", value: { model: "demo", stream: true, prompt: "The tallest mountain on Mars is" } },
  },
});

const responses = model_call({
  tag: "Models",
  id: "createResponse",
  summary: "OpenAI Responses",
  description: "Any model of any backend in the dialect of OpenAI's Responses.",
  sample: "responses",
  request: "ResponsesRequest",
  reply: "ResponsesReply",
  event: "ResponsesEvents",
  error: "OpenAIError",
  examples: {
    text: { summary: "A question", value: { model: "demo", input: question } },
    stream: { summary: "The same as a stream", value: { model: "demo", stream: true, input: question } },
    tools: {
      summary: "With a tool",
      value: {
        model: "demo",
        input: "What is the weather in Paris?",
        tools: [{ type: "function", name: "get_weather", description: "The weather of a city", parameters: weather, strict: false }],
      },
    },
  },
});
const counting =
  "How many tokens a question would be: counted by the vendor where it can, else guessed, and then the answer says so. Nothing is billed.";
const count_input = model_call({
  tag: "Models",
  id: "countResponseInput",
  summary: "OpenAI Responses: count the input",
  description: counting,
  counts: true,
  request: "ResponsesRequest",
  reply: "ResponsesCount",
  error: "OpenAIError",
  examples: { text: { summary: "A question", value: { model: "demo", input: question } } },
});

const messages = model_call({
  tag: "Models",
  id: "createMessage",
  summary: "Anthropic Messages",
  description: "Any model of any backend in Anthropic's dialect.",
  sample: "messages",
  request: "MessagesRequest",
  reply: "MessagesReply",
  event: "MessagesEvents",
  error: "AnthropicError",
  request_id: "request-id",
  examples: {
    text: { summary: "A question", value: { model: "demo", max_tokens: 1024, messages: [{ role: "user", content: question }] } },
    stream: {
      summary: "The same as a stream",
      value: { model: "demo", max_tokens: 1024, stream: true, messages: [{ role: "user", content: question }] },
    },
    tools: {
      summary: "With a tool",
      value: {
        model: "demo",
        max_tokens: 1024,
        messages: [{ role: "user", content: "What is the weather in Paris?" }],
        tools: [{ name: "get_weather", description: "The weather of a city", input_schema: weather }],
      },
    },
  },
});

const count_messages = model_call({
  tag: "Models",
  id: "countMessageTokens",
  summary: "Anthropic Messages: count the input",
  description: counting,
  counts: true,
  request: "MessagesCountRequest",
  reply: "MessagesCount",
  error: "AnthropicError",
  request_id: "request-id",
  examples: { text: { summary: "A question", value: { model: "demo", messages: [{ role: "user", content: question }] } } },
});

const model_in_path = {
  name: "model",
  in: "path",
  required: true,
  description: "The model's name.",
  schema: { type: "string", default: "demo" },
};
const gemini_examples = {
  text: { summary: "A question", value: { contents: [{ role: "user", parts: [{ text: question }] }] } },
  tools: {
    summary: "With a tool",
    value: {
      contents: [{ role: "user", parts: [{ text: "What is the weather in Paris?" }] }],
      tools: [{ functionDeclarations: [{ name: "get_weather", description: "The weather of a city", parameters: weather }] }],
    },
  },
};
const generate = model_call({
  tag: "Models",
  id: "generateContent",
  summary: "Gemini generateContent",
  description: "Any model of any backend in Gemini's dialect.",
  sample: "gemini",
  parameters: [model_in_path],
  request: "GenerateRequest",
  reply: "GenerateReply",
  error: "GoogleError",
  examples: gemini_examples,
});
const stream_generate = model_call({
  tag: "Models",
  id: "streamGenerateContent",
  summary: "Gemini streamGenerateContent",
  description: "The same as a stream: server-sent events with `alt=sse`.",
  sample: "gemini_stream",
  parameters: [
    model_in_path,
    { name: "alt", in: "query", description: "`sse` for server-sent events.", schema: { type: "string", enum: ["sse"], default: "sse" } },
  ],
  request: "GenerateRequest",
  event: "GenerateEvents",
  error: "GoogleError",
  examples: gemini_examples,
});

const count_generate = model_call({
  tag: "Models",
  id: "countTokens",
  summary: "Gemini countTokens",
  description: counting + " The question stands there as it is, or whole in `generateContentRequest`.",
  counts: true,
  parameters: [model_in_path],
  request: "GenerateRequest",
  reply: "GenerateCount",
  error: "GoogleError",
  examples: gemini_examples,
});

const cohere_chat = model_call({
  tag: "Models",
  id: "cohereChat",
  summary: "Cohere Chat",
  description: "Any model of any backend in Cohere's dialect, version 2.",
  sample: "cohere",
  request: "CohereRequest",
  reply: "CohereReply",
  event: "CohereEvents",
  error: "CohereError",
  request_id: "x-debug-trace-id",
  examples: {
    text: { summary: "A question", value: { model: "demo", messages: [{ role: "user", content: question }] } },
    stream: { summary: "The same as a stream", value: { model: "demo", stream: true, messages: [{ role: "user", content: question }] } },
    documents: {
      summary: "About a document",
      value: {
        model: "demo",
        messages: [{ role: "user", content: "When was the lighthouse lit?" }],
        documents: [{ id: "log", data: { title: "Keeper's log", text: "The lighthouse was lit in 1811." } }],
      },
    },
  },
});

const bedrock_call = (id, summary, description, answer) =>
  model_call({
    tag: "Models",
    id,
    summary,
    description,
    sample: "bedrock",
    parameters: [model_in_path],
    request: "ConverseRequest",
    error: "BedrockError",
    request_id: "x-amzn-requestid",
    event_type: "application/vnd.amazon.eventstream",
    examples: { text: { summary: "A question", value: { messages: [{ role: "user", content: [{ text: question }] }] } } },
    ...answer,
  });
const converse = bedrock_call("converse", "AWS Bedrock Converse", "Any model of any backend in Bedrock's dialect.", {
  reply: "ConverseReply",
});
const converse_stream = bedrock_call(
  "converseStream",
  "AWS Bedrock ConverseStream",
  "The same as a stream of AWS's binary events.",
  { event: "ConverseEvents" },
);

const get = (tag, id, summary, description, responses, more = {}) => ({
  get: { tags: [tag], operationId: id, summary, description, responses, ...more },
});
// A call that passes untouched: described by the vendor, answered by the vendor.
const passed = (id, { methods, error, summary, description, parameters }) =>
  Object.fromEntries(
    methods.map((method) => [
      method,
      {
        tags: ["Vendors' other calls"],
        operationId: `${method}${id}`,
        summary,
        description,
        ...(parameters ? { parameters } : {}),
        ...(["post", "put", "patch"].includes(method)
          ? { requestBody: { content: { "*/*": { schema: {} } } } }
          : {}),
        responses: {
          "2XX": { description: "The vendor's own answer, as it came.", content: { "*/*": { schema: {} } } },
          "4XX": { description: "The vendor's own words, or the gateway's.", content: json(ref(error)) },
          "5XX": { description: "The vendor's own words, or the gateway's.", content: json(ref(error)) },
        },
      },
    ]),
  );
const rest_of_path = {
  name: "rest",
  in: "path",
  required: true,
  allowReserved: true,
  description: "Nothing, or a slash and what stands behind it.",
  schema: { type: "string" },
};
const stored = "An id leads back to the backend that gave it out; what names none goes to the first that speaks this dialect.";
const by_model = "The model decides about the backend, as for a conversation; without one the vendor's default counts.";
const in_path = "The model stands in the path.";
const embeds = "A backend of this shape gets it as it came; one of OpenAI's, Gemini's, Cohere's or Bedrock's shape otherwise is asked in its own words.";
const object_methods = ["get", "post", "delete"];
const openai_error = "OpenAIError";
const vendor_calls = {
  "/v1/embeddings": ["Embeddings", ["post"], openai_error, "OpenAI embeddings", `${by_model} ${embeds}`],
  "/v1/images/generations": ["ImageGenerations", ["post"], openai_error, "OpenAI images: make", by_model],
  "/v1/images/edits": ["ImageEdits", ["post"], openai_error, "OpenAI images: edit", by_model],
  "/v1/images/variations": ["ImageVariations", ["post"], openai_error, "OpenAI images: vary", by_model],
  "/v1/audio/speech": ["Speech", ["post"], openai_error, "OpenAI audio: speak", by_model],
  "/v1/audio/transcriptions": ["Transcriptions", ["post"], openai_error, "OpenAI audio: write down", by_model],
  "/v1/audio/translations": ["Translations", ["post"], openai_error, "OpenAI audio: write down in English", by_model],
  "/v1/moderations": ["Moderations", ["post"], openai_error, "OpenAI moderations", by_model],
  "/v1/rerank": ["Rerank", ["post"], openai_error, "Rerank, as Cohere and look-alikes take it", by_model],
  "/v1/files{rest}": ["Files", object_methods, openai_error, "OpenAI files; Anthropic's with the header anthropic-version", stored],
  "/v1/batches{rest}": ["Batches", ["get", "post"], openai_error, "OpenAI batches", stored],
  "/v1/uploads{rest}": ["Uploads", ["post"], openai_error, "OpenAI uploads in parts", stored],
  "/v1/responses/compact": ["CompactResponse", ["post"], openai_error, "OpenAI Responses: compact a conversation", by_model],
  "/v1/responses{rest}": [
    "HeldResponses",
    object_methods,
    openai_error,
    "OpenAI Responses: retrieve, cancel, delete, input items",
    "A response is asked of the vendor that made it; the gateway holds those of vendors that hold none. Nobody sees another caller's.",
  ],
  "/v1/conversations{rest}": ["Conversations", object_methods, openai_error, "OpenAI conversations", stored],
  "/v1/videos": ["MakeVideo", ["post"], openai_error, "OpenAI videos: make", by_model],
  "/v1/videos{rest}": ["Videos", object_methods, openai_error, "OpenAI videos", stored],
  "/v1/containers{rest}": ["Containers", object_methods, openai_error, "OpenAI containers", stored],
  "/v1/ocr": ["Ocr", ["post"], openai_error, "Mistral's reading of documents", by_model],
  "/v1/fim/completions": ["FillInTheMiddle", ["post"], openai_error, "Mistral's fill-in-the-middle", by_model],
  "/v1/vector_stores{rest}": ["VectorStores", object_methods, openai_error, "OpenAI vector stores", stored],
  "/v1/fine_tuning{rest}": ["FineTuning", object_methods, openai_error, "OpenAI fine-tuning", stored],
  "/openai/deployments/{model}/embeddings": ["AzureEmbeddings", ["post"], openai_error, "Azure's path of embeddings", `${in_path} ${embeds}`],
  "/openai/deployments/{model}/images/generations": ["AzureImageGenerations", ["post"], openai_error, "Azure's path of images", in_path],
  "/openai/deployments/{model}/images/edits": ["AzureImageEdits", ["post"], openai_error, "Azure's path of image edits", in_path],
  "/openai/deployments/{model}/audio/speech": ["AzureSpeech", ["post"], openai_error, "Azure's path of speech", in_path],
  "/openai/deployments/{model}/audio/transcriptions": ["AzureTranscriptions", ["post"], openai_error, "Azure's path of transcriptions", in_path],
  "/openai/deployments/{model}/audio/translations": ["AzureTranslations", ["post"], openai_error, "Azure's path of translations", in_path],
  "/v1/messages/batches{rest}": ["MessageBatches", object_methods, "AnthropicError", "Anthropic message batches", stored],
  "/v1/skills{rest}": ["Skills", object_methods, "AnthropicError", "Anthropic skills", stored],
  "/v1beta/models/{model}:embedContent": ["EmbedContent", ["post"], "GoogleError", "Gemini embedContent", `${in_path} ${embeds}`],
  "/v1beta/models/{model}:batchEmbedContents": ["BatchEmbedContents", ["post"], "GoogleError", "Gemini batchEmbedContents", `${in_path} ${embeds}`],
  "/v1/models/{model}:embedContent": ["EmbedContentV1", ["post"], "GoogleError", "The same under /v1", `${in_path} ${embeds}`],
  "/v1/models/{model}:batchEmbedContents": ["BatchEmbedContentsV1", ["post"], "GoogleError", "The same under /v1", `${in_path} ${embeds}`],
  "/v1beta/models/{model}:asyncBatchEmbedContent": ["AsyncBatchEmbedContent", ["post"], "GoogleError", "Gemini embeddings as a batch", in_path],
  "/v1beta/models/{model}:predict": ["Predict", ["post"], "GoogleError", "Gemini predict: images", in_path],
  "/v1beta/models/{model}:predictLongRunning": ["PredictLongRunning", ["post"], "GoogleError", "Gemini predict: videos", in_path],
  "/v1beta/models/{model}:batchGenerateContent": ["BatchGenerateContent", ["post"], "GoogleError", "Gemini batches", in_path],
  "/v1beta/models/{model}/operations{rest}": ["ModelOperations", ["get"], "GoogleError", "How a long call is doing", in_path],
  "/v1beta/batches{rest}": ["GeminiBatches", object_methods, "GoogleError", "Gemini batches", stored],
  "/upload/v1beta/files{rest}": ["UploadGeminiFile", ["post", "put"], "GoogleError", "Gemini files: upload", stored],
  "/v1beta/files{rest}": ["GeminiFiles", object_methods, "GoogleError", "Gemini files", stored],
  "/download/v1beta/files{rest}": ["DownloadGeminiFile", ["get"], "GoogleError", "Gemini files: download", stored],
  "/v1beta/fileSearchStores{rest}": ["FileSearchStores", ["get", "post", "delete", "patch"], "GoogleError", "Gemini file search stores", stored],
  "/upload/v1beta/fileSearchStores{rest}": ["UploadToFileSearchStore", ["post", "put"], "GoogleError", "Gemini file search stores: upload", stored],
  "/v1beta/interactions": ["Interact", ["post"], "GoogleError", "Gemini interactions: make", by_model],
  "/v1beta/interactions{rest}": ["Interactions", object_methods, "GoogleError", "Gemini interactions", stored],
  "/v1beta/cachedContents{rest}": ["CachedContents", ["get", "post", "delete", "patch"], "GoogleError", "Gemini cached contents", stored],
  "/v2/embed": ["Embed", ["post"], openai_error, "Cohere embed", `${by_model} ${embeds}`],
  "/v1/embed": ["EmbedV1", ["post"], openai_error, "Cohere embed, first version", `${by_model} ${embeds}`],
  "/v2/rerank": ["RerankV2", ["post"], openai_error, "Cohere rerank", by_model],
  "/v1/tokenize": ["Tokenize", ["post"], openai_error, "Cohere tokenize", by_model],
  "/v1/detokenize": ["Detokenize", ["post"], openai_error, "Cohere detokenize", by_model],
  "/model/{model}/invoke": [
    "InvokeModel",
    ["post"],
    "BedrockError",
    "AWS Bedrock InvokeModel",
    `${in_path} Bedrock gets any body as it came; other backends answer one that asks for vectors in the words of Titan, Nova or Cohere.`,
  ],
  "/v1/classify": ["Classify", ["post"], openai_error, "Cohere classify", by_model],
};
for (const provider of ["openai", "anthropic", "gemini", "cohere"]) {
  vendor_calls[`/${provider}{rest}`] = [
    `Raw${provider}`,
    ["get", "post", "put", "patch", "delete"],
    { anthropic: "AnthropicError", gemini: "GoogleError" }[provider] ?? openai_error,
    `Anything of ${provider}`,
    `Below the base URL of the first backend of the type ${provider}, with its key.`,
  ];
}
const no_key = { security: [] };
const ok = (description, content) => ({ description, content });

const paths = {
  "/v1/chat/completions": { post: chat },
  "/openai/deployments/{model}/chat/completions": {
    post: { ...chat, operationId: "createAzureChatCompletion", summary: "The same on Azure's path", parameters: [model_in_path] },
  },
  "/v1/responses": { post: responses },
  "/v1/completions": { post: completions },
  "/v1/responses/input_tokens": { post: count_input },
  "/v1/messages": { post: messages },
  "/v1/messages/count_tokens": { post: count_messages },
  "/v1beta/models/{model}:generateContent": { post: generate },
  "/v1beta/models/{model}:streamGenerateContent": { post: stream_generate },
  "/v1beta/models/{model}:countTokens": { post: count_generate },
  "/v2/chat": { post: cohere_chat },
  "/model/{model}/converse": { post: converse },
  "/model/{model}/converse-stream": { post: converse_stream },
  "/v1/models": get(
    "Models",
    "listModels",
    "Which models there are",
    `The models that this caller may use, in the dialect that the request's headers speak. Anthropic's clients turn pages with \`limit\`, \`after_id\` and \`before_id\`, Google's with \`pageSize\` and \`pageToken\`, Cohere's with \`page_size\` and \`page_token\`.\n\n${samples.models}`,
    { 200: ok("The list.", json(ref("ModelList"))), 401: ok("Not for this caller.", json(ref("OpenAIError"))) },
  ),
  "/health": get("Operation", "health", "How the gateway and its backends are", "For people and dashboards.", {
    200: ok("`ok`, or `degraded` when a backend or the last reload failed.", json(ref("Health"))),
    503: ok("`down`: no backend can answer, or the gateway is leaving.", json(ref("Health"))),
  }, no_key),
  "/health/live": get("Operation", "live", "Whether the process lives", "For a supervisor that restarts what does not answer.", {
    200: ok("It does.", json(ref("State"))),
  }, no_key),
  "/health/ready": get("Operation", "ready", "Whether new requests may come", "For a load balancer.", {
    200: ok("They may.", json(ref("State"))),
    503: ok("Not now; `why` says why.", json(ref("State"))),
  }, no_key),
  "/metrics": get("Operation", "metrics", "Figures for Prometheus", "Requests, times, tokens, faults, notes, and the process itself.", {
    200: ok("Prometheus' text form.", { "text/plain": { schema: { type: "string" } } }),
  }),
};

Object.assign(paths, admin_paths);

for (const [path, [id, methods, error, summary, description]] of Object.entries(vendor_calls)) {
  const parameters = [
    ...(path.includes("{model}") ? [model_in_path] : []),
    ...(path.includes("{rest}") ? [rest_of_path] : []),
  ];
  paths[path] = passed(id, { methods, error, summary, description, ...(parameters.length ? { parameters } : {}) });
}

export const openapi = (version) => ({
  openapi: "3.1.0",
  info: {
    title: "Sluice",
    version,
    summary: "One gateway in front of every model vendor",
    description:
      "Speak the dialect you know; name any model of any vendor. Below, every call can be tried: the model `demo` is built in and needs no key.\n\n" +
      "**Keys.** From the gateway's own machine any key will do, for example `dummy-key`. Others are served when the configuration says `auth: open`.",
    license: { name: "MIT", identifier: "MIT" },
  },
  servers: [{ url: ".", description: "This gateway" }],
  tags: [
    { name: "Models", description: "Calls of models, whole and streamed" },
    { name: "Vendors' other calls", description: "What is no conversation passes untouched to a backend of the same dialect; vectors come from any that has them" },
    { name: "Operation", description: "How the gateway is doing" },
    { name: "Admin", description: "Keys and groups that are made while the gateway runs, with `storage: sqlite:PATH`. From this machine only, unless `admin.from` says otherwise" },
  ],
  security: [{}, { bearer: [] }, { anthropic: [] }, { google: [] }],
  paths,
  components: {
    securitySchemes: {
      bearer: { type: "http", scheme: "bearer", description: "As OpenAI's clients send it." },
      anthropic: { type: "apiKey", in: "header", name: "x-api-key", description: "As Anthropic's clients send it." },
      admin: { type: "http", scheme: "bearer", description: "An admin key. The first start with a storage prints one." },
      google: { type: "apiKey", in: "header", name: "x-goog-api-key", description: "As Google's clients send it." },
    },
    schemas: { ...schemas, ...admin_schemas },
  },
});
