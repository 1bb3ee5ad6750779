// SPDX-License-Identifier: MIT
#include "gateway/admin.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/json.h"
#include "base/text.h"
#include "config/node_settings.h"
#include "gateway/admin_words.h"
#include "gateway/usage_words.h"
#include "policy/caller.h"
#include "ports/thread.h"
#include "wire/sha256.h"

namespace sluice {
namespace {

using admin::bad;
using admin::conflict;

constexpr int most_failures = 20;  // of one address in a quarter of an hour
constexpr std::int64_t failures_kept_ms = 15 * 60'000;
constexpr std::size_t most_addresses = 10'000;
constexpr std::int64_t answers_kept_ms = 24 * 3'600'000;
constexpr std::int64_t ticket_ms = 60'000;
constexpr std::string_view ticket_prefix = "sluice-ticket.";
constexpr std::size_t most_waiting = 256;

// Nobody has an admin key then.
Error no_store() {
  return {.fault = Fault::unauthorized,
          .message =
              "Keys that are made at run time need a place that lasts: put for example `storage: "
              "sqlite:sluice.db` into the configuration and start again.",
          .detail = "admin API without a storage"};
}

Error stopping() {
  return {.fault = Fault::overloaded, .message = "The gateway is stopping."};
}

Error busy() {
  return {.fault = Fault::overloaded,
          .message = "The admin API has too much to do. Ask again.",
          .retry_after = std::chrono::seconds(1)};
}

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at <= path.size();) {
    const auto end = std::min(path.find('/', at), path.size());
    out.emplace_back(path.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

}  // namespace

Result<std::unique_ptr<Admin>> Admin::open(std::unique_ptr<KeyStore> store, Clock clock, Chance chance) {
  std::unique_ptr<Admin> out(new Admin(std::move(store), clock, chance));
  if (!out->store_) return out;
  TRY(auto contents, out->store_->read());
  out->nodes_ = nodes_of(contents);
  out->admins_ = std::move(contents.admins);
  out->held_keys_ = contents.held_keys;
  out->changes_ = contents.changes;
  return out;
}

Admin::Nodes Admin::nodes_of(KeyStore::Contents& contents) {
  Nodes out;
  for (StoredNode& node : contents.nodes) out[node.id].stored = std::move(node);
  return out;
}

Admin::Admin(std::unique_ptr<KeyStore> store, Clock clock, Chance chance)
    : store_(std::move(store)), clock_(clock), chance_(chance), hash_([&] {
        if (store_) return std::string(store_->pepper());
        std::string pepper(32, '\0');
        chance(std::span(reinterpret_cast<unsigned char*>(pepper.data()), pepper.size()));
        return pepper;
      }()) {
  thread_ = start_thread([this] { run(); });
}

Admin::~Admin() {
  close();
}

void Admin::close() {
  {
    const std::scoped_lock lock(door_);
    closed_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Admin::ask(AdminAsk ask, Done done) {
  std::unique_lock lock(door_);
  if (closed_ || line_.size() >= most_waiting) {
    Error why = closed_ ? stopping() : busy();
    lock.unlock();
    return done(fail(std::move(why)));
  }
  line_.push_back({std::move(ask), std::move(done)});
  lock.unlock();
  wake_.notify_one();
}

void Admin::run() {
  for (;;) {
    std::unique_lock lock(door_);
    wake_.wait(lock, [&] { return closed_ || !line_.empty(); });
    if (line_.empty()) return;
    Waiting next = std::move(line_.front());
    line_.pop_front();
    lock.unlock();
    next.done(answer(next.ask));
  }
}

// --- the directory ---------------------------------------------------------------------------------------------------

Result<std::shared_ptr<const Directory>> Admin::make(const Config& config, const Nodes& nodes) const {
  Directory::Entries entries;
  Directory::add(config, hash_, entries);
  entries.closed |= held_keys_;
  const auto digest = [](std::string_view hex) {
    Sha256 out{};
    for (std::size_t i = 0; i < out.size() && 2 * i + 2 <= hex.size(); ++i)
      std::from_chars(hex.data() + 2 * i, hex.data() + 2 * i + 2, out.at(i), 16);
    return out;
  };
  for (const auto& [id, held] : nodes) {
    const StoredNode& stored = held.stored;
    if (stored.kind == Kind::group) {
      entries.groups.push_back({.id = id, .settings = held.group, .blocked = stored.blocked});
      continue;
    }
    KeyEntry entry{.id = id,
                   .tenant = "key " + admin::id_text("key_", id),
                   .settings = held.key,
                   .hashes = {{.digest = digest(stored.hash)}},
                   .blocked = stored.blocked};
    if (!stored.old_hash.empty())
      entry.hashes.push_back({.digest = digest(stored.old_hash), .until_ms = stored.old_until_ms});
    entries.keys.push_back(std::move(entry));
  }
  if (config.auth == "open" && held_keys_) {
    return fail(
        conflict("`auth: open` lets everybody in without a key, but keys were made. Take the line out of the "
                 "configuration: then a key is needed."));
  }
  return Directory::make(hash_, std::move(entries));
}

// Error: bad_request, what of it does not go with the configuration.
Result<void> Admin::read_settings(Nodes& nodes, const Config& config) {
  for (auto& [id, held] : nodes) {
    auto read = [&]() -> Result<void> {
      if (held.stored.kind == Kind::key) {
        TRY(held.key, read_key_settings(held.stored.settings, config));
      } else {
        TRY(held.group, read_group_settings(held.stored.settings, config));
      }
      return {};
    }();
    if (read) continue;
    Error error = *read.error();
    error.message = "The stored " + std::string(held.stored.kind == Kind::key ? "key" : "group") + " \"" +
                    held.stored.name + "\" does not go with this configuration: " + error.message;
    return fail(std::move(error));
  }
  return {};
}

Result<void> Admin::catch_up() {
  const std::scoped_lock lock(mutex_);
  return read_changes();
}

// Takeovers and commands on the file: two processes may have it at once.
Result<void> Admin::read_changes() {
  if (!store_) return {};
  TRY(const std::int64_t now, store_->changes());
  if (now == changes_) return {};
  TRY(auto contents, store_->read());
  Nodes nodes = nodes_of(contents);
  TRY_VOID(read_settings(nodes, config_));
  const bool had_keys = std::exchange(held_keys_, contents.held_keys);
  auto directory = make(config_, nodes);
  if (!directory) {
    held_keys_ = had_keys;
    return std::unexpected(std::move(directory).error());
  }
  nodes_ = std::move(nodes);
  admins_ = std::move(contents.admins);
  changes_ = contents.changes;
  directory_ = *std::move(directory);
  if (publish_) publish_(directory_);
  return {};
}

Result<std::shared_ptr<const Directory>> Admin::adopt(const Config& config) {
  const std::scoped_lock lock(mutex_);
  Nodes nodes = nodes_;
  TRY_VOID(read_settings(nodes, config));
  TRY(auto directory, make(config, nodes));
  nodes_ = std::move(nodes);
  config_ = config;
  directory_ = directory;
  if (publish_) publish_(directory);
  return directory;
}

void Admin::publish_by(Publish publish) {
  const std::scoped_lock lock(mutex_);
  publish_ = std::move(publish);
}

// --- who asks --------------------------------------------------------------------------------------------------------

Result<std::string> Admin::first_key() {
  const std::scoped_lock lock(mutex_);
  if (!store_ || !admins_.empty()) return std::string();
  std::string secret = make_secret({}, "sk-sluice-admin-");
  AdminKey key{.id = make_id(),
               .name = "admin",
               .scope = "all",
               .hash = hex(hash_(secret)),
               .shown = secret.substr(0, 20),
               .made_ms = clock_()};
  AuditEntry entry{.unix_ms = clock_(), .who = "first start", .action = "admin.create", .name = key.name};
  entry.id_text = admin::id_text("adm_", key.id);
  TRY_VOID(store_->change({.after = changes_, .put_admin = key, .audit = std::move(entry)}));
  ++changes_;
  admins_.push_back(std::move(key));
  return secret;
}

std::string Admin::ticket(const AdminAsk& ask, std::string_view when) const {
  std::string of = "ticket ";
  for (const std::string_view part : {when, std::string_view(ask.method), std::string_view(ask.path),
                                      std::string_view(ask.query), std::string_view(ask.body)})
    (of += part) += '\n';
  return hex(hash_(of));
}

std::string Admin::ticket(const AdminAsk& ask) const {
  const std::string when = std::to_string(clock_());
  return std::string(ticket_prefix) + when + '.' + ticket(ask, when);
}

Result<Admin::Who> Admin::failed(const AdminAsk& ask, std::string_view detail) {
  if (!ask.credential.empty()) {  // who shows none guesses nothing
    if (failures_.size() >= most_addresses) failures_.clear();
    Failures& of = failures_[neighbourhood(ask.peer)];
    if (of.count == 0) of.since_ms = clock_();
    ++of.count;
  }
  return fail(
      Fault::unauthorized,
      "The admin API needs an admin key: \"Authorization: Bearer KEY\". The first start with `storage: sqlite:…` "
      "prints one; `sluice admins create NAME` makes others.",
      detail);
}

Result<Admin::Who> Admin::authenticate(const AdminAsk& ask) {
  if (const auto found = failures_.find(neighbourhood(ask.peer)); found != failures_.end()) {
    const std::int64_t left = found->second.since_ms + failures_kept_ms - clock_();
    if (left <= 0) {
      failures_.erase(found);
    } else if (found->second.count >= most_failures) {
      return fail({.fault = Fault::rate_limited,
                   .message = "Too many wrong admin keys came from your address. Come back later.",
                   .detail = "more than 20 wrong admin keys from " + ask.peer,
                   .retry_after = std::chrono::milliseconds(left)});
    }
  }
  if (ask.credential.empty()) return failed(ask, "no admin key");
  if (ask.credential.starts_with(ticket_prefix)) {
    const std::string_view rest = std::string_view(ask.credential).substr(ticket_prefix.size());
    const std::string_view when = rest.substr(0, rest.find('.'));
    const std::string_view shown = rest.substr(std::min(when.size() + 1, rest.size()));
    std::int64_t ms = 0;
    std::from_chars(when.data(), when.data() + when.size(), ms);
    const bool now = ms > clock_() - ticket_ms && ms < clock_() + ticket_ms;
    if (!ask.near || !now || !same(ticket(ask, when), shown)) return failed(ask, "an old or wrong ticket");
    return Who{.name = "this machine", .scope = "all"};
  }
  const std::string digest = hex(hash_(ask.credential));
  for (const AdminKey& key : admins_) {
    if (same(key.hash, digest)) return Who{.name = key.name, .scope = key.scope};
  }
  return failed(ask, "unknown admin key");
}

Result<AdminAnswer> Admin::answer(const AdminAsk& ask) {
  const std::scoped_lock lock(mutex_);
  if (!store_) return fail(no_store());
  TRY_VOID(read_changes());
  TRY(const Who who, authenticate(ask));
  const bool looks = ask.method == "GET";
  if (!looks && who.scope == "read") {
    return fail({.fault = Fault::forbidden,
                 .message = "This admin key may only look.",
                 .detail = "admin key " + who.name + " is for reading"});
  }
  if (ask.method == "POST" && !ask.idempotency_key.empty()) {
    TRY(auto before, given(ask, who));
    if (before) return *std::move(before);
  }
  return route(ask, who);
}

Result<AdminAnswer> Admin::route(const AdminAsk& ask, const Who& who) {
  const auto path = split(ask.path);
  const std::span<const std::string> rest(path.begin() + 1, path.end());
  if (path[0] == "keys") return nodes(ask, who, Kind::key, rest);
  if (path[0] == "groups") return nodes(ask, who, Kind::group, rest);
  if (path[0] == "admins") return admins(ask, who, rest);
  if (path[0] == "audit" && rest.empty()) return audit(ask);
  if (path[0] == "usage" && rest.empty()) return usage(ask);
  return fail(admin::missing("admin path", ask.path));
}

Result<AdminAnswer> Admin::audit(const AdminAsk& ask) {
  if (ask.method != "GET") return fail(admin::no_such_method(ask.method, "GET"));
  TRY(const auto limit, admin::read_limit(ask.query));
  std::int64_t before = 0;
  if (const auto text = admin::query_text(ask.query, "before"); !text.empty()) {
    const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), before);
    if (wrong != std::errc() || end != text.data() + text.size() || before < 1)
      return fail(bad("\"before\" must be the id of an entry.", "before"));
  }
  TRY(const auto rows, store_->audit(before, limit + 1));
  AdminAnswer out;
  json::Writer w(out.body);
  w.begin_object().member("object", "list").key("data").begin_array();
  const std::size_t shown = std::min(rows.size(), static_cast<std::size_t>(limit));
  for (std::size_t i = 0; i < shown; ++i) {
    const AuditEntry& row = rows[i];
    w.begin_object().member("id", row.id).member("at", rfc3339(row.unix_ms)).member("who", row.who);
    w.member("from", row.from).member("action", row.action).member("node", row.id_text).member("name", row.name);
    if (!row.before.empty()) w.key("before").raw(row.before);
    if (!row.after.empty()) w.key("after").raw(row.after);
    w.end_object();
  }
  w.end_array().member_bool("has_more", rows.size() > shown);
  if (rows.size() > shown) w.member("next", std::to_string(rows[shown - 1].id));
  w.end_object();
  return out;
}

Result<AdminAnswer> Admin::usage(const AdminAsk& ask) {
  if (ask.method != "GET") return fail(admin::no_such_method(ask.method, "GET"));
  if (!ledger_) {
    return fail(Fault::not_found,
                "This gateway keeps no ledger: put for example `storage: sqlite:sluice.db` into the configuration.");
  }
  UsageWords words;
  const std::pair<std::string_view, std::string*> asked[] = {
      {"by", &words.by}, {"since", &words.since}, {"until", &words.until}};
  for (const auto& [name, to] : asked) {
    if (std::string text = admin::query_text(ask.query, name); !text.empty()) *to = std::move(text);
  }
  TRY(const auto question, read_usage_words(words, clock_()));
  TRY(const auto sums, ledger_->usage(question));
  return AdminAnswer{.body = write_usage(words.by, question, sums)};
}

void Admin::tell_usage_by(std::unique_ptr<LedgerStore> ledger) {
  const std::scoped_lock lock(mutex_);
  ledger_ = std::move(ledger);
}

// --- changes ---------------------------------------------------------------------------------------------------------

std::uint64_t Admin::make_id() {
  for (;;) {
    std::array<unsigned char, 8> bytes{};
    chance_(bytes);
    std::uint64_t out = 0;
    for (const unsigned char byte : bytes) out = out << 8 | byte;
    out &= INT64_MAX;
    if (out != 0 && !nodes_.contains(out)) return out;
  }
}

// With an Idempotency-Key the secret is made of that and of a salt that is stored with the answer: so it can be told
// again to whoever asks again with the same, and is nowhere.
std::string Admin::make_secret(const AdminAsk& ask, std::string_view prefix) {
  std::array<unsigned char, 32> bytes{};
  chance_(bytes);
  if (ask.idempotency_key.empty()) return std::string(prefix) + base64url(sluice::bytes(bytes));
  salt_ = hex(bytes);
  return std::string(prefix) + base64url(sluice::bytes(hash_("again " + salt_ + ' ' + ask.idempotency_key)));
}

std::string Admin::fingerprint_of(const AdminAsk& ask, const Who& who) const {
  return hex(hash_("asked " + who.name + '\n' + ask.idempotency_key));
}

Result<std::optional<AdminAnswer>> Admin::given(const AdminAsk& ask, const Who& who) {
  TRY(const auto before, store_->given(fingerprint_of(ask, who), clock_() - answers_kept_ms));
  if (!before) return std::optional<AdminAnswer>();
  if (before->question != hex(hash_(ask.path + '\n' + ask.body)))
    return fail(conflict("This Idempotency-Key was used for another request. Use a new one for each."));
  const auto line = before->body.find('\n');
  const auto prefix = before->body.find(' ');
  AdminAnswer out{.status = before->status, .body = before->body.substr(line + 1), .etag = before->etag};
  if (prefix < line) {  // "PREFIX SALT\n": a secret was told
    const std::string salt = before->body.substr(prefix + 1, line - prefix - 1);
    const std::string secret =
        before->body.substr(0, prefix) + base64url(bytes(hash_("again " + salt + ' ' + ask.idempotency_key)));
    out.body.pop_back();
    out.body += ",\"key\":" + json::quote(secret) + '}';
  }
  return std::optional(std::move(out));
}

Result<AdminAnswer> Admin::commit(const AdminAsk& ask, const Who& who, KeyChange change, AuditEntry entry, Nodes nodes,
                                  AdminAnswer answer, std::string_view secret) {
  const bool had_keys = std::exchange(held_keys_, held_keys_ || (change.put && change.put->kind == Kind::key));
  auto directory = make(config_, nodes);
  if (!directory) {
    held_keys_ = had_keys;
    return std::unexpected(std::move(directory).error());
  }
  entry.unix_ms = clock_();
  entry.who = who.name;
  entry.from = ask.peer;
  change.audit = std::move(entry);
  if (ask.method == "POST" && !ask.idempotency_key.empty()) {
    GivenAnswer kept{.asked = fingerprint_of(ask, who),
                     .question = hex(hash_(ask.path + '\n' + ask.body)),
                     .status = answer.status,
                     .etag = answer.etag,
                     .unix_ms = clock_()};
    const std::string_view prefix = secret.substr(0, secret.size() - std::min<std::size_t>(secret.size(), 43));
    kept.body = (secret.empty() ? std::string() : std::string(prefix) + ' ' + salt_) + '\n' + answer.body;
    change.answer = std::move(kept);
  }
  change.after = changes_;
  if (auto stored = store_->change(change); !stored) {
    held_keys_ = had_keys;
    return std::unexpected(std::move(stored).error());
  }
  ++changes_;
  nodes_ = std::move(nodes);
  if (change.put_admin) admins_.push_back(*change.put_admin);
  if (change.remove_admin) std::erase_if(admins_, [&](const AdminKey& key) { return key.id == *change.remove_admin; });
  if (change.put || change.remove) {
    directory_ = *std::move(directory);
    if (publish_ && !publish_(directory_)) {
      return fail({.fault = Fault::overloaded,
                   .message = "The change is stored, but one of the gateway's threads has not taken it yet. It holds "
                              "everywhere in a moment.",
                   .detail = "a worker did not take the new directory in time"});
    }
  }
  if (!secret.empty()) {
    answer.body.pop_back();
    answer.body += ",\"key\":" + json::quote(secret) + '}';
  }
  return answer;
}

}  // namespace sluice
