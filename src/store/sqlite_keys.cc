// SPDX-License-Identifier: MIT
#include "store/sqlite_keys.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace sluice {
namespace {

// One step for each version; a file goes through those that it has not seen.
constexpr std::array steps = {R"(
CREATE TABLE nodes(
  id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, name TEXT NOT NULL, settings TEXT NOT NULL, blocked INTEGER NOT NULL,
  version INTEGER NOT NULL, made_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL, hash TEXT NOT NULL,
  old_hash TEXT NOT NULL, old_until_ms INTEGER NOT NULL, shown TEXT NOT NULL, UNIQUE(kind, name));
CREATE TABLE admin_keys(
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, scope TEXT NOT NULL, hash TEXT NOT NULL, shown TEXT NOT NULL,
  made_ms INTEGER NOT NULL);
CREATE TABLE audit(
  id INTEGER PRIMARY KEY AUTOINCREMENT, unix_ms INTEGER NOT NULL, who TEXT NOT NULL, place TEXT NOT NULL,
  action TEXT NOT NULL, node TEXT NOT NULL, name TEXT NOT NULL, was TEXT NOT NULL, becomes TEXT NOT NULL);
CREATE TABLE answers(
  asked TEXT PRIMARY KEY, question TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL, etag TEXT NOT NULL,
  unix_ms INTEGER NOT NULL);
CREATE INDEX answers_by_time ON answers(unix_ms);
CREATE TABLE key_facts(name TEXT PRIMARY KEY, value TEXT NOT NULL);
)"};
constexpr std::int64_t answers_kept_ms = 24 * 3'600'000;
constexpr std::size_t pepper_size = 32;

std::unexpected<Failure> broken(const std::string& what) {
  return fail(Fault::internal, "The gateway's storage of keys cannot be used: " + what, what);
}

Result<std::string> fact(Sqlite& db, std::string_view name) {
  Query query = db.query("SELECT value FROM key_facts WHERE name = ?");
  query.bind(name);
  std::string out = query.step() ? query.text(0) : std::string();
  TRY_VOID(query.well());
  return out;
}

Result<void> keep_fact(Sqlite& db, std::string_view name, std::string_view value) {
  return db.query("INSERT OR REPLACE INTO key_facts VALUES(?, ?)").bind(name).bind(value).run();
}

// The tables' version stands in a table of its own: other tables are in the same file.
Result<void> bring_up_to_date(Sqlite& db, const std::string& path) {
  TRY_VOID(db.run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"));
  TRY_VOID(db.run("BEGIN IMMEDIATE"));
  TRY_VOID(db.run("CREATE TABLE IF NOT EXISTS key_tables(version INTEGER NOT NULL)"));
  std::int64_t seen = 0;
  {
    Query query = db.query("SELECT max(version) FROM key_tables");
    if (query.step()) seen = query.number(0);
    TRY_VOID(query.well());
  }
  if (seen > static_cast<std::int64_t>(steps.size())) {
    TRY_VOID(db.roll_back());
    return broken(path + " was written by a newer version of this program");
  }
  for (; seen < static_cast<std::int64_t>(steps.size()); ++seen) {
    TRY_VOID(db.run(steps.at(static_cast<std::size_t>(seen))));
    TRY_VOID(db.query("INSERT INTO key_tables VALUES(?)").bind(seen + 1).run());
  }
  return db.run("COMMIT");
}

std::string in_hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

// The file's text; made with chance when it is not there and nothing was hashed yet.
Result<std::string> read_pepper(const std::string& path, bool in_use) {
  const int made = in_use ? -1 : ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (made >= 0) {
    std::array<char, pepper_size> bytes{};
    const bool filled = ::getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size());
    const std::string text = in_hex({bytes.data(), bytes.size()}) + '\n';
    const bool good =
        filled && ::write(made, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(made) == 0;
    const std::string why = std::strerror(errno);
    ::close(made);
    if (!good) {
      ::unlink(path.c_str());
      return broken(path + " cannot be written (" + why + ")");
    }
  } else if (!in_use && errno != EEXIST) {
    return broken(path + ": " + std::strerror(errno));
  }
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    return broken(path + " cannot be read (" + std::strerror(errno) +
                  "); the keys in the database were hashed with it and open nothing without it");
  }
  struct stat about{};
  std::array<char, 2 * pepper_size + 1> text{};
  const bool closed = ::fstat(file, &about) == 0 && (about.st_mode & 077) == 0;
  const ssize_t got = ::read(file, text.data(), text.size());
  ::close(file);
  if (!closed) return broken(path + " may be read by others: chmod 600 it");
  if (got < static_cast<ssize_t>(2 * pepper_size)) return broken(path + " is not what this program wrote");
  return std::string(text.data(), 2 * pepper_size);
}

}  // namespace

