// SPDX-License-Identifier: MIT
#include "config/node_settings.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "config/allowance_settings.h"
#include "config/budget_settings.h"
#include "config/key_settings.h"
#include "config/meter_settings.h"

namespace sluice {
namespace {

using json::Value;

Error wrong(std::string message, std::string_view param = {}) {
  return {.fault = Fault::bad_request, .message = std::move(message), .param = std::string(param)};
}

YAML::Node node_of(Value value) {
  if (value.is_object()) {
    YAML::Node out(YAML::NodeType::Map);
    for (const auto& [key, member] : value.members()) {
      if (!member.is_null()) out.force_insert(std::string(key), node_of(member));  // a key that stands twice stays two
    }
    return out;
  }
  if (value.is_array()) {
    YAML::Node out(YAML::NodeType::Sequence);
    for (const Value one : value.elements()) out.push_back(node_of(one));
    return out;
  }
  if (value.is_null()) return {};
  return YAML::Node(value.is_string() ? value.text() : std::string(value.raw()));
}

// What a key may be said to be at run time: no secret, which is made here.
std::span<const config::Setting<KeySettings>> named_key_settings() {
  static constexpr auto table = config::with_allowance<KeySettings>(std::array<config::Setting<KeySettings>, 2>{{
      {{"name", "text", "", "whose it is"},
       [](config::Reading& in, const YAML::Node& n, std::string_view p, KeySettings& out) { in.text(n, p, out.name); }},
      {{"group", "text", "", "the group that it belongs to"},
       [](config::Reading& in, const YAML::Node& n, std::string_view p, KeySettings& out) {
         in.text(n, p, out.group);
       }},
  }});
  return table;
}

template <class T>
Result<T> read_settings(std::string_view body, const Config& config, std::string_view what,
                        std::span<const config::Setting<T>> table) {
  json::Document doc;
  TRY(const Value root, doc.parse(body));
  if (!root.is_object()) return fail(wrong("The body must be a JSON object of settings."));
  config::Reading in(nullptr);
  T out;
  config::read_section<T>(in, node_of(root), what, table, out);
  if (!in.faults.empty()) {
    const ConfigFault& first = in.faults.front();
    return fail(wrong(first.message + (first.hint.empty() ? "." : ": " + first.hint)));
  }
  if (const auto about = config::check_backends(out.allowance, config::backend_names(config)))
    return fail(wrong(about->message + ": " + about->hint, "backends"));
  return out;
}

void write_texts(json::Writer& out, const json::Name& name, const std::vector<std::string>& all) {
  if (all.empty()) return;
  out.key(name).begin_array();
  for (const std::string& one : all) out.string(one);
  out.end_array();
}

void write_allowance(json::Writer& out, const Allowance& a) {
  write_texts(out, "models", a.models);
  write_texts(out, "backends", a.backends);
  write_texts(out, "dialects", a.dialects);
  write_texts(out, "from", a.from);
  config::write_meters(out, a);
  config::write_budgets(out, a);
  if (a.expires_ms != 0) out.member("expires", rfc3339(a.expires_ms));
  write_texts(out, "tags", a.tags);
  if (a.metadata.empty()) return;
  out.key("metadata").begin_object();
  for (const auto& [name, text] : a.metadata) out.member(name, text);
  out.end_object();
}

void merge_into(json::Writer& out, Value target, Value patch) {
  if (!patch.is_object()) {
    out.raw(patch.raw());
    return;
  }
  out.begin_object();
  for (const auto& [key, value] : target.members()) {
    const Value change = patch[key];
    if (change.is_null()) continue;
    out.key(key);
    change ? merge_into(out, value, change) : static_cast<void>(out.raw(value.raw()));
  }
  for (const auto& [key, value] : patch.members()) {
    if (value.is_null() || target[key]) continue;
    out.key(key);
    merge_into(out, {}, value);
  }
  out.end_object();
}

}  // namespace

Result<KeySettings> read_key_settings(std::string_view body, const Config& config) {
  TRY(auto out, read_settings<KeySettings>(body, config, "key", named_key_settings()));
  if (!config::is_name(out.name))
    return fail(wrong("A key needs a \"name\" of 1 to 64 bytes without control characters.", "name"));
  return out;
}

Result<GroupSettings> read_group_settings(std::string_view body, const Config& config) {
  TRY(auto out, read_settings<GroupSettings>(body, config, "group", config::group_settings()));
  if (!config::is_group_name(out.name))
    return fail(wrong("A group needs a \"name\" of 1 to 64 bytes without \"/\" and control characters.", "name"));
  return out;
}

std::string write_settings(const KeySettings& key) {
  std::string text;
  json::Writer out(text);
  out.begin_object().member("name", key.name);
  if (!key.group.empty()) out.member("group", key.group);
  write_allowance(out, key.allowance);
  out.end_object();
  return text;
}

std::string write_settings(const GroupSettings& group) {
  std::string text;
  json::Writer out(text);
  out.begin_object().member("name", group.name).member("kind", name(group.kind));
  if (!group.parent.empty()) out.member("parent", group.parent);
  write_allowance(out, group.allowance);
  out.end_object();
  return text;
}

Result<std::string> merge_patch(std::string_view text, std::string_view patch) {
  json::Document target, change;
  TRY(const Value from, target.parse(text));
  TRY(const Value with, change.parse(patch));
  if (!from.is_object() || !with.is_object()) return fail(wrong("The body must be a JSON object of settings."));
  std::string out;
  json::Writer writer(out);
  merge_into(writer, from, with);
  return out;
}

}  // namespace sluice
