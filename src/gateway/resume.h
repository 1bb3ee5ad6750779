// A stream that broke off amid its text, on a route with `resume`: the next target is asked to go on from what was
// said, and its answer is told into the client's open stream. Not here: how two streams become one (joint.h), what is
// asked (dialects/continuation.h). SPDX-License-Identifier: MIT
#pragma once

#include "gateway/stages.h"

namespace sluice {

// Whether the answer to it may be joined from several streams: its stream is then told anew from the beginning.
[[nodiscard]] bool may_be_joined(const Exchange& ex, const Intake& intake);

// Moves what a later call needs into the answer.
void keep_question(Answer& answer, Intake& intake, Plan& plan);

// The answer broke off with this error, which its flight was told. True: its pump takes from another flight now. False:
// nobody can go on with it. Errors: client_gone.
[[nodiscard]] Task<Result<bool>> go_on(Exchange& ex, Answer& answer, const Error& broke, Company* company);

}  // namespace sluice
