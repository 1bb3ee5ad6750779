// Bodies of the dialects, as far as a reader needs them to begin. SPDX-License-Identifier: MIT
const string = (description, more = {}) => ({ type: "string", ...(description ? { description } : {}), ...more });
const integer = (description, more = {}) => ({ type: "integer", ...(description ? { description } : {}), ...more });
const number = (description, more = {}) => ({ type: "number", ...(description ? { description } : {}), ...more });
const boolean = (description) => ({ type: "boolean", description });
const array = (items, description) => ({ type: "array", items, ...(description ? { description } : {}) });
const object = (properties, required = [], description) => ({
  type: "object",
  properties,
  ...(required.length ? { required } : {}),
  ...(description ? { description } : {}),
});
const any = (description) => ({ description });
const open = (description) => ({ type: "object", additionalProperties: true, description });

const model = string("The model's name, as a backend lists it, or `backend/model`.");

const openai = {
  ChatRequest: object(
    {
      model,
      messages: array(
        object(
          {
            role: string("Who speaks.", { enum: ["system", "developer", "user", "assistant", "tool"] }),
            content: any("A string, or a list of parts: text, images, audio, files."),
            tool_calls: array(open("A call that the assistant made.")),
            tool_call_id: string("The call that a `tool` message answers."),
          },
          ["role"],
        ),
        "The conversation so far.",
      ),
      stream: boolean("Answer as server-sent events."),
      stream_options: object({ include_usage: boolean("Send the token counts in a last event.") }),
      max_completion_tokens: integer("The most tokens of the answer, reasoning included."),
      temperature: number("Newer reasoning models refuse it."),
      top_p: number(),
      n: integer("How many answers."),
      stop: any("A string or up to four of them that end the answer."),
      tools: array(open("A function with a JSON Schema of its arguments, or a custom tool.")),
      tool_choice: any("`auto`, `none`, `required`, or one named tool."),
      parallel_tool_calls: boolean("Whether several tools may be called at once."),
      response_format: open("`text`, `json_object` or `json_schema`."),
      reasoning_effort: string("How long to think, such as `low` or `high`."),
    },
    ["model", "messages"],
    "Every other field of OpenAI's Chat Completions passes as well.",
  ),
  ChatReply: object({
    id: string(),
    object: string("", { const: "chat.completion" }),
    created: integer("Unix seconds."),
    model: string("What the upstream said it was."),
    choices: array(
      object({
        index: integer(),
        message: object({
          role: string(),
          content: { type: ["string", "null"] },
          refusal: { type: ["string", "null"] },
          tool_calls: array(open("A call to make.")),
        }),
        finish_reason: string("Why it stopped.", { enum: ["stop", "length", "tool_calls", "content_filter"] }),
      }),
    ),
    usage: object({
      prompt_tokens: integer(),
      completion_tokens: integer(),
      total_tokens: integer(),
      prompt_tokens_details: object({ cached_tokens: integer() }),
      completion_tokens_details: object({ reasoning_tokens: integer() }),
    }),
  }),
  ChatEvents: string("`data:` lines with `chat.completion.chunk` objects, then `data: [DONE]`."),
  ResponsesRequest: object(
    {
      model,
      input: any("A string or a list of items: messages, reasoning, calls and their outputs."),
      instructions: string("What the model is told first."),
      stream: boolean("Answer as server-sent events."),
      tools: array(open("A function, a free-text tool, or a tool that the vendor runs.")),
      tool_choice: any("`none`, `auto`, `required`, a tool, or a list of allowed ones."),
      max_output_tokens: integer("The most tokens of the answer, reasoning included."),
      reasoning: open("`effort` and `summary`."),
      text: open("`format` (text, JSON, a JSON Schema) and `verbosity`."),
      include: array(string()),
      store: boolean("Keep the response at the vendor."),
      temperature: number(),
      top_p: number(),
    },
    ["model"],
    "Every other field of OpenAI's Responses passes as well.",
  ),
  ResponsesReply: object({
    id: string(),
    object: string("", { const: "response" }),
    created_at: integer("Unix seconds."),
    status: string("", { enum: ["completed", "incomplete", "failed", "in_progress", "queued", "cancelled"] }),
    incomplete_details: { type: ["object", "null"] },
    model: string(),
    output: array(open("An item: `message`, `reasoning`, `function_call` …")),
    usage: object({
      input_tokens: integer(),
      input_tokens_details: object({ cached_tokens: integer() }),
      output_tokens: integer(),
      output_tokens_details: object({ reasoning_tokens: integer() }),
      total_tokens: integer(),
    }),
  }),
  ResponsesEvents: string("Events from `response.created` to `response.completed`, `response.incomplete` or `response.failed`."),
  ResponsesCount: object({ object: string("", { const: "response.input_tokens" }), input_tokens: integer() }),
  CompletionRequest: object(
    {
      model,
      prompt: any("A text."),
      max_tokens: integer("The most tokens of the answer."),
      stream: boolean("Answer as server-sent events."),
      echo: boolean("Repeat the prompt in front of the answer."),
      logprobs: integer("Probabilities of this many tokens at each place."),
      n: integer("How many answers."),
      stop: any("A string or up to four of them that end the answer."),
      temperature: number(),
    },
    ["model", "prompt"],
    "Every other field of OpenAI's Completions passes as well.",
  ),
  CompletionReply: object({
    id: string(),
    object: string("", { const: "text_completion" }),
    created: integer("Unix seconds."),
    model: string("What the upstream said it was."),
    choices: array(object({ text: string(), index: integer(), finish_reason: string("`stop`, `length` or `content_filter`.") })),
    usage: object({ prompt_tokens: integer(), completion_tokens: integer(), total_tokens: integer() }),
  }),
  CompletionEvents: string("Objects like the whole answer, then `[DONE]`."),
  OpenAIError: object({
    error: object({
      message: string("What to do about it."),
      type: string(),
      param: { type: ["string", "null"] },
      code: { type: ["string", "null"] },
    }),
  }),
  ModelList: object({
    object: string("", { const: "list" }),
    data: array(object({ id: string("What to put into `model`."), object: string("", { const: "model" }), created: integer(), owned_by: string("The backend.") })),
  }),
};

