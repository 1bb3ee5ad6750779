// The settings of `keys`: their table, and what keys must be. SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cctype>

#include "base/text.h"
#include "config/reading.h"

namespace sluice::config {
namespace {

using YAML::Node;
using Path = std::string_view;

// Text that may stand in a log line and in a report: no control characters, not too long.
bool is_name(std::string_view text) {
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  return !text.empty() && text.size() <= 64 && std::ranges::none_of(text, control) && trim(text) == text;
}

constexpr std::size_t least_key = 16;

std::string written(const Node& part) {
  return quoted_name(part && part.IsScalar() ? part.Scalar() : std::string());
}

// `key` was read from `node` without a fault. Messages quote the file, not what a variable held.
void check_key(Reading& in, const Node& node, const KeySettings& key, const std::vector<KeySettings>& others) {
  const auto at = [&](const char* part) { return node[part] ? node[part].Mark() : node.Mark(); };
  const auto same = [&](auto part) {
    return std::ranges::any_of(others, [&](const KeySettings& other) { return part(other) == part(key); });
  };
  const auto visible = [](char c) { return c > 0x20 && c < 0x7f; };
  const auto in_id = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_'; };
  if (!node["name"]) {
    in.fault(node.Mark(), "a key needs a name", "for example name: team-a");
  } else if (!is_name(key.name)) {
    in.fault(at("name"), "a key's name has 1 to 64 bytes and no control characters");
  } else if (same([](const KeySettings& one) { return one.name; })) {
    in.fault(at("name"), "the key " + written(node["name"]) + " stands twice", "give each its own name");
  }
  const std::string_view text = key.key.reveal();
  if (!node["key"]) {
    in.fault(node.Mark(), "the key " + written(node["name"]) + " has no key", "for example key: ${TEAM_A_KEY}");
  } else if (text.size() < least_key) {
    in.fault(at("key"), "the key of " + written(node["name"]) + " is shorter than 16 characters",
             "openssl rand -hex 24 makes a good one");
  } else if (!std::ranges::all_of(text, visible)) {
    in.fault(at("key"), "the key of " + written(node["name"]) + " holds characters that no header may carry",
             "use letters, digits and signs of ASCII, no white space");
  } else if (same([](const KeySettings& one) { return one.key.reveal(); })) {
    in.fault(at("key"), "the key of " + written(node["name"]) + " is another caller's too", "give each its own");
  }
  if (!node["access_key_id"]) return;
  if (key.access_key_id.empty() || key.access_key_id.size() > 128 || !std::ranges::all_of(key.access_key_id, in_id)) {
    in.fault(at("access_key_id"), "an access_key_id is made of letters, digits, - and _",
             "for example access_key_id: TEAM-A");
  } else if (same([](const KeySettings& one) { return one.access_key_id; })) {
    in.fault(at("access_key_id"), "the access_key_id " + written(node["access_key_id"]) + " stands twice",
             "give each key its own");
  }
}

}  // namespace

void read_keys(Reading& in, const Node& node, Path path, Config& out) {
  constexpr std::string_view example = "for example keys: [{name: team-a, key: \"${TEAM_A_KEY}\"}]";
  if (!node.IsSequence()) return in.fault(node.Mark(), quoted_name(path) + " must be a list", std::string(example));
  if (node.size() == 0) {
    return in.fault(node.Mark(), quoted_name(path) + " holds no key, so that nobody could call", std::string(example));
  }
  for (const auto& item : node) {
    KeySettings key{.mark = place(item.Mark())};
    const auto errors = [&] { return std::ranges::count(in.faults, false, &ConfigFault::warning); };
    const auto before = errors();
    read_section<KeySettings>(in, item, path, key_settings(), key);
    if (errors() == before) check_key(in, item, key, out.keys);
    out.keys.push_back(std::move(key));
  }
}

std::span<const Setting<KeySettings>> key_settings() {
  static constexpr std::array<Setting<KeySettings>, 3> table = {{
      {{"name", "text", "", "whose it is: the caller in logs, limits and stored objects"},
       [](Reading& in, const Node& n, Path p, KeySettings& out) { in.text(n, p, out.name); }},
      {{"key", "secret", "",
        "what the caller shows, at least 16 characters; `${VAR}` or `${file:/run/secrets/x}` keep it out of the file"},
       [](Reading& in, const Node& n, Path p, KeySettings& out) { in.secret(n, p, out.key); }},
      {{"access_key_id", "text", "", "for AWS's SDKs, which sign requests: then `key` is the secret access key of it"},
       [](Reading& in, const Node& n, Path p, KeySettings& out) { in.text(n, p, out.access_key_id); }},
  }};
  return table;
}

}  // namespace sluice::config
