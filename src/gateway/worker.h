// What one worker thread has: its loop, its lines to the outside, the current snapshot, and the sessions it serves.
// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "config/snapshot.h"
#include "dialects/dialect.h"
#include "gateway/coalesce.h"
#include "gateway/exchange.h"
#include "gateway/health.h"
#include "gateway/price_book.h"
#include "net/loop.h"
#include "net/server.h"
#include "net/tls.h"
#include "policy/dice.h"
#include "policy/directory.h"
#include "policy/gate.h"
#include "policy/health_book.h"
#include "policy/limits.h"
#include "policy/meters.h"
#include "policy/mirrors.h"
#include "policy/outputs.h"
#include "policy/plan.h"
#include "policy/retry.h"
#include "policy/turn_memory.h"
#include "ports/response_store.h"
#include "ports/sink.h"
#include "upstream/issuers.h"
#include "upstream/lines.h"
#include "upstream/standing.h"

namespace sluice {

class Admin;
class Journal;
class Mirror;
class Prober;
class Session;

// What all workers share; outlives them. Every member may be used from any thread.
struct Shared {
  Limits limits;
  Meters meters;
  Outputs outputs;
  TurnMemory turns;
  Standings standings;
  HealthBook health;
  Gates gates{[] { return net::Loop::clock_ns() / 1'000'000; }};
  RetryBudget retries;
  HedgeBudget hedges;
  Mirrors mirrors;
  Issuers issuers;
  Turns branch_turns;
  SharedAnswers answers;
  std::unique_ptr<ResponseStore> responses;  // never null once requests are served
  Journal* journal = nullptr;                // the ledger's; null: there is none
  std::function<LedgerHealth()> ledger;      // how it is; null: there is none
  std::mutex config_error_mutex;
  std::string config_error;  // why the last reload failed; empty when it did not
  std::vector<Sink*> sinks;
  std::string version;
  std::int64_t started_unix_ms = 0;
  std::function<std::string()> metrics_page;  // Prometheus text
  Admin* admin = nullptr;                     // never null once requests are served
  std::shared_ptr<net::TlsServer> tls;        // null = plain
  Environment environment = process_environment;
  std::atomic<std::int64_t> open_connections{0}, open_exchanges{0}, open_streams{0}, idle_upstream{0};
  std::atomic<std::int64_t> read_on{0};  // calls whose client has left
  std::int64_t most_connections = 0;
  std::mutex return_memory_mutex;
  void (*return_memory)(bool at_once) = nullptr;  // told as exchanges become many, and few again; may be null
  std::atomic<bool> draining{false};
};

class Worker {
 public:
  // Error: internal, when the kernel gives no loop.
  [[nodiscard]] static Result<std::unique_ptr<Worker>> make(Shared& shared, std::shared_ptr<const Snapshot> snapshot,
                                                            std::shared_ptr<const Directory> directory);
  ~Worker();

  // On the worker's own thread (or before it runs):
  void accept(int fd);  // a client's connection; owned from here on
  void use(std::shared_ptr<const Snapshot> snapshot);
  void use(std::shared_ptr<const Directory> directory) { directory_ = std::move(directory); }
  void probe();  // this worker is the one that probes backends
  void drain();  // idle connections close soon, busy ones after their exchange; nobody waits for copies
  void cut();    // everything ends now; callers who wait are told
  void closed(Session& session);
  void mirror(std::unique_ptr<Mirror> copy);  // begins soon
  void ended(Mirror& copy);
  [[nodiscard]] bool draining() const { return draining_; }
  [[nodiscard]] bool cutting() const { return cutting_; }

  [[nodiscard]] Shared& shared() { return shared_; }
  [[nodiscard]] net::Loop& loop() { return *loop_; }
  [[nodiscard]] net::Scratch& scratch() { return scratch_; }
  [[nodiscard]] Lines& lines() { return *lines_; }
  [[nodiscard]] const std::shared_ptr<const Snapshot>& snapshot() const { return snapshot_; }
  [[nodiscard]] const std::shared_ptr<const Directory>& directory() const { return directory_; }
  // The line of a backend of the current or an older snapshot.
  [[nodiscard]] std::shared_ptr<const Line> line(const Backend& backend);
  [[nodiscard]] std::string make_id();
  // What targets cost.
  [[nodiscard]] PriceBook& prices() { return price_book_; }
  [[nodiscard]] Dice& dice() { return dice_; }
  // For parsing: filled and used up between two sleeps.
  [[nodiscard]] http1::ResponseHead& response_head() { return response_head_; }
  // A buffer for a head on its way out: used up between two sleeps.
  std::string out;

 private:
  Worker(Shared& shared, std::shared_ptr<const Snapshot> snapshot, std::shared_ptr<const Directory> directory,
         std::unique_ptr<net::Loop> loop, std::unique_ptr<Lines> lines);
  void end_mirrors();
  Shared& shared_;
  std::unique_ptr<net::Loop> loop_;
  net::Scratch scratch_;
  http1::ResponseHead response_head_;
  std::unique_ptr<Lines> lines_;
  std::shared_ptr<const Snapshot> snapshot_;
  std::shared_ptr<const Directory> directory_;
  std::unordered_map<std::uint64_t, std::shared_ptr<const Line>> line_cache_;  // by Backend::serial
  PriceBook price_book_;
  std::unordered_set<Session*> sessions_;
  std::unique_ptr<Prober> prober_;
  std::unordered_set<Mirror*> mirrors_;
  std::mt19937_64 random_;
  Dice dice_{0};
  bool draining_ = false;
  bool cutting_ = false;
};

}  // namespace sluice
