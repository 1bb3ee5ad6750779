// Parts and stops of a candidate as clients see them: for whole answers and for the chunks of a stream.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/json.h"
#include "model/reply.h"

namespace sluice::gemini {

enum class Written : std::uint8_t {
  yes,
  no,         // the dialect cannot say it; nothing was written
  restated,   // in other words
  malformed,  // a call whose arguments are no object; nothing was written
};

// Ids for calls that came without one: clients of this dialect always get one.
struct PartNames {
  std::string_view exchange_id;
  std::int64_t choice = 0;
  std::size_t calls = 0;
};

// Another vendor's thought that shows nothing, only its proof. It goes without a text, so that it is known again from a
// thought whose text was left out.
[[nodiscard]] bool hidden(const Part& thought);

// One part into the open array.
[[nodiscard]] Written write_part(json::Writer& out, const Part& part, PartNames& names);

// finishReason and finishMessage into the open object. `malformed`: a call had to be left out.
void write_stop(json::Writer& out, const Stop& stop, bool malformed);

}  // namespace sluice::gemini
