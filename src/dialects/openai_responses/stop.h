// Why an answer ended: a status, a reason when it is incomplete, and what the output holds (protocols/mapping.md
// section 10). SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "base/json.h"
#include "model/reply.h"

namespace sluice::openai_responses {

// What an answer holds that says more than its status.
struct Holds {
  bool calls = false;    // the client has to answer something
  bool refusal = false;  // a refusal in the model's words
};

// Of `status` and `incomplete_details`, as they stand in the response.
[[nodiscard]] Stop read_stop(json::Value status, json::Value detail, const Holds& holds);

struct Ending {
  std::string_view status;  // completed, incomplete …; a view into the Stop or static
  std::string_view detail;  // JSON of incomplete_details
};
// A refusal that the answer does not hold as one would pass for a plain end, so it is told as a filter's.
[[nodiscard]] Ending write_stop(const Stop& stop, const Holds& holds);

}  // namespace sluice::openai_responses
