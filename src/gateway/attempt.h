// One attempt at one target: the question in its words, its answer until that has begun well.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "base/result.h"
#include "base/task.h"
#include "gateway/ask.h"
#include "gateway/stages.h"

namespace sluice {

// What it works with, and what it may change of the exchange. Attempts that run at once have a sleeper and a record
// each; their rows stand in the exchange's own record all the same.
struct Try {
  Exchange& ex;
  const Intake& intake;
  const Question& question;
  Ask& ask;
  Company* company;  // null: nobody is kept company meanwhile
  net::Sleeper& sleeper;
  Record& record;        // gets usage, notes, the served model, the stop reason
  std::string& relayed;  // gets field lines of the upstream's answer, also of its refusal
  bool hedge = false;    // besides another attempt
  bool joins = false;    // another call may go on with its stream
  // An answer that a filter stopped is not yet the answer.
  [[nodiscard]] bool sifts() const { return ex.route && ex.route->next_on_filter; }
  // Asked for a number of tokens, not for an answer.
  [[nodiscard]] bool counts() const { return intake.entry.operation == Operation::count_tokens; }
};

// On a strict route nothing of a question may be lost. What is only said in other words, or added, passes.
[[nodiscard]] Result<void> keep_strict(const Exchange& ex, const std::vector<Note>& notes, const Target& target);

// `permit` hears how it ends, or how its stream does. Errors: whatever the target or the way to it did; client_gone
// when the sleeper was cancelled.
[[nodiscard]] Task<Result<Answer>> attempt(const Try& t, const Target& target, Permit permit);

}  // namespace sluice