Result<std::unique_ptr<SqliteKeys>> SqliteKeys::open(const std::string& path) {
  TRY(auto db, Sqlite::open(path));
  TRY_VOID(bring_up_to_date(*db, path));
  bool in_use = false;
  {
    Query query = db->query("SELECT EXISTS(SELECT 1 FROM nodes WHERE hash <> '') OR EXISTS(SELECT 1 FROM admin_keys)");
    in_use = query.step() && query.number(0) != 0;
    TRY_VOID(query.well());
  }
  TRY(auto pepper, read_pepper(path + ".pepper", in_use));
  return std::unique_ptr<SqliteKeys>(new SqliteKeys(std::move(db), std::move(pepper)));
}

Result<std::int64_t> SqliteKeys::changes() {
  Query query = db_->query("SELECT coalesce(max(id), 0) FROM audit");
  const std::int64_t out = query.step() ? query.number(0) : 0;
  TRY_VOID(query.well());
  return out;
}

Result<KeyStore::Contents> SqliteKeys::read() {
  Contents out;
  TRY(out.changes, changes());  // first: what changes meanwhile is read once more
  Query nodes = db_->query(
      "SELECT id, kind, name, settings, blocked, version, made_ms, changed_ms, hash, old_hash, old_until_ms, shown "
      "FROM "
      "nodes ORDER BY kind, name");
  while (nodes.step()) {
    out.nodes.push_back({.kind = nodes.number(1) == 0 ? StoredNode::Kind::key : StoredNode::Kind::group,
                         .id = static_cast<std::uint64_t>(nodes.number(0)),
                         .name = nodes.text(2),
                         .settings = nodes.text(3),
                         .blocked = nodes.number(4) != 0,
                         .version = nodes.number(5),
                         .made_ms = nodes.number(6),
                         .changed_ms = nodes.number(7),
                         .hash = nodes.text(8),
                         .old_hash = nodes.text(9),
                         .shown = nodes.text(11),
                         .old_until_ms = nodes.number(10)});
  }
  TRY_VOID(nodes.well());
  Query admins = db_->query("SELECT id, name, scope, hash, shown, made_ms FROM admin_keys ORDER BY name");
  while (admins.step()) {
    out.admins.push_back({.id = static_cast<std::uint64_t>(admins.number(0)),
                          .name = admins.text(1),
                          .scope = admins.text(2),
                          .hash = admins.text(3),
                          .shown = admins.text(4),
                          .made_ms = admins.number(5)});
  }
  TRY_VOID(admins.well());
  TRY(const auto held, fact(*db_, "held_keys"));
  out.held_keys = !held.empty();
  return out;
}

Result<void> SqliteKeys::change(const KeyChange& change) {
  TRY_VOID(db_->run("BEGIN IMMEDIATE"));
  auto done = [&]() -> Result<void> {
    TRY(const std::int64_t before, changes());
    if (change.after >= 0 && change.after != before) {
      return fail({.fault = Fault::overloaded,
                   .message = "Another process changed keys in the same moment. Ask again.",
                   .detail = "the file of keys was changed by another process"});
    }
    return write(change);
  }();
  if (done) done = db_->run("COMMIT");
  if (!done) {
    if (const auto undone = db_->roll_back(); !undone) return undone;
  }
  return done;
}

