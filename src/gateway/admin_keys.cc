// Admin keys: who may use the admin API. SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>

#include "base/json.h"
#include "base/text.h"
#include "config/key_settings.h"
#include "gateway/admin.h"
#include "gateway/admin_words.h"
#include "wire/sha256.h"

namespace sluice {
namespace {

constexpr std::string_view prefix = "adm_";
constexpr std::array scopes = {std::string_view("read"), std::string_view("keys"), std::string_view("all")};

std::string describe_admin(const AdminKey& key) {
  std::string out;
  json::Writer w(out);
  w.begin_object().member("id", admin::id_text(prefix, key.id)).member("object", "admin_key").member("name", key.name);
  w.member("scope", key.scope).member("shown", key.shown + "...").member("created", rfc3339(key.made_ms));
  w.end_object();
  return out;
}

Result<AdminKey> read_admin(std::string_view body) {
  json::Document doc;
  TRY(const json::Value root, doc.parse(body));
  if (!root.is_object()) return fail(admin::bad("The body must be a JSON object of settings."));
  AdminKey out{.scope = "read"};
  for (const auto& [name, value] : root.members()) {
    if (name == "name") {
      out.name = value.text();
    } else if (name == "scope") {
      out.scope = value.text();
    } else {
      return fail(admin::bad("unknown key " + json::quote(name) + ": an admin key has \"name\" and \"scope\".", name));
    }
  }
  if (!config::is_name(out.name))
    return fail(admin::bad("An admin key needs a \"name\" of 1 to 64 bytes without control characters.", "name"));
  if (out.name == "this machine" || out.name == "first start")
    return fail(admin::bad("That name stands in the audit log for something else.", "name"));
  if (std::ranges::find(scopes, out.scope) == scopes.end())
    return fail(admin::bad("\"scope\" must be read, keys or all.", "scope"));
  return out;
}

}  // namespace

Result<AdminAnswer> Admin::admins(const AdminAsk& ask, const Who& who, std::span<const std::string> path) {
  if (path.size() > 1) return fail(admin::missing("admin path", ask.path));
  if (ask.method == "GET" && path.empty()) {
    AdminAnswer out;
    json::Writer w(out.body);
    w.begin_object().member("object", "list").key("data").begin_array();
    for (const AdminKey& key : admins_) w.raw(describe_admin(key));
    w.end_array().member_bool("has_more", false).end_object();
    return out;
  }
  const std::string_view takes = path.empty() ? "GET, POST" : "DELETE";
  if (!list_has(takes, ask.method)) return fail(admin::no_such_method(ask.method, takes));
  if (who.scope != "all") {
    return fail({.fault = Fault::forbidden,
                 .message = "This admin key may not make or delete admin keys: that takes the scope \"all\".",
                 .detail = "admin key " + who.name + " has the scope " + who.scope});
  }
  if (ask.method == "POST") {
    TRY(AdminKey key, read_admin(ask.body));
    if (std::ranges::find(admins_, key.name, &AdminKey::name) != admins_.end())
      return fail(admin::conflict("There is an admin key of that name already."));
    key.id = make_id();
    key.made_ms = clock_();
    const std::string secret = make_secret(ask, "sk-sluice-admin-");
    key.hash = hex(hash_(secret));
    key.shown = secret.substr(0, 20);
    AuditEntry entry{.action = "admin.create", .id_text = admin::id_text(prefix, key.id), .name = key.name};
    entry.after = describe_admin(key);
    AdminAnswer answer{.status = 201, .body = describe_admin(key)};
    return commit(ask, who, {.put_admin = key}, std::move(entry), nodes_, std::move(answer), secret);
  }
  const auto id = admin::read_id(prefix, path[0]);
  const auto found =
      std::ranges::find_if(admins_, [&](const AdminKey& key) { return id ? key.id == *id : key.name == path[0]; });
  if (found == admins_.end()) return fail(admin::missing("admin key", path[0]));
  const auto full = [](const AdminKey& key) { return key.scope == "all"; };
  if (full(*found) && std::ranges::count_if(admins_, full) == 1)
    return fail(admin::conflict("This is the last admin key of the scope \"all\": make another one first."));
  AuditEntry entry{.action = "admin.delete", .id_text = admin::id_text(prefix, found->id), .name = found->name};
  entry.before = describe_admin(*found);
  AdminAnswer answer;
  json::Writer w(answer.body);
  w.begin_object().member("id", entry.id_text).member("object", "admin_key").member_bool("deleted", true).end_object();
  return commit(ask, who, {.remove_admin = found->id}, std::move(entry), nodes_, std::move(answer), {});
}

}  // namespace sluice
