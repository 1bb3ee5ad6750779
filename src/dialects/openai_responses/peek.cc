// One walk over the top-level members, and the edits of a body that goes on as it is. SPDX-License-Identifier: MIT
#include <utility>

#include "dialects/openai_chat/wrong.h"
#include "dialects/openai_responses/openai_responses.h"

namespace sluice::openai_responses {

using openai_chat::missing;
using openai_chat::twice;
using openai_chat::wrong_type;

Result<Peek> peek(std::string_view body) {
  Peek out{.usage_asked = true};
  TRY(out.members, json::scan_object(body));
  bool model = false;
  bool stream = false;
  for (const json::TopMember& member : out.members) {
    if (member.key == "model") {
      if (std::exchange(model, true)) return twice("model");
      if (member.kind != json::Kind::string) return wrong_type("model", "a string", member.kind);
      const std::string_view inside = member.raw.substr(1, member.raw.size() - 2);
      out.model = inside.find('\\') == std::string_view::npos ? std::string(inside) : json::unescape(inside);
    } else if (member.key == "stream") {
      if (std::exchange(stream, true)) return twice("stream");
      if (member.kind == json::Kind::null) continue;
      if (member.kind != json::Kind::boolean) return wrong_type("stream", "a boolean", member.kind);
      out.stream = member.raw == "true";
    }
  }
  if (out.model.empty()) return missing("model");
  return out;
}

std::vector<json::Edit> verbatim_edits(const Peek& peek, const Destination& to) {
  using Op = json::Edit::Op;
  std::vector<json::Edit> edits;
  if (peek.model != to.model) {
    edits.push_back({.op = Op::set, .pointer = "/model", .value = json::quote(to.model)});
  }
  if (peek.stream != to.stream) {
    edits.push_back({.op = Op::set, .pointer = "/stream", .value = to.stream ? "true" : "false"});
    if (!to.stream) edits.push_back({.op = Op::drop, .pointer = "/stream_options"});
  }
  return edits;
}

}  // namespace sluice::openai_responses
