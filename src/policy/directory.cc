// SPDX-License-Identifier: MIT
#include "policy/directory.h"

#include <algorithm>
#include <random>

#include "base/text.h"

namespace sluice {
namespace {

using Texts = std::vector<std::string>;

bool any_fits(const Texts& patterns, std::string_view text) {
  return patterns.empty() || std::ranges::any_of(patterns, [&](const auto& one) { return wildcard_match(one, text); });
}

std::string quoted(std::string_view text) {
  return '"' + visible_ascii(text, 128) + '"';
}

Error forbidden(std::string message, std::string detail) {
  return {.fault = Fault::forbidden, .message = std::move(message), .detail = std::move(detail)};
}

Error wrong(std::string message) {
  return {.fault = Fault::bad_request, .message = std::move(message)};
}

// Of what the configuration names: the same for the same name.
NodeId id_of(std::string_view kind, std::string_view name) {
  const Sha256 digest = sha256(std::string(kind) + ' ' + std::string(name));
  NodeId out = 0;
  std::memcpy(&out, digest.data(), sizeof out);
  return out;
}

void fill(Node& node, NodeId id, const std::string& name, const Allowance& allowance, bool blocked) {
  node.id = id;
  node.name = name;
  node.allowance = allowance;
  node.blocked = blocked;
  for (const std::string& one : allowance.from) {
    if (const auto network = parse_network(one)) node.from.push_back(*network);
  }
}

// What all on its path say together.
void sum_up(Key& key) {
  Texts tags;
  key.path.push_back(&key);
  for (const Group* up = key.group; up; up = up->parent) {
    key.path.push_back(up);
    key.groups = key.groups.empty() ? up->name : up->name + '/' + key.groups;
  }
  for (const Node* node : key.path) {
    const Allowance& a = node->allowance;
    if (is_metered(a)) key.meters.push_back({.id = node->id, .name = node->name, .allowance = &a});
    key.limits_models |= !a.models.empty();
    key.limits_backends |= !a.backends.empty();
    key.limits_dialects |= !a.dialects.empty();
    key.limits_places |= !node->from.empty();
    key.has_budget |= !a.budgets.empty();
    key.blocked_on_path |= node->blocked;
    const std::int64_t most = a.max_output_tokens;
    if (most != 0 && (key.max_output_tokens == 0 || most < key.max_output_tokens)) key.max_output_tokens = most;
    if (a.expires_ms != 0 && (key.expires_ms == 0 || a.expires_ms < key.expires_ms)) key.expires_ms = a.expires_ms;
    for (const std::string& tag : a.tags) {
      if (std::ranges::find(tags, tag) != tags.end()) continue;
      tags.push_back(tag);
      key.tags += (key.tags.empty() ? "" : ",") + tag;
    }
  }
}

}  // namespace

bool Key::allows_model(std::string_view model) const {
  return std::ranges::all_of(path, [&](const Node* node) { return any_fits(node->allowance.models, model); });
}

bool Key::allows_backend(std::string_view backend, std::string_view backend_group) const {
  return std::ranges::all_of(path, [&](const Node* node) {
    const Texts& all = node->allowance.backends;
    return any_fits(all, backend) || any_fits(all, backend_group);
  });
}

Result<void> Directory::take_groups(std::vector<GroupEntry>& entries) {
  std::map<std::string_view, Group*> made;
  for (const GroupEntry& entry : entries) {
    Group& group = groups_.emplace_back();
    fill(group, entry.id, entry.settings.name, entry.settings.allowance, entry.blocked);
    group.kind = entry.settings.kind;
    if (!made.emplace(group.name, &group).second)
      return fail(wrong("Two groups are called " + quoted(group.name) + ". Rename one."));
    groups_by_name_.emplace(group.name, &group);
  }
  for (const GroupEntry& entry : entries) {
    if (entry.settings.parent.empty()) continue;
    const auto parent = made.find(entry.settings.parent);
    if (parent == made.end())
      return fail(wrong("The group " + quoted(entry.settings.name) + " has the parent " +
                        quoted(entry.settings.parent) + ", and no group is called so."));
    made.at(entry.settings.name)->parent = parent->second;
  }
  for (const Group& group : groups_) {
    std::size_t steps = 0;
    for (const Group* up = group.parent; up; up = up->parent) {
      if (up == &group || ++steps > groups_.size())
        return fail(wrong("The group " + quoted(group.name) + " is below itself: its parents lead in a circle."));
    }
  }
  return {};
}

Result<void> Directory::take_keys(std::vector<KeyEntry>& entries) {
  signer_ids_.reserve(entries.size());
  for (KeyEntry& entry : entries) {
    Key& key = keys_.emplace_back();
    const KeySettings& settings = entry.settings;
    fill(key, entry.id, settings.name, settings.allowance, entry.blocked);
    key.tenant = std::move(entry.tenant);
    if (!settings.group.empty()) {
      const auto group = groups_by_name_.find(settings.group);
      if (group == groups_by_name_.end())
        return fail(wrong("The key " + quoted(settings.name) + " has the group " + quoted(settings.group) +
                          ", and no group is called so."));
      key.group = group->second;
    }
    sum_up(key);
    if (!keys_by_name_.emplace(key.name, &key).second)
      return fail(wrong("Two keys are called " + quoted(key.name) + ". Rename one."));
    if (!settings.access_key_id.empty()) {
      key.secret = settings.key;
      by_signer_.emplace(signer_ids_.emplace_back(settings.access_key_id), &key);
    }
    for (const KeyEntry::Hash& hash : entry.hashes)
      by_hash_.emplace(hash.digest, Found{.key = &key, .until_ms = hash.until_ms});
  }
  return {};
}

Result<std::shared_ptr<const Directory>> Directory::make(const KeyedHash& hash, Entries entries) {
  std::shared_ptr<Directory> out(new Directory(hash));
  out->closed_ = entries.closed || !entries.keys.empty();
  TRY_VOID(out->take_groups(entries.groups));
  TRY_VOID(out->take_keys(entries.keys));
  return std::shared_ptr<const Directory>(std::move(out));
}

void Directory::add(const Config& config, const KeyedHash& hash, Entries& to) {
  to.closed |= config.auth == "keys";
  for (const GroupSettings& group : config.groups)
    to.groups.push_back({.id = id_of("group", group.name), .settings = group});
  for (const KeySettings& key : config.keys) {
    KeyEntry entry{.id = id_of("key", key.name), .tenant = "key " + key.name, .settings = key, .hashes = {}};
    entry.hashes.push_back({.digest = hash(key.key.reveal())});
    if (key.access_key_id.empty()) entry.settings.key = {};
    to.keys.push_back(std::move(entry));
  }
}

std::shared_ptr<const Directory> Directory::of(const Config& config) {
  std::random_device entropy;
  std::string pepper;
  for (int i = 0; i < 8; ++i) pepper += std::to_string(entropy()) + ' ';
  const KeyedHash hash(pepper);
  Entries entries;
  add(config, hash, entries);
  auto made = make(hash, std::move(entries));
  // A configuration without faults makes one.
  return made ? *std::move(made) : nullptr;
}

Directory::Found Directory::find(std::string_view shown) const {
  const auto found = by_hash_.find(hash_(shown));
  return found == by_hash_.end() ? Found{} : found->second;
}

const Key* Directory::signer(std::string_view access_key_id) const {
  const auto found = by_signer_.find(access_key_id);
  return found == by_signer_.end() ? nullptr : found->second;
}

Result<void> may_call(const Directory::Found& shown, std::string_view peer, std::string_view dialect,
                      std::int64_t unix_ms) {
  const Key& key = *shown.key;
  if (shown.until_ms != 0 && unix_ms >= shown.until_ms)
    return fail(Fault::unauthorized, "This key was replaced by a newer one, and its time is over. Use the new one.",
                "an old key of " + key.name);
  if (key.blocked_on_path)
    return fail(forbidden("This key is blocked. Ask whoever runs the gateway.", "the key or its group is blocked"));
  if (key.expires_ms != 0 && unix_ms >= key.expires_ms)
    return fail(forbidden("This key expired at " + rfc3339(key.expires_ms) +
                              ". Ask whoever runs the gateway for a new "
                              "one.",
                          "the key expired"));
  if (key.limits_places) {
    const auto ip = parse_ip(peer);
    const auto may = [&](const Node* node) {
      const auto holds = [&](const Network& network) { return ip && network.contains(*ip); };
      return node->from.empty() || std::ranges::any_of(node->from, holds);
    };
    if (!std::ranges::all_of(key.path, may))
      return fail(forbidden("This key may not be used from your address (" + visible_ascii(peer, 64) + ").",
                            "the key is for other addresses"));
  }
  if (key.limits_dialects && !dialect.empty()) {
    for (const Node* node : key.path) {
      if (any_fits(node->allowance.dialects, dialect)) continue;
      std::string may;
      for (const std::string& one : node->allowance.dialects) may += (may.empty() ? "" : ", ") + one;
      return fail(forbidden("This key may not speak " + std::string(dialect) + " here, only " + may + ".",
                            "the key is for other dialects"));
    }
  }
  return {};
}

Error no_such_model(const Key& key, std::string_view model) {
  Error out =
      forbidden("This key may not use the model " + quoted(model) + ". GET /v1/models lists those that it may use.",
                "the key " + key.name + " is for other models");
  out.code = "model_not_allowed";
  out.param = "model";
  return out;
}

Error no_such_backend(const Key& key, std::string_view model) {
  Error out = forbidden("This key may not use any backend that serves " +
                            (model.empty() ? std::string("this call") : quoted(model)) + '.',
                        "the key " + key.name + " is for other backends");
  return out;
}

}  // namespace sluice
