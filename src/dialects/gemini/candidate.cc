// SPDX-License-Identifier: MIT
#include "dialects/gemini/candidate.h"

#include "base/text.h"
#include "dialects/gemini/answer.h"
#include "dialects/gemini/parts.h"
#include "dialects/seal_envelope.h"
#include "dialects/tool_id.h"

namespace sluice::gemini {
namespace {

constexpr DialectId self = DialectId::gemini;

void end_part(json::Writer& w, const Part& part, std::string_view name) {
  write_outer_extras(w, part.extras, name);
  if (part.seal) w.member("thoughtSignature", seal_text(*part.seal, self));
  w.end_object();
}

void words(json::Writer& w, const Part& part, std::string_view text, bool thought) {
  w.begin_object().member("text", text);
  if (thought) w.member_bool("thought", true);
  end_part(w, part, "text");
}

Written raw_part(json::Writer& w, const Part& part, DialectId origin, const RawJson& raw) {
  json::Document doc;
  const auto root = doc.parse(raw);
  if (origin != self || !root) return Written::no;
  w.begin_object();
  for (const auto [key, value] : root->members()) w.member_raw(key, value.raw());
  end_part(w, part, "");
  return Written::yes;
}

Written write_call_part(json::Writer& w, const Part& part, const ToolCall& call, PartNames& names) {
  const std::size_t index = names.calls++;
  const std::string args = call_args(call);
  if (args.empty()) return Written::malformed;
  const std::string id = !call.id.empty() ? call.id : answer_tool_id("call_", names.exchange_id, names.choice, index);
  w.begin_object();
  write_call(w, call, args, id, part.extras);
  end_part(w, part, "functionCall");
  return call.kind == ToolKind::custom ? Written::restated : Written::yes;
}

Written write_media_part(json::Writer& w, const Part& part, const Media& media) {
  std::string one;
  json::Writer single(one);
  single.begin_object();
  if (!write_media(single, media, part.extras)) return Written::no;
  if (!media.detail.empty()) static_cast<void>(write_detail(single, media));
  end_part(single, part, one.starts_with("{\"inlineData\"") ? "inlineData" : "fileData");
  w.raw(one);
  return Written::yes;
}

}  // namespace

bool hidden(const Part& thought) {
  const auto* reasoning = thought.as<Reasoning>();
  return reasoning != nullptr && reasoning->redacted && thought.seal && thought.seal->dialect != self;
}

Written write_part(json::Writer& out, const Part& part, PartNames& names) {
  if (const auto* text = part.as<Text>()) {
    words(out, part, text->text, false);
    return Written::yes;
  }
  if (const auto* reasoning = part.as<Reasoning>()) {
    if (hidden(part)) {
      out.begin_object().member_bool("thought", true);
      end_part(out, part, "text");
    } else {
      words(out, part, reasoning->text, true);
    }
    return Written::yes;
  }
  if (const auto* call = part.as<ToolCall>()) return write_call_part(out, part, *call, names);
  if (const auto* media = part.as<Media>()) return write_media_part(out, part, *media);
  if (const auto* refusal = part.as<Refusal>()) {
    words(out, part, refusal->text, false);
    return Written::restated;
  }
  if (const auto* server = part.as<ServerTool>()) return raw_part(out, part, server->origin, server->raw);
  if (const auto* opaque = part.as<Opaque>()) return raw_part(out, part, opaque->origin, opaque->raw);
  return Written::no;
}

void write_stop(json::Writer& out, const Stop& stop, bool malformed) {
  const std::string reason =
      malformed && stop.kind != StopKind::length ? "MALFORMED_FUNCTION_CALL" : finish_reason(stop);
  if (!reason.empty()) out.member("finishReason", reason);
  if (stop.origin == self && stop.detail.starts_with('"')) out.member_raw("finishMessage", stop.detail);
}

}  // namespace sluice::gemini
