// How much keys and groups may ask for and spend: requests and tokens by rate, requests at once, money by budget.
// Counts live here by the node's id and outlive reloads; what is allowed comes with each call. It knows no prices, no
// clocks and no files. Not here: limits for everybody alike (limits.h). SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "config/allowance.h"
#include "policy/budget_period.h"
#include "policy/limits.h"
#include "policy/lock.h"
#include "policy/metered_node.h"
#include "policy/rate_bucket.h"
#include "policy/wall_clock.h"

namespace sluice {

class Meters;

// What a request will need, as far as it can be known.
struct Claim {
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;            // likely
  std::optional<std::int64_t> nano_dollars;  // that it may cost; nullopt: it has no price
  bool copy = false;  // of a request that was admitted: it costs money, and counts as nothing else
};

struct MeterTime {
  std::int64_t steady_ns = 0;
  std::int64_t unix_ms = 0;  // as the system's clock has it
};

// Of all nodes the tightest, for fields of answers.
struct MeterNumbers {
  LimitNumbers requests, tokens;
};

// Somebody asked to be told when so much of a budget is spent.
struct BudgetAlert {
  NodeId node = 0;
  std::string name;
  Budget budget;
  int percent = 0;  // what was asked for
  std::int64_t spent = 0;
  std::int64_t begins_ms = 0;  // of the window
  std::int64_t ends_ms = 0;    // INT64_MAX: it has no end
};

// One request among those that run, with what is set aside for it. Gives back what was not settled when it dies. Must
// not outlive the Meters nor the allowances it was admitted by. Not to be used by two threads at once.
class Grant {
 public:
  Grant() = default;
  Grant(Grant&& other) noexcept;
  Grant& operator=(Grant&& other) noexcept;
  ~Grant();
  explicit operator bool() const { return meters_ != nullptr; }

  // Whether any node has a budget.
  [[nodiscard]] bool has_budget() const { return has_budget_; }
  // What is set aside for it in each budget.
  [[nodiscard]] std::int64_t reserved() const { return reserved_; }

  // Sets aside so much more. Error: rate_limited with the code budget_spent, where a budget has not so much left and
  // says `hard_stop`; nothing is set aside then. Without it the budget is overdrawn.
  [[nodiscard]] Result<void> top_up(std::int64_t nano_dollars, MeterTime now);

  // What it has really used, in place of what was set aside. Once; it counts as running until it dies.
  void settle(std::int64_t tokens, std::int64_t nano_dollars, MeterTime now);

 private:
  friend class Meters;
  struct Held;
  Meters* meters_ = nullptr;
  std::vector<Held> held_;  // in the order in which they are locked
  Claim claim_;
  std::int64_t reserved_ = 0;
  bool has_budget_ = false;
  bool settled_ = false;
};

// Safe from any thread.
class Meters {
 public:
  using OnAlert = std::function<void(const BudgetAlert&)>;
  // `on_alert` is called on the thread that settles, under no lock; it must not block.
  explicit Meters(OnAlert on_alert = {});
  // The same, before the first request.
  void tell(OnAlert on_alert) { on_alert_ = std::move(on_alert); }
  ~Meters();
  Meters(const Meters&) = delete;
  Meters& operator=(const Meters&) = delete;

  // Admits a request of a key by all nodes from it to its root, or by none: then it counts against nothing.
  // Errors: rate_limited, with retry_after where waiting helps, with the code budget_spent where a budget is;
  // forbidden, where what has no price is refused. `numbers` is filled in both cases. Without anything to count the
  // grant is empty, and no lock was taken.
  [[nodiscard]] Result<Grant> admit(std::span<const MeteredNode> chain, const Claim& claim, MeterTime now,
                                    MeterNumbers& numbers);

  // What was spent in a window by everything below a node, as a ledger knows it; nullopt: it does not.
  using Spent =
      std::function<std::optional<std::int64_t>(const MeteredNode&, std::int64_t from_ms, std::int64_t until_ms)>;
  // Has the budgets of a node that count nothing yet begin with what a ledger says: after a start, and when a budget is
  // new. False when it did not know; such a budget begins with nothing spent at the first request.
  [[nodiscard]] bool begin(const MeteredNode& node, const Spent& spent, MeterTime now);

  // Forgets nodes that are no more.
  void keep_only(const std::function<bool(NodeId)>& still_there);

  struct Figures {
    std::int64_t running = 0;
    std::vector<std::pair<Budget::Per, BudgetPeriod>> budgets;  // those that have begun
  };
  [[nodiscard]] std::optional<Figures> figures(NodeId node) const;
  [[nodiscard]] std::size_t nodes() const;

 private:
  friend class Grant;
  struct Meter;
  static constexpr std::size_t shard_count = 16;
  struct alignas(64) Shard {
    mutable Lock lock;
    std::unordered_map<NodeId, std::shared_ptr<Meter>> meters;
  };
  Shard& shard(NodeId node);
  const Shard& shard(NodeId node) const;
  std::shared_ptr<Meter> meter(NodeId node);

  OnAlert on_alert_;
  WallClock clock_;
  std::array<Shard, shard_count> shards_;
};

// One key or group; its parts are guarded by its lock.
struct Meters::Meter {
  Lock lock;
  std::int64_t running = 0;
  std::array<std::int64_t, 6> rates;  // RateBucket::full_at by what and window
  std::array<BudgetPeriod, 4> budgets;
  Meter() { rates.fill(RateBucket::full); }
};

struct Grant::Held {
  std::shared_ptr<Meters::Meter> meter;
  std::string_view name;
  NodeId id;
  const Allowance* allowance;
};

}  // namespace sluice
