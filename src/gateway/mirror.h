// A copy of a request for another target, in the background: its answer is thrown away, its cost recorded. It has all
// it needs of its own, for it may outlive the exchange that it is a copy of; that one never waits for it.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "base/task.h"
#include "gateway/attempt.h"
#include "gateway/exchange.h"
#include "gateway/stages.h"
#include "policy/mirrors.h"

namespace sluice {

class Mirror {
 public:
  // Copies what it needs.
  Mirror(const Try& of, Target target, Permit permit, Mirrors::Copy copy);
  Mirror(const Mirror&) = delete;
  Mirror& operator=(const Mirror&) = delete;

  // Runs until its answer is over; the worker then buries it.
  void start();
  // Ends it soon.
  void cancel() { sleeper_.cancel(); }

 private:
  Task<void> run();
  [[nodiscard]] Task<Result<bool>> ask();
  [[nodiscard]] Result<void> pay();

  net::Sleeper sleeper_;
  net::ServerConnection nobody_;  // the client that it has not
  Entry entry_;
  std::string body_, fields_;  // what the intake's views point to
  Intake intake_;
  Exchange ex_;
  Target target_;
  Permit permit_;
  Mirrors::Copy copy_;
  Task<void> task_;
};

// Sends the copies that the exchange's route wants of this question. The call of the exchange itself has begun when
// they do.
void mirror(const Try& t);

}  // namespace sluice
