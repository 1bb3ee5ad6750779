// Any bytes, cut and merged: every piece ends behind its beginning and inside the text, a count is that of the tokens,
// and a long piece is merged as the rule says. SPDX-License-Identifier: MIT
#include <cstdint>

#include "tokens/encoding.h"
#include "tokens/merge.h"
#include "tokens/pieces.h"

namespace {

void require(bool holds) {
  if (!holds) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice;
  if (size > 4096) return -1;  // long texts are many short pieces, and would take all of the time
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const Encoding encoding : {Encoding::o200k, Encoding::cl100k}) {
    for (std::size_t at = 0; at < size;) {
      const std::size_t end = piece_end(text, at, encoding);
      require(end > at && end <= size);
      at = end;
    }
    const auto tokens = encode(text, encoding);
    require(count_tokens(text, encoding) == std::ssize(tokens) && tokens.size() <= size);
    // Nothing that has been left can be merged within its piece.
    if (size == 0) continue;
    const Vocabulary& words = vocabularies[static_cast<std::size_t>(encoding)];
    Merge merge(words);
    const auto& whole = merge.tokens(text);
    for (std::size_t i = 0; i + 1 < whole.size(); ++i) require(words.merged(whole[i], whole[i + 1]) == no_token);
  }
  return 0;
}
