// SPDX-License-Identifier: MIT
#include "store/sqlite_responses.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "ports/thread.h"
#include "store/weight.h"

namespace sluice {
namespace {

// Conversations go as a whole: what is left of one that lost its beginning helps nobody.
constexpr const char* tables = R"(
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA journal_size_limit = 16777216;
CREATE TABLE IF NOT EXISTS conversations(
  id INTEGER PRIMARY KEY, used_ms INTEGER NOT NULL, bytes INTEGER NOT NULL, responses INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS conversations_by_use ON conversations(used_ms);
CREATE TABLE IF NOT EXISTS responses(
  id TEXT PRIMARY KEY, tenant TEXT NOT NULL, conversation INTEGER NOT NULL REFERENCES conversations(id),
  previous TEXT NOT NULL, backend TEXT NOT NULL, made_ms INTEGER NOT NULL, object TEXT NOT NULL, input TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS responses_by_conversation ON responses(conversation);
)";
constexpr std::int64_t version = 2;  // of the tables
// Version 1 kept a question as items without the list's brackets.
constexpr const char* from_version_1 = "UPDATE responses SET input = '[' || input || ']' WHERE input <> ''";
constexpr std::size_t most_waiting = 64 * 1024 * 1024;
constexpr std::size_t most_together = 256;  // calls in one transaction

Error overrun() {
  return {.fault = Fault::internal, .message = "The gateway's storage does not keep up."};
}

Error closed() {
  return {.fault = Fault::internal, .message = "The gateway is stopping."};
}

Result<std::int64_t> one_number(Sqlite& db, std::string_view sql) {
  Query query = db.query(sql);
  const std::int64_t out = query.step() ? query.number(0) : 0;
  TRY_VOID(query.well());
  return out;
}

}  // namespace

Result<std::unique_ptr<SqliteResponses>> SqliteResponses::open(const std::string& path, Clock clock) {
  TRY(auto db, Sqlite::open(path));
  TRY(const auto found, one_number(*db, "PRAGMA user_version"));
  if (found > version) {
    return fail(Fault::internal, "The storage was written by a newer version of this program.",
                path + ": version " + std::to_string(found));
  }
  TRY_VOID(db->run(tables));
  if (found == 1) TRY_VOID(db->run(from_version_1));
  if (found != version) TRY_VOID(db->run(("PRAGMA user_version = " + std::to_string(version)).c_str()));
  std::unique_ptr<SqliteResponses> out(new SqliteResponses(std::move(db), clock));
  TRY_VOID(out->count_anew());
  out->thread_ = start_thread([self = out.get()] { self->run(); });
  return out;
}

SqliteResponses::SqliteResponses(std::unique_ptr<Sqlite> db, Clock clock) : db_(std::move(db)), clock_(clock) {}

SqliteResponses::~SqliteResponses() {
  close();
}

void SqliteResponses::close() {
  {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

// --- the caller's side -----------------------------------------------------------------------------------------------

void SqliteResponses::ask(Asked asked) {
  std::unique_lock lock(mutex_);
  if (closed_ || waiting_bytes_ + asked.weight > most_waiting) {
    const Error refused = closed_ ? closed() : overrun();
    lock.unlock();
    return asked.tell(&refused);
  }
  waiting_bytes_ += asked.weight;
  waiting_.push_back(std::move(asked));
  lock.unlock();
  wake_.notify_one();
}

void SqliteResponses::keep(const HeldView& view, Done done) {
  const auto size = static_cast<std::size_t>(weight(view));
  auto kept = std::make_shared<bool>(false);
  ask({.job = [this, response = copy_of(view), kept]() -> Result<void> {
         TRY(*kept, keep(response));
         return {};
       },
       .tell = [done = std::move(done),
                kept](const Error* failed) mutable { failed ? done(fail(*failed)) : done(*kept); },
       .weight = size});
}

void SqliteResponses::find(std::string tenant, std::string id, Reach reach, Found found) {
  auto finding = std::make_shared<Finding>();
  ask({.job = [this, tenant = std::move(tenant), id = std::move(id), reach, finding]() -> Result<void> {
         TRY(*finding, find(tenant, id, reach));
         return {};
       },
       .tell = [found = std::move(found),
                finding](const Error* failed) mutable { failed ? found(fail(*failed)) : found(std::move(*finding)); },
       .weight = 256});
}

void SqliteResponses::forget(std::string tenant, std::string id, Done done) {
  auto known = std::make_shared<bool>(false);
  ask({.job = [this, tenant = std::move(tenant), id = std::move(id), known]() -> Result<void> {
         TRY(*known, forget(tenant, id));
         return {};
       },
       .tell = [done = std::move(done),
                known](const Error* failed) mutable { failed ? done(fail(*failed)) : done(*known); },
       .weight = 256});
}

void SqliteResponses::bound(const Bounds& bounds) {
  {
    const std::scoped_lock lock(mutex_);
    bounds_ = bounds;
  }
  ask({.job = [this]() -> Result<void> { return fit(); }, .tell = [](const Error*) {}, .weight = 256});
}

// --- the thread's side -----------------------------------------------------------------------------------------------

void SqliteResponses::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return closed_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    std::deque<Asked> batch;
    while (!waiting_.empty() && batch.size() < most_together) {
      waiting_bytes_ -= waiting_.front().weight;
      batch.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
    lock.unlock();
    do_all(std::move(batch));
    lock.lock();
  }
}

// Two processes write while one takes the other's place: what the other did is not in our sums.
Result<void> SqliteResponses::count_anew() {
  TRY(const auto now, one_number(*db_, "PRAGMA data_version"));
  if (now == seen_) return {};
  TRY(bytes_, one_number(*db_, "SELECT coalesce(sum(bytes), 0) FROM conversations"));
  TRY(count_, one_number(*db_, "SELECT coalesce(sum(responses), 0) FROM conversations"));
  seen_ = now;
  return {};
}

// All in one transaction; when one fails, it alone has no effect, unless the file itself is what fails: then none has.
void SqliteResponses::do_all(std::deque<Asked> batch) {
  std::vector<Result<void>> done;
  done.reserve(batch.size());
  Result<void> whole = db_->roll_back();  // of one before that could not be ended
  if (whole) whole = db_->run("BEGIN IMMEDIATE");
  if (whole) whole = count_anew();
  const auto sizes = std::pair(bytes_, count_);
  for (Asked& one : batch) done.push_back(whole ? do_one(one, whole) : whole);
  if (whole) whole = db_->run("COMMIT");
  if (!whole) {
    std::tie(bytes_, count_) = sizes;
    if (auto undone = db_->roll_back(); !undone) whole = std::move(undone);
  }
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const Result<void>& result = whole ? done[i] : whole;
    batch[i].tell(result ? nullptr : &*result.error());
  }
}

// `whole` learns when the transaction itself is broken: what cannot be undone must not be committed.
Result<void> SqliteResponses::do_one(Asked& one, Result<void>& whole) {
  const auto sizes = std::pair(bytes_, count_);
  whole = db_->run("SAVEPOINT one");
  if (!whole) return whole;
  auto done = one.job();
  if (!done) {
    std::tie(bytes_, count_) = sizes;
    whole = db_->run("ROLLBACK TO one");
  }
  if (whole) whole = db_->run("RELEASE one");
  return done;
}

Result<bool> SqliteResponses::keep(const HeldResponse& response) {
  const std::int64_t now = clock_();
  {
    Query known = db_->query("SELECT tenant FROM responses WHERE id = ?");
    if (known.bind(response.id).step() && known.text(0) != response.tenant) return false;
    TRY_VOID(known.well());
  }
  TRY_VOID(forget(response.tenant, response.id));
  std::int64_t conversation = 0;
  {
    Query before = db_->query("SELECT conversation FROM responses WHERE id = ? AND tenant = ?");
    if (before.bind(response.previous).bind(response.tenant).step()) conversation = before.number(0);
    TRY_VOID(before.well());
  }
  if (conversation == 0) {
    Query made = db_->query("INSERT INTO conversations(used_ms, bytes, responses) VALUES(?, 0, 0) RETURNING id");
    if (made.bind(now).step()) conversation = made.number(0);
    TRY_VOID(made.well());
  }
  const std::int64_t size = weight(response);
  TRY_VOID(db_->query("UPDATE conversations SET used_ms = ?, bytes = bytes + ?, responses = responses + 1 WHERE id = ?")
               .bind(now)
               .bind(size)
               .bind(conversation)
               .run());
  TRY_VOID(db_->query("INSERT INTO responses(id, tenant, conversation, previous, backend, made_ms, object, input) "
                      "VALUES(?, ?, ?, ?, ?, ?, ?, ?)")
               .bind(response.id)
               .bind(response.tenant)
               .bind(conversation)
               .bind(response.previous)
               .bind(response.backend)
               .bind(response.unix_ms)
               .bind(response.object)
               .bind(response.input)
               .run());
  bytes_ += size;
  ++count_;
  TRY_VOID(fit());
  Query still = db_->query("SELECT 1 FROM responses WHERE id = ?");
  const bool kept = still.bind(response.id).step();
  TRY_VOID(still.well());
  return kept;
}

Result<ResponseStore::Finding> SqliteResponses::find(const std::string& tenant, const std::string& id, Reach reach) {
  Finding out;
  std::string next = id;
  std::int64_t oldest = 0;
  {
    const std::scoped_lock lock(mutex_);
    oldest = clock_() - bounds_.age.count();
  }
  do {
    Query row = db_->query(
        "SELECT r.tenant, r.previous, r.backend, r.made_ms, r.object, r.input FROM responses r "
        "JOIN conversations c ON c.id = r.conversation WHERE r.id = ? AND c.used_ms > ?");
    const bool found = row.bind(next).bind(oldest).step();
    TRY_VOID(row.well());
    if (!found) return Finding{};
    if (row.text(0) != tenant) return Finding{.whose = out.responses.empty() ? Whose::anothers : Whose::nobodys};
    out.responses.push_back({.id = next,
                             .tenant = tenant,
                             .previous = row.text(1),
                             .backend = row.text(2),
                             .object = row.text(4),
                             .input = row.text(5),
                             .unix_ms = row.number(3)});
    next = out.responses.back().previous;
  } while (reach == Reach::chain && !next.empty());
  out.whose = Whose::own;
  std::ranges::reverse(out.responses);
  return out;
}

Result<bool> SqliteResponses::forget(const std::string& tenant, const std::string& id) {
  std::int64_t conversation = 0;
  std::int64_t size = 0;
  {
    Query gone = db_->query(
        "DELETE FROM responses WHERE id = ? AND tenant = ? "
        "RETURNING conversation, length(CAST(object AS BLOB)) + length(CAST(input AS BLOB))");
    if (!gone.bind(id).bind(tenant).step()) {
      TRY_VOID(gone.well());
      return false;
    }
    conversation = gone.number(0);
    size = gone.number(1) + weight({});
  }
  bytes_ -= size;
  --count_;
  TRY_VOID(db_->query("UPDATE conversations SET bytes = bytes - ?, responses = responses - 1 WHERE id = ?")
               .bind(size)
               .bind(conversation)
               .run());
  TRY_VOID(db_->query("DELETE FROM conversations WHERE id = ? AND responses = 0").bind(conversation).run());
  return true;
}

Result<void> SqliteResponses::drop_conversation(std::int64_t conversation) {
  TRY_VOID(db_->query("DELETE FROM responses WHERE conversation = ?").bind(conversation).run());
  count_ -= db_->changed();
  Query gone = db_->query("DELETE FROM conversations WHERE id = ? RETURNING bytes");
  if (gone.bind(conversation).step()) bytes_ -= gone.number(0);
  return gone.well();
}

Result<void> SqliteResponses::fit() {
  Bounds bounds;
  {
    const std::scoped_lock lock(mutex_);
    bounds = bounds_;
  }
  const std::int64_t oldest = clock_() - bounds.age.count();
  for (;;) {
    std::int64_t conversation = 0;
    {
      Query last = db_->query("SELECT id, used_ms FROM conversations ORDER BY used_ms, id LIMIT 1");
      const bool any = last.step();
      TRY_VOID(last.well());
      if (!any) return {};
      const bool fits = bytes_ <= bounds.bytes && count_ <= bounds.count;
      if (fits && last.number(1) > oldest) return {};
      conversation = last.number(0);
    }
    TRY_VOID(drop_conversation(conversation));
  }
}

}  // namespace sluice
