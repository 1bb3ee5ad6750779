// SPDX-License-Identifier: MIT
#include "gateway/guess.h"

#include <algorithm>
#include <array>

namespace sluice {

bool asks_in_text(std::string_view operation) {
  constexpr std::array<std::string_view, 6> texts = {"chat",        "embeddings", "rerank",
                                                     "moderations", "fim",        "responses.compact"};
  return std::ranges::find(texts, operation) != texts.end();
}

std::int64_t guess_tokens(std::string_view body) {
  // A long string without a blank is a picture or the like, of usual size.
  constexpr std::size_t small = 16 * 1024, long_string = 2048, looked_at = 256;
  constexpr std::int64_t picture = 1'000;
  std::int64_t pictures = 0;
  std::size_t text = body.size();
  for (std::size_t at = body.size() > small ? body.find('"') : std::string_view::npos; at != std::string_view::npos;) {
    const std::size_t end = body.find('"', at + 1);
    if (end == std::string_view::npos) break;
    const std::string_view inside = body.substr(at + 1, end - at - 1);
    if (inside.size() > long_string && !inside.substr(0, looked_at).contains(' ')) {
      ++pictures;
      text -= inside.size();
    }
    at = end;
  }
  return static_cast<std::int64_t>(text / 4) + pictures * picture + 1;
}

}  // namespace sluice
