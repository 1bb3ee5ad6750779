// A stream's answer without most of its words. Writers of streams have no place for Notes, and what cannot be said does
// not depend on the words: so the writer of whole replies is asked, once, when the stream is over.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "dialects/dialect.h"
#include "model/fold.h"
#include "model/notes.h"

namespace sluice {

class Outline {
 public:
  void add(const Event& event);
  // What `client` cannot say of the answer so far, or says otherwise. Nothing before the End.
  void note(const Dialect& client, const Question& question, Notes& notes);

 private:
  Fold fold_;
  std::vector<std::int64_t> open_;                                 // choices in a block
  std::vector<std::pair<std::int64_t, std::int64_t>> cited_late_;  // choice and block
};

}  // namespace sluice
