// The settings of `keys` and `groups`: their tables, and what keys and groups must be. SPDX-License-Identifier: MIT
#include "config/key_settings.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>

#include "base/text.h"
#include "config/allowance_settings.h"
#include "config/reading.h"

namespace sluice::config {
namespace {

using YAML::Node;
using Path = std::string_view;

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

constexpr std::array<std::string_view, 3> kinds = {"team", "user", "project"};

}  // namespace

bool is_name(std::string_view text) {
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  return !text.empty() && text.size() <= 64 && std::ranges::none_of(text, control) && trim(text) == text;
}

bool is_group_name(std::string_view text) {
  return is_name(text) && !text.contains('/');
}

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
  static constexpr auto table = with_allowance<KeySettings>(std::array<Setting<KeySettings>, 4>{{
      {{"name", "text", "", "whose it is: the caller in logs, limits and stored objects"},
       [](Reading& in, const Node& n, Path p, KeySettings& out) { in.text(n, p, out.name); }},
      {{"key", "secret", "",
        "what the caller shows, at least 16 characters; `${VAR}` or `${file:/run/secrets/x}` keep it out of the file"},
       [](Reading& in, const Node& n, Path p, KeySettings& out) { in.secret(n, p, out.key); }},
      {{"access_key_id", "text", "", "for AWS's SDKs, which sign requests: then `key` is the secret access key of it"},
       [](Reading& in, const Node& n, Path p, KeySettings& out) { in.text(n, p, out.access_key_id); }},
      {{"group", "text", "", "the group that it belongs to: what is said of that holds for this key, too"},
       [](Reading& in, const Node& n, Path p, KeySettings& out) { in.text(n, p, out.group); }},
  }});
  return table;
}

std::span<const Setting<GroupSettings>> group_settings() {
  static constexpr auto table = with_allowance<GroupSettings>(std::array<Setting<GroupSettings>, 3>{{
      {{"name", "text", "", "what it is called in keys, logs and reports"},
       [](Reading& in, const Node& n, Path p, GroupSettings& out) { in.text(n, p, out.name); }},
      {{"kind", "one of team, user, project", "team", "what it is, for reports"},
       [](Reading& in, const Node& n, Path p, GroupSettings& out) {
         std::string kind;
         if (!in.choice(n, p, kinds, kind)) return;
         out.kind = static_cast<GroupSettings::Kind>(std::ranges::find(kinds, kind) - kinds.begin());
       }},
      {{"parent", "text", "", "the group that it belongs to: what is said of that holds for this one, too"},
       [](Reading& in, const Node& n, Path p, GroupSettings& out) { in.text(n, p, out.parent); }},
  }});
  return table;
}

void read_groups(Reading& in, const Node& node, Path path, Config& out) {
  constexpr std::string_view example = "for example groups: [{name: research, models: [\"gpt-*\"]}]";
  if (!node.IsSequence()) return in.fault(node.Mark(), quoted_name(path) + " must be a list", std::string(example));
  for (const auto& item : node) {
    GroupSettings group{.mark = place(item.Mark())};
    const auto errors = [&] { return std::ranges::count(in.faults, false, &ConfigFault::warning); };
    const auto before = errors();
    read_section<GroupSettings>(in, item, path, group_settings(), group);
    if (errors() == before) {
      const auto at = item["name"] ? item["name"].Mark() : item.Mark();
      if (!is_group_name(group.name)) {
        in.fault(at,
                 item["name"] ? "a group's name has 1 to 64 bytes, no \"/\" and no control characters"
                              : "a group needs a name",
                 "for example name: research");
      } else if (std::ranges::find(out.groups, group.name, &GroupSettings::name) != out.groups.end()) {
        in.fault(at, "the group " + quoted_name(group.name) + " stands twice", "give each its own name");
      }
    }
    out.groups.push_back(std::move(group));
  }
}

std::vector<std::string> backend_names(const Config& config) {
  std::vector<std::string> out{"demo"};
  for (const BackendSettings& backend : config.backends) {
    out.push_back(backend.name);
    for (std::size_t i = 0; backend.accounts.size() > 1 && i < backend.accounts.size(); ++i)
      out.push_back(backend.account_name(i));
  }
  return out;
}

std::string known_name(std::string_view name, std::span<const std::string> known) {
  const std::vector<std::string_view> views(known.begin(), known.end());
  if (const auto near = closest(name, views); !near.empty()) return "did you mean " + quoted_name(near.front()) + "?";
  if (known.empty()) return "there is none";
  std::string out = "there are:";
  for (const std::string& one : known) out += " " + one;
  return out;
}

std::optional<Complaint> check_backends(const Allowance& allowance, std::span<const std::string> known) {
  for (const std::string& one : allowance.backends) {
    const auto fits = [&](const std::string& name) { return wildcard_match(one, name); };
    if (std::ranges::none_of(known, fits))
      return Complaint{"\"backends\" names " + quoted_name(one) + ", and no backend is called so",
                       known_name(one, known)};
  }
  return std::nullopt;
}

std::span<const Setting<AdminSettings>> admin_settings() {
  static constexpr std::array<Setting<AdminSettings>, 1> table = {{
      {{"from", "list of text", "",
        "addresses and networks that may reach /admin/api, besides programs on this machine"},
       [](Reading& in, const Node& n, Path p, AdminSettings& out) {
         Allowance networks;
         read_networks(in, n, p, networks);
         out.from = std::move(networks.from);
       }},
  }};
  return table;
}

void check_groups(Reading& in, const Config& config) {
  const auto backends = backend_names(config);
  std::vector<std::string> names;
  std::map<std::string_view, const GroupSettings*> by_name;
  for (const GroupSettings& group : config.groups) {
    names.push_back(group.name);
    by_name.emplace(group.name, &group);
  }
  const auto complain = [&](const Mark& mark, const std::optional<Complaint>& about) {
    if (about) in.fault(mark_of(mark), about->message, about->hint);
  };
  const auto there = [&](const Mark& mark, std::string_view what, std::string_view setting, const std::string& group) {
    if (group.empty() || by_name.contains(group)) return;
    in.fault(mark_of(mark),
             std::string(what) + " has the " + std::string(setting) + " " + quoted_name(group) +
                 ", and no group is called so",
             known_name(group, names));
  };
  for (const GroupSettings& group : config.groups) {
    const std::string what = "the group " + quoted_name(group.name);
    there(group.mark, what, "parent", group.parent);
    complain(group.mark, check_backends(group.allowance, backends));
    // Up to the root in fewer steps than there are groups, or never.
    std::size_t steps = 0;
    const GroupSettings* at = &group;
    while (at && steps <= config.groups.size()) {
      const auto up = by_name.find(at->parent);
      at = up == by_name.end() ? nullptr : up->second;
      ++steps;
      if (at == &group) {
        in.fault(mark_of(group.mark), what + " is its own parent" + (steps > 1 ? ", over others" : ""),
                 "take one \"parent\" away");
        break;
      }
    }
  }
  for (const KeySettings& key : config.keys) {
    there(key.mark, "the key " + quoted_name(key.name), "group", key.group);
    complain(key.mark, check_backends(key.allowance, backends));
  }
}

}  // namespace sluice::config

namespace sluice {

std::string_view name(GroupSettings::Kind kind) {
  return config::kinds.at(static_cast<std::size_t>(kind));
}

}  // namespace sluice
