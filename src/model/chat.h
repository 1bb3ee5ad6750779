// The canonical conversation: what any client asked for, as plain values. The hub may hold more than any dialect; a
// dialect that cannot say a field leaves a Note. Numbers and schemas stay JSON text. Not here: any wire format.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "model/extras.h"

namespace sluice {

// JSON text of one value, e.g. "0.70" or {"type":"object"}; never re-printed.
using RawJson = std::string;

// A proof that a vendor attached to a part (thinking signature, encrypted reasoning, thought signature). It is only
// ever written back to its issuer.
struct Seal {
  DialectId dialect = DialectId::anthropic;  // whose form of proof this is
  std::string issuer;  // the backend that gave it; empty = not known. Strangers' proofs are taken out before a writer
                       // sees them: writers ask for the dialect only
  std::string raw;     // the proof as it came
  bool operator==(const Seal&) const = default;
};

// A caching mark on a part ("everything up to here").
struct CacheMark {
  std::string ttl;  // "5m", "1h", "30m" …; empty = the vendor's default
  Extras extras;
  bool operator==(const CacheMark&) const = default;
};

struct Citation {
  std::string url, title, cited_text;
  std::optional<std::int64_t> start, end;  // Unicode code points in the text of the part, end exclusive
  DialectId origin = DialectId::openai_chat;
  RawJson raw;  // the whole citation as it came, written back to its own dialect
  bool operator==(const Citation&) const = default;
};

struct Text {
  std::string text;
  std::vector<Citation> citations;
  bool operator==(const Text&) const = default;
};

enum class MediaKind : std::uint8_t { image, audio, video, document };
enum class MediaForm : std::uint8_t {
  url,      // http(s) address
  base64,   // `data` is base64 as it came
  file_id,  // a vendor's own handle: affinity to its issuer
  uri,      // a vendor's storage address (gs://, s3://, Files API uri)
  text,     // a document given as plain text
  blocks,   // a document given as content blocks: `data` is JSON text in the origin's form
};
struct Media {
  MediaKind kind = MediaKind::image;
  MediaForm form = MediaForm::url;
  std::string data;                           // the url, base64, id, uri, text or JSON
  std::string mime;                           // empty when the source did not say
  std::string name;                           // file name or title
  std::string detail;                         // low, high, auto, original …
  DialectId origin = DialectId::openai_chat;  // whose file_id, uri or blocks this is
  bool operator==(const Media&) const = default;
};

struct Reasoning {
  std::string text;       // thinking or summary text; may be empty beside a Seal
  bool redacted = false;  // nothing to show: only the Seal speaks
  bool summary = false;   // the text is a vendor's summary
  bool operator==(const Reasoning&) const = default;
};

// The same thing in its origin's own words (a schema in a vendor's schema language), written back there while the model
// still says the same. It says nothing more, so it never makes two values differ.
struct AsWritten {
  std::string text;
  bool operator==(const AsWritten&) const { return true; }
};

enum class ToolKind : std::uint8_t { function, custom };
struct ToolCall {
  std::string id;           // as the client sees it; correlates with ToolResult::call_id
  std::string native_id;    // item id or the vendor's own id where it differs; empty otherwise
  bool id_made_up = false;  // the upstream gave no id; ours must not be sent back to it
  std::string name;
  ToolKind kind = ToolKind::function;
  std::string arguments;  // JSON text of an object for functions (may be broken or empty as models write it), free text
                          // for custom
  bool operator==(const ToolCall&) const = default;
};

struct Part;
struct ToolResult {
  std::string call_id;
  std::string name;  // empty when the dialect does not carry it
  std::vector<Part> parts;
  bool is_error = false;
  bool plain_string = false;  // the source had one string (spelling, so that identity holds)
  RawJson json;               // the result as a JSON object where the dialect carries objects (Gemini, Bedrock json)
  bool operator==(const ToolResult&) const;
};

struct Refusal {
  std::string text;
  bool operator==(const Refusal&) const = default;
};

// A call or result of a tool that the vendor runs itself (web search, code execution, MCP).
struct ServerTool {
  DialectId origin = DialectId::anthropic;
  bool is_result = false;
  std::string id;    // call id; on a result the call it answers
  std::string name;  // web_search, code_execution …
  RawJson raw;       // the whole block as it came
  bool operator==(const ServerTool&) const = default;
};

// A part we do not know. Written back to its own dialect, a Note elsewhere.
struct Opaque {
  DialectId origin = DialectId::openai_chat;
  std::string type;
  RawJson raw;
  bool operator==(const Opaque&) const = default;
};

struct Part {
  std::variant<Text, Media, Reasoning, ToolCall, ToolResult, Refusal, ServerTool, Opaque> body;
  std::optional<Seal> seal;
  std::optional<CacheMark> cache;
  Extras extras;

