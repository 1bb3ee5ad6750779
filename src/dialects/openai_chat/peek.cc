// One walk over the top-level members, and the edits of a body that goes on as it is. SPDX-License-Identifier: MIT
#include <utility>

#include "dialects/openai_chat/openai_chat.h"
#include "dialects/openai_chat/vendor.h"
#include "dialects/openai_chat/wrong.h"

namespace sluice::openai_chat {
namespace {

std::string_view find(const Peek& peek, std::string_view key) {
  for (const json::TopMember& member : peek.members) {
    if (member.key == key) return member.raw;
  }
  return {};
}

// True when the body itself names that model.
bool names(const Peek& peek, std::string_view model) {
  const std::string_view raw = find(peek, "model");
  if (raw.size() < 2 || raw.front() != '"') return false;
  const std::string_view inside = raw.substr(1, raw.size() - 2);
  return inside == model || (inside.contains('\\') && json::unescape(inside) == model);
}

bool usage_asked(std::string_view stream_options) {
  if (stream_options.find("include_usage") == std::string_view::npos) return false;
  json::Document doc;
  const auto options = doc.parse(stream_options);
  return options && (*options)["include_usage"].boolean().value_or(false);
}

}  // namespace

Result<Peek> peek(std::string_view body, std::string_view path_model) {
  Peek out;
  TRY(out.members, json::scan_object(body));
  bool model = false;
  bool stream = false;
  bool options = false;
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
    } else if (member.key == "stream_options") {
      if (std::exchange(options, true)) return twice("stream_options");
      if (member.kind == json::Kind::null) continue;
      if (member.kind != json::Kind::object) return wrong_type("stream_options", "an object", member.kind);
      out.usage_asked = usage_asked(member.raw);
    }
  }
  if (!path_model.empty()) out.model = path_model;  // whatever the body says
  if (out.model.empty()) return missing("model");
  return out;
}

std::vector<json::Edit> verbatim_edits(const Peek& peek, const Destination& to) {
  using Op = json::Edit::Op;
  std::vector<json::Edit> edits;
  if (!names(peek, to.model)) {
    edits.push_back({.op = Op::set, .pointer = "/model", .value = json::quote(to.model)});
  }
  if (peek.stream != to.stream) {
    edits.push_back({.op = Op::set, .pointer = "/stream", .value = to.stream ? "true" : "false"});
    if (!to.stream) edits.push_back({.op = Op::drop, .pointer = "/stream_options"});
  }
  if (to.stream && !peek.usage_asked && vendor(to.provider).stream_options) {
    std::string options = R"({"include_usage":true})";
    if (const std::string_view said = find(peek, "stream_options"); said.starts_with('{')) {
      const json::Edit edit{.op = Op::set, .pointer = "/include_usage", .value = "true"};
      if (auto edited = json::apply(said, std::span(&edit, 1))) options = *std::move(edited);
    }
    edits.push_back({.op = Op::set, .pointer = "/stream_options", .value = std::move(options)});
  }
  return edits;
}

}  // namespace sluice::openai_chat
