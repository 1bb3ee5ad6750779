// Who waits when as many calls run as may, who goes next, and who had better come back later. It only decides: whoever
// waits is parked and woken by the caller of these functions. Not here: the limits that refuse at once (limits.h).
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sluice {

struct QueueSettings {
  std::size_t most_running = 0;  // 0 = no cap: nobody waits
  std::size_t most_waiting = 0;
};

// Callers take turns, however many of one wait; of one caller the first come goes first. The places to wait are shared
// too: when all are taken, a caller with less than its share gets the newest place of the one with the most. Nobody is
// given a turn after its deadline. Safe to call from any thread.
class Queue {
 public:
  // Chosen by whoever waits, and known to whoever wakes before it asks; unique among those that wait.
  using Waiter = std::uint64_t;

  struct Answer {
    enum class Verdict : std::uint8_t {
      run,       // now; ended() must follow
      wait,      // until a Next or an Answer names it, or leave()
      full,      // too many wait
      too_late,  // its turn would come after its deadline
    };
    Verdict verdict = Verdict::run;
    std::int64_t wait_ms = 0;          // how long it would take, as far as is known: for Retry-After
    std::optional<Waiter> pushed_out;  // no longer waits: is to be told that too many do
  };
  [[nodiscard]] Answer enter(std::string_view caller, Waiter waiter, std::int64_t now_ms, std::int64_t deadline_ms,
                             const QueueSettings& settings);

  struct Next {
    std::vector<Waiter> run;       // now; ended() must follow for each
    std::vector<Waiter> too_late;  // no longer wait: the deadline is over
  };
  // One that ran has ended after `took_ms`. A reload's larger cap shows here too.
  [[nodiscard]] Next ended(std::int64_t took_ms, std::int64_t now_ms, const QueueSettings& settings);
  // The same for one that was to run and did not.
  [[nodiscard]] Next unused(std::int64_t now_ms, const QueueSettings& settings);
  // Who may go since the settings are these.
  [[nodiscard]] Next next(std::int64_t now_ms, const QueueSettings& settings);

  // True when it may run now without having waited: ended() must follow. Nobody overtakes who waits.
  [[nodiscard]] bool take(const QueueSettings& settings);
  // True when take() would be false.
  [[nodiscard]] bool crowded(const QueueSettings& settings) const;

  // Gives up waiting. False when it does not wait: it was named, and if that was to run, ended() must follow.
  [[nodiscard]] bool leave(Waiter waiter);

  // How long a new one of a caller that nobody waits for would wait.
  [[nodiscard]] std::int64_t wait_ms(const QueueSettings& settings) const;
  [[nodiscard]] std::size_t running() const;
  [[nodiscard]] std::size_t waiting() const;

 private:
  struct Place {
    Waiter waiter;
    std::int64_t deadline_ms;
  };
  struct Caller {
    std::string name;
    std::list<Place> places;  // first come first
  };
  using Callers = std::list<Caller>;
  struct Where {
    Callers::iterator caller;
    std::list<Place>::iterator place;
  };

  void remove(const Where& where);
  [[nodiscard]] Next go_on(std::int64_t now_ms, const QueueSettings& settings);
  [[nodiscard]] bool has_room(const QueueSettings& settings) const {
    return settings.most_running == 0 || running_ < settings.most_running;
  }
  Waiter push_out();
  [[nodiscard]] std::int64_t estimate(std::size_t ahead, const QueueSettings& settings) const;

  mutable std::mutex lock_;
  std::size_t running_ = 0;
  double mean_ms_ = 0;                                               // how long one runs; 0 = nothing is known
  Callers callers_;                                                  // only those that wait; the front's turn is next
  std::unordered_map<std::string_view, Callers::iterator> by_name_;  // views into callers_
  std::unordered_map<Waiter, Where> by_waiter_;
};

}  // namespace sluice