  template <class T>
  [[nodiscard]] const T* as() const {
    return std::get_if<T>(&body);
  }
  template <class T>
  [[nodiscard]] T* as() {
    return std::get_if<T>(&body);
  }
  bool operator==(const Part&) const = default;
};
inline bool ToolResult::operator==(const ToolResult& o) const {
  return call_id == o.call_id && name == o.name && parts == o.parts && is_error == o.is_error && json == o.json;
}

enum class Role : std::uint8_t { system, developer, user, assistant, tool };
// One message in its place. System text stands as turns too: the leading ones are what other dialects put in a
// separate field. Tool results stand where the source had them: in `tool` turns or inside user turns.
struct Turn {
  Role role = Role::user;
  std::vector<Part> parts;
  std::string name;
  bool plain_string = false;  // content was one string, not a list (spelling)
  Extras extras;
  bool operator==(const Turn& o) const {
    return role == o.role && parts == o.parts && name == o.name && extras == o.extras;
  }
};

struct Tool {
  ToolKind kind = ToolKind::function;
  std::string name, description;
  RawJson schema;  // JSON Schema of the arguments; empty = none given
  AsWritten schema_native;
  RawJson format;  // custom tools: text or grammar, in OpenAI Chat's nested form
  std::optional<bool> strict;
  std::optional<CacheMark> cache;
  Extras extras;
  // A tool the vendor runs (web_search …) or a shape we do not know: the whole declaration, its type and whose it is.
  RawJson vendor_raw;
  std::string vendor_type;
  DialectId origin = DialectId::openai_chat;
  AsWritten place;  // pointer to the declaration, where the origin keeps several in one entry
  bool operator==(const Tool&) const = default;
};

enum class ChoiceKind : std::uint8_t { automatic, none, required, one, subset };
struct ToolChoice {
  ChoiceKind kind = ChoiceKind::automatic;
  std::vector<std::string> names;  // one: exactly one; subset: allowed names
  bool subset_required = false;    // subset: must call one of them
  ToolKind tool_kind = ToolKind::function;
  RawJson raw;  // a shape only its own dialect knows; then kind says the nearest
  DialectId origin = DialectId::openai_chat;
  bool operator==(const ToolChoice&) const = default;
};

enum class FormatKind : std::uint8_t { text, json_object, json_schema };
struct OutputFormat {
  FormatKind kind = FormatKind::text;
  std::string name, description;
  RawJson schema;
  AsWritten schema_native;
  std::optional<bool> strict;
  Extras extras;
  bool operator==(const OutputFormat&) const = default;
};

// Every member is JSON text of the number as it came; absent stays absent, defaults are never injected.
struct Sampling {
  std::optional<RawJson> temperature, top_p, top_k, min_p, presence_penalty, frequency_penalty, seed;
  std::optional<RawJson> logit_bias;  // object
  std::optional<bool> logprobs;
  std::optional<RawJson> top_logprobs;
  std::optional<std::int64_t> n;
  bool operator==(const Sampling&) const = default;
};

enum class ReasoningMode : std::uint8_t { unset, off, automatic, on };
struct ReasoningAsk {
  ReasoningMode mode = ReasoningMode::unset;
  std::string effort;                  // none, minimal, low, medium, high, xhigh, max; empty = not said
  std::optional<std::int64_t> budget;  // tokens
  std::string display;                 // what to show: summarized, omitted, auto, detailed …; empty = not said
  Extras extras;
  bool operator==(const ReasoningAsk&) const = default;
};

struct ChatRequest {
  DialectId origin = DialectId::openai_chat;
  std::string model;  // as the client named it
  bool stream = false;
  std::optional<bool> stream_said;      // whether "stream" stood in the body (spelling)
  std::optional<bool> usage_in_stream;  // stream_options.include_usage
  std::vector<Turn> turns;
  std::vector<Tool> tools;
  bool tools_said = false;  // an empty list stood there
  std::optional<ToolChoice> tool_choice;
  std::optional<bool> parallel_tools;
  std::optional<OutputFormat> format;
  Sampling sampling;
  std::vector<std::string> stop;
  bool stop_is_string = false;  // spelling
  std::optional<std::int64_t> max_output;
  std::string max_output_field;  // spelling where a dialect has two names
  ReasoningAsk reasoning;
  std::optional<std::string> cache_key;  // prompt_cache_key
  std::optional<CacheMark> cache_auto;   // a mark for the whole request
  std::optional<RawJson> metadata;       // object of strings
  std::optional<std::string> user;       // end-user id for abuse tracking
  std::string user_field;                // spelling: user, safety_identifier, metadata.user_id
  std::optional<std::string> service_tier;
  std::optional<std::string> verbosity;
  std::optional<std::vector<std::string>> modalities;  // text, audio, image
  std::optional<RawJson> safety;                       // Gemini safetySettings
  Extras extras;
};

}  // namespace sluice
