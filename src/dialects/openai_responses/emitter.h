// Events of a stream in this dialect's framing. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::openai_responses {

// One event after the other, numbered.
class Emitter {
 public:
  // Where the next events go; null: nowhere.
  void to(std::string* out) { out_ = out; }
  [[nodiscard]] bool listening() const { return out_ != nullptr; }
  // `members` is what follows type and number, without braces.
  void send(std::string_view type, std::string_view members);
  void comment(std::string_view text);
  // A ready event of this dialect, which gets its number in this stream.
  void forward(std::string_view type, std::string_view raw);

 private:
  std::string* out_ = nullptr;
  std::int64_t sequence_ = 0;
};

}  // namespace sluice::openai_responses
