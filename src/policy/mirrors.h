// How many copies of requests are under way, each mirror's within its bound. What it does not let in is dropped and
// counted. Not here: which requests are mirrored and how (gateway/mirror.h). SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace sluice {

// Safe from any thread.
class Mirrors {
 public:
  // The right to be one of them; must not outlive whose it is.
  class Copy {
   public:
    Copy() = default;
    Copy(Copy&& other) noexcept : of_(std::exchange(other.of_, nullptr)), mirror_(std::move(other.mirror_)) {}
    Copy& operator=(Copy&& other) noexcept {
      std::swap(of_, other.of_);
      std::swap(mirror_, other.mirror_);
      return *this;
    }
    ~Copy() {
      if (of_) of_->ended(mirror_);
    }
    explicit operator bool() const { return of_ != nullptr; }

   private:
    friend class Mirrors;
    Copy(Mirrors* of, std::string_view mirror) : of_(of), mirror_(mirror) {}
    Mirrors* of_ = nullptr;
    std::string mirror_;
  };

  // Empty when `most` of that mirror are under way.
  [[nodiscard]] Copy begin(std::string_view mirror, std::int64_t most);
  void dropped() { dropped_.fetch_add(1, std::memory_order_relaxed); }

  [[nodiscard]] std::int64_t running() const { return running_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::int64_t dropped_so_far() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  void ended(std::string_view mirror);
  std::mutex lock_;
  std::map<std::string, std::int64_t, std::less<>> by_mirror_;  // only those of which some are under way
  std::atomic<std::int64_t> running_ = 0;
  std::atomic<std::int64_t> dropped_ = 0;
};

}  // namespace sluice
