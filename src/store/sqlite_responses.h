// Responses in an SQLite file, which outlives the process, also one that was killed. SQLite blocks: a thread of its own
// does everything, several calls in one transaction when they come close together. SPDX-License-Identifier: MIT
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "ports/response_store.h"
#include "store/sqlite.h"

namespace sluice {

class SqliteResponses final : public ResponseStore {
 public:
  using Clock = std::int64_t (*)();  // Unix milliseconds
  // Error: internal, when the file cannot be used: not to be made, damaged, or written by a newer version.
  [[nodiscard]] static Result<std::unique_ptr<SqliteResponses>> open(const std::string& path, Clock clock);
  ~SqliteResponses() override;

  void keep(const HeldView& response, Done done) override;
  void find(std::string tenant, std::string id, Reach reach, Found found) override;
  void forget(std::string tenant, std::string id, Done done) override;
  void bound(const Bounds& bounds) override;
  [[nodiscard]] bool lasts() const override { return true; }
  void close() override;

 private:
  // What is told when the transaction has ended, with its failure or null.
  using Tell = std::move_only_function<void(const Error*)>;
  // Work inside a transaction; an Error ends it without effect.
  using Job = std::move_only_function<Result<void>()>;
  struct Asked {
    Job job;
    Tell tell;
    std::size_t weight = 0;
  };

  SqliteResponses(std::unique_ptr<Sqlite> db, Clock clock);
  void ask(Asked asked);
  void run();
  void do_all(std::deque<Asked> batch);
  Result<void> do_one(Asked& one, Result<void>& whole);
  Result<bool> keep(const HeldResponse& response);
  Result<Finding> find(const std::string& tenant, const std::string& id, Reach reach);
  Result<bool> forget(const std::string& tenant, const std::string& id);
  Result<void> drop_conversation(std::int64_t conversation);
  Result<void> fit();
  Result<void> count_anew();

  std::unique_ptr<Sqlite> db_;
  Clock clock_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Asked> waiting_;
  std::size_t waiting_bytes_ = 0;
  Bounds bounds_;
  bool closed_ = false;
  std::int64_t bytes_ = 0, count_ = 0;  // of what is kept; the thread's
  std::int64_t seen_ = -1;              // which state of the file they are of
  std::thread thread_;
};

}  // namespace sluice
