// The admin API in the OpenAPI document: keys, groups, admin keys, and who changed what. SPDX-License-Identifier: MIT

const json = (schema) => ({ "application/json": { schema } });
const ref = (name) => ({ $ref: `#/components/schemas/${name}` });
const texts = (description, example) => ({ type: "array", items: { type: "string" }, description, examples: [example] });

const most = { type: "integer", minimum: 1, maximum: 1000000000000 };
const rates = (what) => ({
  type: "object",
  additionalProperties: false,
  description: `${what} at most, by buckets that refill evenly.`,
  properties: { minute: most, hour: most, day: most },
});
const allowance = {
  models: texts("Models that may be asked for; * is a wildcard. All when it is left out.", ["gpt-*"]),
  backends: texts("Backends and accounts that requests may go to; * is a wildcard.", ["openai"]),
  dialects: texts("Dialects that may be spoken.", ["openai_chat", "anthropic"]),
  from: texts("Addresses and networks that may show the key.", ["10.0.0.0/8"]),
  limits: {
    type: "object",
    additionalProperties: false,
    description: "How much it may ask for; what is said of a group is for all in it together.",
    properties: {
      requests: rates("Requests"),
      tokens: rates("Tokens of questions and answers"),
      concurrent: { ...most, description: "Requests at once." },
      output_tokens: { ...most, description: "Tokens of output that one request may ask for; set where it asks for no number." },
    },
  },
  budgets: {
    type: "array",
    description: "Dollars that it may spend, one budget of each window at most; what is said of a group is for all in it together.",
    items: {
      type: "object",
      additionalProperties: false,
      required: ["per", "dollars"],
      properties: {
        per: { type: "string", enum: ["day", "week", "month", "total"], description: "The window, by the calendar." },
        dollars: { type: ["number", "string"], examples: [12.5], description: "With up to nine decimals." },
        time_zone: { type: "string", examples: ["Europe/Berlin"], description: "Where its days begin; UTC when it is left out." },
        hard_stop: { type: "boolean", description: "A stream ends when it is spent; else only new requests are refused." },
        alert_at: { type: "array", items: { type: ["string", "integer"] }, examples: [["80%", "100%"]], description: "Shares of it at which somebody is told." },
      },
    },
  },
  unknown_price: { type: "string", enum: ["allow", "refuse"], description: "Where there is a budget: what becomes of requests for models whose price nobody knows." },
  expires: { type: "string", format: "date-time", description: "When it ends." },
  tags: texts("Words for reports, in the record of every request.", ["research"]),
  metadata: { type: "object", additionalProperties: { type: "string" }, description: "Whatever you want to keep with it." },
};
const key_settings = { name: { type: "string" }, group: { type: "string", description: "The group that it belongs to." }, ...allowance };
const group_settings = {
  name: { type: "string" },
  kind: { type: "string", enum: ["team", "user", "project"] },
  parent: { type: "string", description: "The group that it belongs to." },
  ...allowance,
};
const seen = (object) => ({
  id: { type: "string" },
  object: { type: "string", const: object },
  source: { type: "string", enum: ["storage", "configuration"], description: "What the configuration has is changed there." },
  state: { type: "string", enum: ["active", "blocked", "expired"] },
  created: { type: "string", format: "date-time" },
  changed: { type: "string", format: "date-time" },
  version: { type: "integer" },
});
const list_of = (name) => ({
  type: "object",
  properties: {
    object: { type: "string", const: "list" },
    data: { type: "array", items: ref(name) },
    has_more: { type: "boolean" },
    next: { type: "string", description: "Where the next page begins." },
  },
  required: ["object", "data", "has_more"],
});

export const admin_schemas = {
  KeySettings: { type: "object", properties: key_settings, additionalProperties: false },
  GroupSettings: { type: "object", properties: group_settings, additionalProperties: false },
  Key: {
    type: "object",
    properties: {
      ...seen("key"),
      shown: { type: "string", description: "How it begins." },
      old_key_until: { type: "string", format: "date-time", description: "How long the secret before still opens." },
      key: { type: "string", description: "The secret: told once, when it is made or rotated." },
      ...key_settings,
    },
  },
  Group: { type: "object", properties: { ...seen("group"), ...group_settings } },
  AdminKey: {
    type: "object",
    properties: {
      id: { type: "string" },
      object: { type: "string", const: "admin_key" },
      name: { type: "string" },
      scope: { type: "string", enum: ["read", "keys", "all"], description: "read: look; keys: change keys and groups; all: admin keys, too." },
      shown: { type: "string" },
      created: { type: "string", format: "date-time" },
      key: { type: "string", description: "Told once." },
    },
  },
  AuditEntry: {
    type: "object",
    properties: {
      id: { type: "integer" },
      at: { type: "string", format: "date-time" },
      who: { type: "string", description: "An admin key's name." },
      from: { type: "string", description: "An address." },
      action: { type: "string", examples: ["key.create"] },
      node: { type: "string" },
      name: { type: "string" },
      before: { type: "object", description: "Its settings, without secrets." },
      after: { type: "object" },
    },
  },
  Usage: {
    type: "object",
    properties: {
      by: { type: "string" },
      since_ms: { type: "integer", description: "Unix milliseconds; whole hours count." },
      until_ms: { type: "integer" },
      rows: { type: "array", items: ref("UsageRow"), description: "The largest cost first; times in their order." },
    },
    required: ["by", "since_ms", "until_ms", "rows"],
  },
  UsageRow: {
    type: "object",
    description: "What is summed stands under the name it was asked by: \"model\", \"key\" and so on.",
    properties: {
      ...Object.fromEntries(["model", "key", "group", "backend", "tag", "day", "hour", "minute"].map((by) => [by, { type: "string" }])),
      requests: { type: "integer" },
      calls: { type: "integer", description: "Of upstreams; hedges, copies and failed ones, too." },
      failed: { type: "integer", description: "Requests that did not end complete." },
      ...Object.fromEntries(
        ["", "estimated_"].flatMap((of) =>
          ["input", "cache_read", "cache_write_5m", "cache_write_1h", "tool_input", "output", "reasoning"].map((bucket) => [of + bucket, { type: "integer" }]),
        ),
      ),
      nano_dollars: { type: "integer" },
      unpriced: { type: "integer", description: "Calls of whose cost something is not known." },
    },
  },
  KeyList: list_of("Key"),
  GroupList: list_of("Group"),
  AdminKeyList: list_of("AdminKey"),
  AuditList: list_of("AuditEntry"),
};

