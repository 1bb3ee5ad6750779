// Requests that are the same and would be answered the same, at the same time: one call for all of them, on routes that
// say so. Not here: how an answer is shared (shared_answer.h). SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/result.h"
#include "base/task.h"
#include "gateway/shared_answer.h"

namespace sluice {

struct Errand;
struct Exchange;
struct Intake;

// The answers that are under way, by what was asked.
// One that takes nothing for so long is not waited for when others are.
inline constexpr std::int64_t most_stalled_ms = 3'000;

class SharedAnswers {
 public:
  struct Place {
    std::shared_ptr<SharedAnswer> answer;
    std::unique_ptr<SharedAnswer::Reader> reader;  // null: it is a new one, and the caller is to make the call
  };
  [[nodiscard]] Place enter(const std::string& key, const std::shared_ptr<const Snapshot>& snapshot,
                            net::Sleeper& sleeper);
  void leave(const std::string& key, const SharedAnswer& answer);

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<SharedAnswer>> answers_;
};

// What an exchange has that makes a call for others too. When it dies before the answer is whole, they hear that.
class Lead {
 public:
  Lead(Exchange& ex, std::string key, std::shared_ptr<SharedAnswer> answer);
  ~Lead();
  Lead(const Lead&) = delete;
  Lead& operator=(const Lead&) = delete;

  [[nodiscard]] SharedAnswer& answer() { return *answer_; }
  // Its own client is gone, and others read on.
  [[nodiscard]] bool alone() const { return alone_; }
  // The client is gone, as a send has found. True: the call goes on all the same.
  [[nodiscard]] bool lose();

 private:
  static void gone(void* self);
  Exchange& ex_;
  std::string key_;
  std::shared_ptr<SharedAnswer> answer_;
  void (*then_)(void* owner);  // what would be told of the departure without it
  void* owner_;
  bool alone_ = false;
};

// Finds the answer that this request shares, or makes its exchange the one that calls for all. Null: it makes its call,
// shared or not.
[[nodiscard]] std::unique_ptr<SharedAnswer::Reader> coalesce(Exchange& ex, const Intake& intake);
// The same for vectors, which are always the same; nothing else that passes untouched is.
[[nodiscard]] std::unique_ptr<SharedAnswer::Reader> coalesce(Exchange& ex, const Errand& errand);

// For a Lead: sleeps until the slowest of the others has caught up, or is not waited for any more. Errors: client_gone.
[[nodiscard]] Task<Result<bool>> wait_for_readers(Exchange& ex);

// Tells the client what the other exchange is told. Errors: client_gone, and those of the call.
[[nodiscard]] Task<Result<bool>> follow(Exchange& ex, SharedAnswer::Reader& reader);

}  // namespace sluice
