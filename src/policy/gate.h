// A cap on calls at once, with a line of those who wait for a place under it: fair between callers, bounded, and nobody
// waits past its deadline (queue.h decides). Not here: how whoever waits sleeps and is woken (gateway/line_up.h).
// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "policy/queue.h"

namespace sluice {

class Gate;
class Snapshot;

// The right to be one of the calls under a gate; given back when it dies, on whatever thread. Must not outlive the
// gate.
class Seat {
 public:
  Seat() = default;
  Seat(Seat&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)), since_ms_(other.since_ms_) {}
  Seat& operator=(Seat&& other) noexcept {
    std::swap(gate_, other.gate_);
    std::swap(since_ms_, other.since_ms_);
    return *this;
  }
  ~Seat() {
    if (gate_) give_back();
  }
  explicit operator bool() const { return gate_ != nullptr; }

 private:
  friend class Gate;
  friend class Waiting;
  Seat(Gate* gate, std::int64_t since_ms) : gate_(gate), since_ms_(since_ms) {}
  void give_back();
  Gate* gate_ = nullptr;
  std::int64_t since_ms_ = 0;
};

// What is woken when a place in line has become something else: soon, on a thread of its own choice. Called on any
// thread and under the gate's lock.
class Sleeping {
 public:
  virtual ~Sleeping() = default;
  virtual void wake() = 0;
};

// A place in a gate's line; leaves it when it dies, and gives back what it was given meanwhile. Must not outlive the
// gate.
class Waiting {
 public:
  enum class State : std::uint8_t {
    waits,
    turn,  // take() it
    full,  // too many wait: another caller had a better right to its place in line
    late,  // its deadline is over
  };
  Waiting() = default;
  Waiting(Waiting&& other) noexcept = default;
  Waiting& operator=(Waiting&& other) noexcept;
  ~Waiting() { leave(); }
  explicit operator bool() const { return inner_ != nullptr; }

  [[nodiscard]] State state() const;
  // The place, once it is its turn.
  [[nodiscard]] Seat take();

 private:
  friend class Gate;
  struct Inner {
    Gate& gate;
    Queue::Waiter name;
    std::shared_ptr<Sleeping> sleeping;
    std::atomic<State> state = State::waits;
  };
  explicit Waiting(std::shared_ptr<Inner> inner) : inner_(std::move(inner)) {}
  void leave();
  std::shared_ptr<Inner> inner_;
};

// Safe to call from any thread.
class Gate {
 public:
  using Clock = std::int64_t (*)();  // milliseconds, steady

  Gate(std::string name, Clock clock) : name_(std::move(name)), clock_(clock) {}
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  // From now on. Whoever may go under it now goes.
  void bound(const QueueSettings& settings);

  // A place, when there is one and nobody waits for it; else none.
  [[nodiscard]] Seat take();
  // True when take() would give none now.
  [[nodiscard]] bool crowded() const;

  struct Answer {
    Seat place;                // at once
    Waiting waiting;           // or in line; neither: refused,
    bool full = false;         // because too many wait; else its turn would come after its deadline
    std::int64_t wait_ms = 0;  // how long it would take, as far as is known
  };
  [[nodiscard]] Answer enter(std::string_view caller, std::shared_ptr<Sleeping> sleeping, std::int64_t deadline_ms);

  [[nodiscard]] const std::string& name() const { return name_; }
  struct Figures {
    std::int64_t most = 0;  // 0 = no cap
    std::int64_t running = 0;
    std::int64_t waiting = 0;
  };
  [[nodiscard]] Figures figures() const;

 private:
  friend class Seat;
  friend class Waiting;
  void ended(std::int64_t since_ms);
  void tell(const Queue::Next& next);
  void tell(Queue::Waiter name, Waiting::State state);
  void leave(Waiting::Inner& one);

  const std::string name_;
  const Clock clock_;
  mutable std::mutex lock_;
  QueueSettings settings_;
  Queue queue_;
  Queue::Waiter last_ = 0;
  std::unordered_map<Queue::Waiter, std::shared_ptr<Waiting::Inner>> line_;  // those that wait
};

// The gates of a process: one for the server, one for each account that has a cap or had one. Safe from any thread.
class Gates {
 public:
  explicit Gates(Gate::Clock clock) : clock_(clock), server_("", clock) {}

  // As this configuration says; a gate that it does not name is open.
  void bound(const Snapshot& snapshot);

  [[nodiscard]] Gate& server() { return server_; }
  // Of the account of that name; lives as long as this.
  [[nodiscard]] Gate& of(std::string_view account);
  // The same if there is one; else null.
  [[nodiscard]] Gate* find(std::string_view account) const;
  // Every gate that has a cap, by account; the server's is the first and has no name.
  [[nodiscard]] std::vector<std::pair<std::string, Gate::Figures>> figures() const;

 private:
  const Gate::Clock clock_;
  Gate server_;
  mutable std::mutex lock_;
  std::map<std::string, std::unique_ptr<Gate>, std::less<>> accounts_;
};

}  // namespace sluice