const id = { name: "id", in: "path", required: true, description: "Its id or its name.", schema: { type: "string" } };
const query = (name, description, type = "string") => ({ name, in: "query", description, schema: { type } });
const limit = query("limit", "Rows of a page, 1 to 1000; 100 when it is left out.", "integer");
const if_match = { name: "If-Match", in: "header", description: "The ETag that was seen: what changed meanwhile is not overwritten.", schema: { type: "string" } };
const once = { name: "Idempotency-Key", in: "header", description: "The same request with the same key of yours is done once within a day, and answered alike.", schema: { type: "string" } };

const call = (operationId, summary, answer, { parameters, body, status = 200, changes = status !== 200 } = {}) => {
  const error = (description) => ({ description, content: json(ref("OpenAIError")) });
  return {
    tags: ["Admin"],
    operationId,
    summary,
    security: [{ admin: [] }],
    ...(parameters ? { parameters } : {}),
    ...(body ? { requestBody: { required: body !== "Rotation", content: json(body === "Rotation" ? rotation : ref(body)) } } : {}),
    responses: {
      [status]: { description: "Done: it holds on every worker.", headers: { etag: { schema: { type: "string" } } }, content: json(ref(answer)) },
      ...(body || parameters?.some((one) => one.in === "query")
        ? { 400: error("What was asked for is wrong; the message says what would be right.") }
        : {}),
      401: error("No admin key, or a wrong one."),
      403: error("Not from here, or not with this admin key."),
      ...(changes || body ? { 409: error("It does not go with what is there."), 412: error("It was changed meanwhile.") } : {}),
      429: error("Too many wrong admin keys."),
    },
  };
};
const rotation = { type: "object", properties: { overlap: { type: "string", examples: ["24h"], description: "How long the old secret still opens; 24h when it is left out." } } };

const nodes = (path, one, many, Name) => ({
  [`/admin/api/${path}`]: {
    get: call(`list${many}`, `All ${path}`, `${Name}List`, { parameters: [limit, query("after", "Names behind this one."), query("group", "Of this group.")] }),
    post: call(`create${Name}`, `Make a ${one}`, Name, { parameters: [once], body: `${Name}Settings`, status: 201 }),
  },
  [`/admin/api/${path}/{id}`]: {
    parameters: [id],
    get: call(`get${Name}`, `One ${one}`, Name),
    patch: call(`update${Name}`, `Change a ${one} (JSON merge patch)`, Name, { parameters: [if_match], body: `${Name}Settings` }),
    delete: call(`delete${Name}`, `Take a ${one} away`, Name, { parameters: [if_match], changes: true }),
  },
  ...Object.fromEntries(
    ["block", "unblock"].map((verb) => [
      `/admin/api/${path}/{id}/${verb}`,
      { parameters: [id], post: call(`${verb}${Name}`, `${verb === "block" ? "Block" : "Unblock"} a ${one}`, Name, { parameters: [if_match], changes: true }) },
    ]),
  ),
});

export const admin_paths = {
  ...nodes("keys", "key", "Keys", "Key"),
  "/admin/api/keys/{id}/rotate": {
    parameters: [id],
    post: call("rotateKey", "Give a key a new secret", "Key", { parameters: [if_match, once], body: "Rotation", changes: true }),
  },
  ...nodes("groups", "group", "Groups", "Group"),
  "/admin/api/admins": {
    get: call("listAdminKeys", "All admin keys", "AdminKeyList"),
    post: call("createAdminKey", "Make an admin key", "AdminKey", { parameters: [once], body: "AdminKey", status: 201 }),
  },
  "/admin/api/admins/{id}": { parameters: [id], delete: call("deleteAdminKey", "Take an admin key away", "AdminKey", { changes: true }) },
  "/admin/api/audit": {
    get: call("audit", "Who changed what", "AuditList", { parameters: [limit, query("before", "Entries older than this id.", "integer")] }),
  },
  "/admin/api/usage": {
    get: call("usage", "What was used and what it cost, by the ledger", "Usage", {
      parameters: [
        query("by", "model, key, group, backend, tag, day, hour (of 92 days) or minute (of two days); model when it is left out."),
        query("since", "A time before now such as 7d, or a day such as 2026-11-01 in UTC; 30d when it is left out."),
        query("until", "Likewise; now when it is left out."),
      ],
    }),
  },
};
