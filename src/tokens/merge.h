// The tokens of one piece of text: bytes, of which two neighbours become one as long as any can; the pair with the
// lowest token first, of equal ones the leftmost. SPDX-License-Identifier: MIT
#pragma once

#include <string_view>
#include <vector>

#include "tokens/vocabulary.h"

namespace sluice {

// Memory that is used again from piece to piece.
class Merge {
 public:
  explicit Merge(const Vocabulary& vocabulary) : vocabulary_(vocabulary) {}
  // Good until the next call. The piece is not empty.
  [[nodiscard]] const std::vector<Token>& tokens(std::string_view piece);

 private:
  void start(std::string_view piece);
  void merge_few();
  void merge_many();
  struct Due {
    Token merged;
    std::uint32_t left;
  };
  const Vocabulary& vocabulary_;
  std::vector<Token> tokens_;
  std::vector<Token> merged_;  // what each becomes with the next
  // For long pieces: neighbours by place, and what may be merged, the next at the front of the heap.
  std::vector<std::uint32_t> before_, after_;
  std::vector<Due> due_;
};

}  // namespace sluice