Result<void> SqliteKeys::write(const KeyChange& change) {
  if (const auto& n = change.put) {
    TRY_VOID(db_->query("INSERT INTO nodes(id, kind, name, settings, blocked, version, made_ms, changed_ms, hash, "
                        "old_hash, old_until_ms, shown) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
                        "ON CONFLICT(id) DO UPDATE SET name = excluded.name, settings = excluded.settings, "
                        "blocked = excluded.blocked, version = excluded.version, changed_ms = excluded.changed_ms, "
                        "hash = excluded.hash, old_hash = excluded.old_hash, old_until_ms = excluded.old_until_ms, "
                        "shown = excluded.shown")
                 .bind(static_cast<std::int64_t>(n->id))
                 .bind(n->kind == StoredNode::Kind::key ? std::int64_t{0} : std::int64_t{1})
                 .bind(n->name)
                 .bind(n->settings)
                 .bind(std::int64_t{n->blocked})
                 .bind(n->version)
                 .bind(n->made_ms)
                 .bind(n->changed_ms)
                 .bind(n->hash)
                 .bind(n->old_hash)
                 .bind(n->old_until_ms)
                 .bind(n->shown)
                 .run());
    if (n->kind == StoredNode::Kind::key) TRY_VOID(keep_fact(*db_, "held_keys", "yes"));
  }
  if (change.remove)
    TRY_VOID(db_->query("DELETE FROM nodes WHERE id = ?").bind(static_cast<std::int64_t>(*change.remove)).run());
  if (const auto& a = change.put_admin) {
    TRY_VOID(db_->query("INSERT INTO admin_keys(id, name, scope, hash, shown, made_ms) VALUES(?, ?, ?, ?, ?, ?)")
                 .bind(static_cast<std::int64_t>(a->id))
                 .bind(a->name)
                 .bind(a->scope)
                 .bind(a->hash)
                 .bind(a->shown)
                 .bind(a->made_ms)
                 .run());
  }
  if (change.remove_admin) {
    TRY_VOID(
        db_->query("DELETE FROM admin_keys WHERE id = ?").bind(static_cast<std::int64_t>(*change.remove_admin)).run());
  }
  if (const auto& a = change.audit) {
    TRY_VOID(
        db_->query("INSERT INTO audit(unix_ms, who, place, action, node, name, was, becomes) VALUES(?, ?, ?, ?, ?, "
                   "?, ?, ?)")
            .bind(a->unix_ms)
            .bind(a->who)
            .bind(a->from)
            .bind(a->action)
            .bind(a->id_text)
            .bind(a->name)
            .bind(a->before)
            .bind(a->after)
            .run());
  }
  if (const auto& g = change.answer) {
    TRY_VOID(db_->query("DELETE FROM answers WHERE unix_ms < ?").bind(g->unix_ms - answers_kept_ms).run());
    TRY_VOID(db_->query("INSERT OR REPLACE INTO answers(asked, question, status, body, etag, unix_ms) VALUES(?, ?, ?, "
                        "?, ?, ?)")
                 .bind(g->asked)
                 .bind(g->question)
                 .bind(std::int64_t{g->status})
                 .bind(g->body)
                 .bind(g->etag)
                 .bind(g->unix_ms)
                 .run());
  }
  return {};
}

Result<std::vector<AuditEntry>> SqliteKeys::audit(std::int64_t before, std::int64_t limit) {
  std::vector<AuditEntry> out;
  Query query = db_->query(
      "SELECT id, unix_ms, who, place, action, node, name, was, becomes FROM audit WHERE id < ? ORDER BY id DESC LIMIT "
      "?");
  query.bind(before > 0 ? before : INT64_MAX).bind(limit);
  while (query.step()) {
    out.push_back({.id = query.number(0),
                   .unix_ms = query.number(1),
                   .who = query.text(2),
                   .from = query.text(3),
                   .action = query.text(4),
                   .id_text = query.text(5),
                   .name = query.text(6),
                   .before = query.text(7),
                   .after = query.text(8)});
  }
  TRY_VOID(query.well());
  return out;
}

Result<std::optional<GivenAnswer>> SqliteKeys::given(std::string_view asked, std::int64_t since_ms) {
  Query query =
      db_->query("SELECT question, status, body, etag, unix_ms FROM answers WHERE asked = ? AND unix_ms >= ?");
  query.bind(asked).bind(since_ms);
  std::optional<GivenAnswer> out;
  if (query.step()) {
    out = GivenAnswer{.asked = std::string(asked),
                      .question = query.text(0),
                      .status = static_cast<int>(query.number(1)),
                      .body = query.text(2),
                      .etag = query.text(3),
                      .unix_ms = query.number(4)};
  }
  TRY_VOID(query.well());
  return out;
}

}  // namespace sluice
