// Keys and groups of the admin API: seen, made, changed. SPDX-License-Identifier: MIT
#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "config/node_settings.h"
#include "gateway/admin.h"
#include "gateway/admin_words.h"
#include "wire/sha256.h"

namespace sluice {
namespace {

using admin::bad;
using admin::conflict;

struct Words {
  StoredNode::Kind kind;
  std::string_view what;    // in sentences, and before an action
  std::string_view prefix;  // of ids
};
constexpr Words key_words{StoredNode::Kind::key, "key", "key_"};
constexpr Words group_words{StoredNode::Kind::group, "group", "grp_"};

const Words& words(StoredNode::Kind kind) {
  return kind == StoredNode::Kind::key ? key_words : group_words;
}

std::string etag_of(const StoredNode& stored) {
  return '"' + std::to_string(stored.version) + '"';
}

Result<void> check_match(const AdminAsk& ask, const StoredNode& stored) {
  if (ask.if_match.empty() || ask.if_match == "*" || list_has(ask.if_match, etag_of(stored))) return {};
  return fail({.fault = Fault::bad_request,
               .message = "It was changed meanwhile: its ETag is " + etag_of(stored) + ", not " +
                          visible_ascii(ask.if_match, 64) + ". Read it again.",
               .code = "precondition_failed",
               .param = "if-match",
               .status = 412});
}

// What a key says beside its settings.
std::string_view state_of(const StoredNode& stored, const Directory* directory, std::int64_t now) {
  if (stored.blocked) return "blocked";
  if (stored.kind == StoredNode::Kind::group || !directory) return "active";
  const auto found = directory->keys().find(stored.name);
  if (found == directory->keys().end()) return "active";
  if (found->second->blocked_on_path) return "blocked";
  return found->second->expires_ms != 0 && now >= found->second->expires_ms ? "expired" : "active";
}

// In the settings, so that reports say it the same way.
std::string with_state(const StoredNode& stored) {
  std::string out = stored.settings;
  if (stored.blocked) out.insert(out.size() - 1, ",\"blocked\":true");
  return out;
}

Result<std::chrono::milliseconds> read_overlap(std::string_view body) {
  constexpr std::chrono::hours usual(24), most(24 * 90);
  if (trim(body).empty()) return std::chrono::milliseconds(usual);
  json::Document doc;
  TRY(const json::Value root, doc.parse(body));
  for (const auto& [name, value] : root.members()) {
    if (name != "overlap")
      return fail(bad("unknown key " + json::quote(name) + ": a rotation takes \"overlap\".", name));
  }
  if (!root["overlap"]) return std::chrono::milliseconds(usual);
  const auto overlap = parse_duration(root["overlap"].text());
  if (!overlap || *overlap > most)
    return fail(
        bad("\"overlap\" is how long the old key still opens, from 0s to 2160h, for example \"24h\".", "overlap"));
  return *overlap;
}

}  // namespace

std::string Admin::describe(const Held& held) const {
  const StoredNode& s = held.stored;
  std::string settings = s.settings;
  std::string out;
  json::Writer w(out);
  w.begin_object().member("id", admin::id_text(words(s.kind).prefix, s.id)).member("object", words(s.kind).what);
  w.member("source", "storage").member("state", state_of(s, directory_.get(), clock_()));
  if (!s.shown.empty()) w.member("shown", s.shown + "...");
  w.member("created", rfc3339(s.made_ms)).member("changed", rfc3339(s.changed_ms)).member("version", s.version);
  if (!s.old_hash.empty() && clock_() < s.old_until_ms) w.member("old_key_until", rfc3339(s.old_until_ms));
  w.end_object();
  out.pop_back();
  return out + ',' + settings.substr(1);
}

std::string Admin::describe_configured(Kind kind, std::string_view name) const {
  std::string out;
  json::Writer w(out);
  w.begin_object().member("id", name).member("object", words(kind).what).member("source", "configuration");
  std::string settings;
  if (kind == Kind::key) {
    const auto found = std::ranges::find(config_.keys, name, &KeySettings::name);
    settings = write_settings(*found);
    const Key& key = *directory_->keys().at(name);
    w.member("state", key.blocked_on_path                                 ? "blocked"
                      : key.expires_ms != 0 && clock_() >= key.expires_ms ? "expired"
                                                                          : "active");
  } else {
    settings = write_settings(*std::ranges::find(config_.groups, name, &GroupSettings::name));
    w.member("state", "active");
  }
  w.end_object();
  out.pop_back();
  return out + ',' + settings.substr(1);
}

// By id or by name.
Result<Admin::Held> Admin::find(Kind kind, std::string_view id) const {
  if (const auto number = admin::read_id(words(kind).prefix, id)) {
    const auto found = nodes_.find(*number);
    if (found != nodes_.end() && found->second.stored.kind == kind) return found->second;
  }
  for (const auto& [number, held] : nodes_) {
    if (held.stored.kind == kind && held.stored.name == id) return held;
  }
  const bool configured = kind == Kind::key
                              ? std::ranges::find(config_.keys, id, &KeySettings::name) != config_.keys.end()
                              : std::ranges::find(config_.groups, id, &GroupSettings::name) != config_.groups.end();
  if (configured) {
    return fail(conflict("The " + std::string(words(kind).what) + " \"" + std::string(id) +
                         "\" stands in the configuration: change it there."));
  }
  return fail(admin::missing(words(kind).what, id));
}

Result<void> Admin::check_name(Kind kind, std::string_view name, std::uint64_t own) const {
  const auto taken = fail(conflict("There is a " + std::string(words(kind).what) + " \"" + std::string(name) +
                                   "\" already. Names are given once."));
  if (admin::read_id(words(kind).prefix, name)) return fail(bad("A name may not look like an id.", "name"));
  for (const auto& [number, held] : nodes_) {
    if (held.stored.kind == kind && held.stored.name == name && number != own) return taken;
  }
  if (kind == Kind::key ? std::ranges::find(config_.keys, name, &KeySettings::name) != config_.keys.end()
                        : std::ranges::find(config_.groups, name, &GroupSettings::name) != config_.groups.end())
    return taken;
  return {};
}

Result<AdminAnswer> Admin::nodes(const AdminAsk& ask, const Who& who, Kind kind, std::span<const std::string> path) {
  if (path.empty()) {
    if (ask.method == "GET") return list(ask, kind);
    if (ask.method == "POST") return create(ask, who, kind);
    return fail(admin::no_such_method(ask.method, "GET, POST"));
  }
  if (path.size() > 2 || path[0].empty()) return fail(admin::missing("admin path", ask.path));
  if (path.size() == 2) {
    const bool known = path[1] == "block" || path[1] == "unblock" || (path[1] == "rotate" && kind == Kind::key);
    if (!known) return fail(admin::missing("admin path", ask.path));
    if (ask.method != "POST") return fail(admin::no_such_method(ask.method, "POST"));
    TRY(const Held held, find(kind, path[0]));
    return change(ask, who, held, path[1]);
  }
  auto held = find(kind, path[0]);
  if (ask.method == "GET") {
    if (held) return AdminAnswer{.body = describe(*held), .etag = etag_of(held->stored)};
    if (held.error()->code != "conflict") return std::unexpected(std::move(held).error());
    return AdminAnswer{.body = describe_configured(kind, path[0])};
  }
  if (ask.method != "PATCH" && ask.method != "DELETE")
    return fail(admin::no_such_method(ask.method, "GET, PATCH, DELETE"));
  if (!held) return std::unexpected(std::move(held).error());
  return change(ask, who, *held, ask.method == "PATCH" ? "update" : "delete");
}

// By name, so that the next page begins behind the last name of this one, whatever came and went meanwhile.
Result<AdminAnswer> Admin::list(const AdminAsk& ask, Kind kind) const {
  TRY(const auto limit, admin::read_limit(ask.query));
  const std::string after = admin::query_text(ask.query, "after");
  const std::string group = admin::query_text(ask.query, "group");
  std::map<std::string_view, const Held*> rows;  // null: the configuration's
  if (kind == Kind::key) {
    for (const KeySettings& key : config_.keys) rows.emplace(key.name, nullptr);
  } else {
    for (const GroupSettings& one : config_.groups) rows.emplace(one.name, nullptr);
  }
  for (const auto& [id, held] : nodes_) {
    if (held.stored.kind == kind) rows.emplace(held.stored.name, &held);
  }
  const auto in_group = [&](std::string_view name) {
    if (group.empty()) return true;
    if (kind == Kind::key) {
      const Key& key = *directory_->keys().at(name);
      return std::ranges::any_of(key.path, [&](const Node* node) { return node != &key && node->name == group; });
    }
    const Group* parent = directory_->groups().at(name)->parent;
    return parent && parent->name == group;
  };
  AdminAnswer out;
  json::Writer w(out.body);
  w.begin_object().member("object", "list").key("data").begin_array();
  std::int64_t count = 0;
  std::string_view last;
  bool more = false;
  for (auto row = after.empty() ? rows.begin() : rows.upper_bound(after); row != rows.end(); ++row) {
    if (!in_group(row->first)) continue;
    if (count == limit) {
      more = true;
      break;
    }
    w.raw(row->second ? describe(*row->second) : describe_configured(kind, row->first));
    last = row->first;
    ++count;
  }
  w.end_array().member_bool("has_more", more);
  if (more) w.member("next", last);
  w.end_object();
  return out;
}

Result<AdminAnswer> Admin::create(const AdminAsk& ask, const Who& who, Kind kind) {
  Held held{.stored = {.kind = kind, .id = make_id()}, .key = {}, .group = {}};
  StoredNode& stored = held.stored;
  stored.made_ms = stored.changed_ms = clock_();
  std::string secret;
  if (kind == Kind::key) {
    TRY(held.key, read_key_settings(ask.body, config_));
    stored.name = held.key.name;
    stored.settings = write_settings(held.key);
    secret = make_secret(ask, "sk-sluice-");
    stored.hash = hex(hash_(secret));
    stored.shown = secret.substr(0, 14);
  } else {
    TRY(held.group, read_group_settings(ask.body, config_));
    stored.name = held.group.name;
    stored.settings = write_settings(held.group);
  }
  TRY_VOID(check_name(kind, stored.name, stored.id));
  AuditEntry entry{.action = std::string(words(kind).what) + ".create",
                   .id_text = admin::id_text(words(kind).prefix, stored.id),
                   .name = stored.name,
                   .after = stored.settings};
  Nodes changed = nodes_;
  changed[stored.id] = held;
  AdminAnswer answer{.status = 201, .body = describe(held), .etag = etag_of(stored)};
  return commit(ask, who, {.put = stored}, std::move(entry), std::move(changed), std::move(answer), secret);
}

Result<AdminAnswer> Admin::change(const AdminAsk& ask, const Who& who, const Held& was, std::string_view verb) {
  TRY_VOID(check_match(ask, was.stored));
  const Kind kind = was.stored.kind;
  const std::uint64_t id = was.stored.id;
  AuditEntry entry{.action = std::string(words(kind).what) + '.' + std::string(verb),
                   .id_text = admin::id_text(words(kind).prefix, id),
                   .name = was.stored.name,
                   .before = with_state(was.stored)};
  Nodes changed = nodes_;
  if (verb == "delete") {
    if (kind == Kind::group) {
      for (const auto& [name, key] : directory_->keys()) {
        if (key->group && key->group->id == id)
          return fail(
              conflict("The group still holds the key \"" + std::string(name) + "\". Move or delete it first."));
      }
      for (const auto& [name, group] : directory_->groups()) {
        if (group->parent && group->parent->id == id)
          return fail(
              conflict("The group still holds the group \"" + std::string(name) + "\". Move or delete it first."));
      }
    }
    changed.erase(id);
    const std::string text = entry.id_text;
    AdminAnswer answer;
    json::Writer w(answer.body);
    w.begin_object().member("id", text).member("object", words(kind).what).member_bool("deleted", true).end_object();
    return commit(ask, who, {.remove = id}, std::move(entry), std::move(changed), std::move(answer), {});
  }
  Held& held = changed.at(id);
  StoredNode& stored = held.stored;
  ++stored.version;
  stored.changed_ms = clock_();
  std::string secret;
  if (verb == "block" || verb == "unblock") {
    stored.blocked = verb == "block";
  } else if (verb == "rotate") {
    TRY(const auto overlap, read_overlap(ask.body));
    stored.old_hash = overlap.count() > 0 ? stored.hash : std::string();
    stored.old_until_ms = overlap.count() > 0 ? clock_() + overlap.count() : 0;
    secret = make_secret(ask, "sk-sluice-");
    stored.hash = hex(hash_(secret));
    stored.shown = secret.substr(0, 14);
  } else {
    TRY(const auto merged, merge_patch(stored.settings, ask.body));
    if (kind == Kind::key) {
      TRY(held.key, read_key_settings(merged, config_));
      stored.name = held.key.name;
      stored.settings = write_settings(held.key);
    } else {
      TRY(held.group, read_group_settings(merged, config_));
      if (held.group.name != stored.name)
        return fail(bad("A group keeps its name: keys and groups say by it where they belong.", "name"));
      stored.settings = write_settings(held.group);
    }
    TRY_VOID(check_name(kind, stored.name, id));
  }
  entry.after = with_state(stored);
  AdminAnswer answer{.body = describe(held), .etag = etag_of(stored)};
  const StoredNode put = stored;
  return commit(ask, who, {.put = put}, std::move(entry), std::move(changed), std::move(answer), secret);
}

}  // namespace sluice