const asked_messages = {
  system: any("A string or a list of text blocks."),
  messages: array(
    object({ role: string("", { enum: ["user", "assistant"] }), content: any("A string or a list of blocks.") }, ["role", "content"]),
  ),
};

const anthropic = {
  MessagesCountRequest: object({ model, ...asked_messages, tools: array(open("As in a message.")) }, ["model", "messages"]),
  MessagesCount: object({ input_tokens: integer() }),
  MessagesRequest: object(
    {
      model,
      max_tokens: integer("The most tokens of the answer."),
      ...asked_messages,
      stream: boolean("Answer as server-sent events."),
      tools: array(open("A tool with `name`, `description` and `input_schema`.")),
      tool_choice: open("`auto`, `any`, `tool` or `none`."),
      thinking: open("Extended thinking."),
      stop_sequences: array(string()),
      temperature: number(),
    },
    ["model", "max_tokens", "messages"],
    "Every other field of Anthropic's Messages passes as well.",
  ),
  MessagesReply: object({
    id: string(),
    type: string("", { const: "message" }),
    role: string("", { const: "assistant" }),
    model: string(),
    content: array(open("A block: `text`, `thinking`, `tool_use` …")),
    stop_reason: string("Why it stopped, such as `end_turn`, `max_tokens`, `tool_use`."),
    usage: object({
      input_tokens: integer("Neither cached nor written to a cache."),
      cache_creation_input_tokens: integer(),
      cache_read_input_tokens: integer(),
      output_tokens: integer(),
    }),
  }),
  MessagesEvents: string("Events from `message_start` to `message_stop`."),
  AnthropicError: object({
    type: string("", { const: "error" }),
    error: object({ type: string(), message: string("What to do about it.") }),
    request_id: string(),
  }),
};

const content = object({ role: string("", { enum: ["user", "model"] }), parts: array(open("`text`, `inlineData`, `functionCall` …")) });
const gemini = {
  GenerateRequest: object(
    {
      contents: array(content, "The conversation so far."),
      systemInstruction: content,
      tools: array(open("`functionDeclarations`, or a tool of Google's own.")),
      toolConfig: open("Which functions may or must be called."),
      generationConfig: open("Temperature, output limit, response schema, thinking …"),
    },
    ["contents"],
    "Every other field of Gemini's generateContent passes as well.",
  ),
  GenerateReply: object({
    candidates: array(object({ content, finishReason: string("Why it stopped, such as `STOP` or `MAX_TOKENS`."), index: integer() })),
    usageMetadata: object({
      promptTokenCount: integer(),
      candidatesTokenCount: integer(),
      thoughtsTokenCount: integer(),
      cachedContentTokenCount: integer(),
      totalTokenCount: integer(),
    }),
    modelVersion: string(),
    responseId: string(),
  }),
  GenerateCount: object({ totalTokens: integer() }),
  GenerateEvents: string("`data:` lines, each with an object like that of generateContent."),
  GoogleError: object({ error: object({ code: integer(), message: string("What to do about it."), status: string() }) }),
};

