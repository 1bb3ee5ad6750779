// A coarse timer wheel for deadlines that are moved far more often than they are reached. Moving an Alarm later is one
// store: it stays in its slot and is looked at again when that slot passes. Alarms fire at most one tick late, never
// early. Not here: clocks (time comes in as milliseconds). SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <limits>

namespace sluice::net {

inline constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

// A deadline of one owner. Not movable; unlinks itself when it dies.
class Alarm {
 public:
  Alarm() = default;
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;
  ~Alarm() { unlink(); }
  [[nodiscard]] std::int64_t at() const { return at_; }

 protected:
  // Called by Wheel::advance once the deadline is reached; the alarm is then unset. It may set alarms and die.
  virtual void ring() = 0;

 private:
  friend class Wheel;
  struct Link {
    Alarm* next = nullptr;
  };
  void unlink() {
    if (!before_) return;
    before_->next = link_.next;
    if (link_.next) link_.next->before_ = before_;
    before_ = nullptr;
    link_.next = nullptr;
  }
  std::int64_t at_ = never;
  std::int64_t looked_at_ = never;  // when its slot passes
  Link* before_ = nullptr;          // the link that points here; null = in no slot
  Link link_;
};

class Wheel {
 public:
  // 1024 slots of 8 ms: one turn is 8.2 s. Later deadlines are looked at once a turn.
  static constexpr std::int64_t tick = 8;
  static constexpr std::int64_t slots = 1024;

  explicit Wheel(std::int64_t now_ms) : now_(now_ms) {}
  Wheel(const Wheel&) = delete;
  Wheel& operator=(const Wheel&) = delete;
  ~Wheel();

  // Sets or moves the deadline (milliseconds on the clock of advance); `never` switches it off.
  void set(Alarm& alarm, std::int64_t at_ms);
  // Rings every alarm whose deadline is at or before now.
  void advance(std::int64_t now_ms);
  // When advance should be called next at the latest; `never` when nothing is linked.
  [[nodiscard]] std::int64_t next() const;

 private:
  void link(Alarm& alarm);
  [[nodiscard]] static std::size_t slot(std::int64_t ms) { return static_cast<std::size_t>((ms / tick) % slots); }
  std::int64_t now_;
  std::array<Alarm::Link, slots> heads_{};
  std::array<std::uint64_t, slots / 64> used_{};  // a set bit may stand for a slot that was emptied since
};

}  // namespace sluice::net