const cohere = {
  CohereRequest: object(
    {
      model: string("The model's name."),
      messages: array(open("`role` is `system`, `user`, `assistant` or `tool`."), "The conversation so far."),
      stream: boolean("Answer as server-sent events."),
      documents: array(open("A string, or `id` and `data`."), "What the answer may cite."),
      tools: array(open("A function with `name`, `description` and `parameters`.")),
      tool_choice: string("`REQUIRED` or `NONE`."),
      response_format: open("`json_object`, with a `json_schema` if wanted."),
      thinking: open("`enabled` or `disabled`, with a `token_budget` if wanted."),
      max_tokens: integer(),
      stop_sequences: array(string()),
      temperature: number(),
      p: number(),
      k: integer(),
    },
    ["model", "messages"],
    "Every other field of Cohere's Chat passes as well.",
  ),
  CohereReply: object({
    id: string(),
    message: object({
      role: string("", { const: "assistant" }),
      content: array(open("`text` or `thinking`.")),
      tool_plan: string("What the model intends, in front of its calls."),
      tool_calls: array(open("`id` and `function` with `name` and `arguments`.")),
      citations: array(open("Where the text cites which source.")),
    }),
    finish_reason: string("Why it stopped, such as `COMPLETE`, `MAX_TOKENS` or `TOOL_CALL`."),
    usage: object({
      billed_units: object({ input_tokens: integer(), output_tokens: integer() }),
      tokens: object({ input_tokens: integer(), output_tokens: integer() }),
      cached_tokens: integer(),
    }),
  }),
  CohereEvents: string("Events from `message-start` to `message-end`."),
  CohereError: object({ id: string(), message: string("What to do about it.") }),
  ConverseRequest: object(
    {
      messages: array(open("`role` is `user` or `assistant`; `content` is a list of blocks."), "The conversation so far."),
      system: array(open("A `text`, or a `cachePoint` behind one.")),
      inferenceConfig: object({ maxTokens: integer(), temperature: number(), topP: number(), stopSequences: array(string()) }),
      toolConfig: open("`tools` with a `toolSpec` each, and a `toolChoice`."),
      outputConfig: open("A `textFormat` with a JSON Schema."),
      additionalModelRequestFields: open("Each model's own parameters, such as `thinking` and `top_k`."),
      serviceTier: open("`type` is `default`, `flex`, `priority` or `reserved`."),
    },
    ["messages"],
    "Every other field of Converse passes as well.",
  ),
  ConverseReply: object({
    output: object({ message: object({ role: string("", { const: "assistant" }), content: array(open("One block.")) }) }),
    stopReason: string("Why it stopped, such as `end_turn`, `max_tokens` or `tool_use`."),
    usage: object({
      inputTokens: integer(),
      outputTokens: integer(),
      totalTokens: integer(),
      cacheReadInputTokens: integer(),
      cacheWriteInputTokens: integer(),
    }),
    additionalModelResponseFields: open("`id` and `model` of an answer of another vendor."),
  }),
  ConverseEvents: string("Binary events from `messageStart` to `metadata`."),
  BedrockError: object({ message: string("What to do about it; the header `x-amzn-errortype` names the exception.") }),
};

const operation = {
  Health: object({
    status: string("", { enum: ["ok", "degraded", "down"] }),
    version: string(),
    uptime_seconds: integer(),
    draining: boolean("The gateway is shutting down."),
    config_error: string("Why the last reload failed; the older configuration serves on."),
    backends: array(
      object({
        name: string(),
        state: string("", { enum: ["untried", "up", "failing", "off"] }),
        why: string("Why it is off."),
        last_error: object({ message: string(), at: string("", { format: "date-time" }) }),
        last_good: string("", { format: "date-time" }),
      }),
    ),
  }),
  State: object({ status: string("", { enum: ["live", "ready", "not ready"] }), why: string() }),
};

export const schemas = { ...openai, ...anthropic, ...gemini, ...cohere, ...operation };
