// One line per dialect. SPDX-License-Identifier: MIT
#include "dialects/registry.h"

#include <vector>

#include "dialects/anthropic/anthropic.h"
#include "dialects/bedrock_converse/bedrock_converse.h"
#include "dialects/cohere/cohere.h"
#include "dialects/gemini/gemini.h"
#include "dialects/openai_chat/openai_chat.h"
#include "dialects/openai_completions/openai_completions.h"
#include "dialects/openai_responses/openai_responses.h"

namespace sluice {
namespace {

const std::vector<const Dialect*>& list() {
  static const std::vector<const Dialect*> all = {
      &openai_chat::dialect(),        &openai_responses::dialect(), &anthropic::anthropic_dialect(),
      &gemini::gemini_dialect(),      &cohere::cohere_dialect(),    &bedrock_converse::bedrock_dialect(),
      &openai_completions::dialect(),
  };
  return all;
}

}  // namespace

std::span<const Dialect* const> dialects() {
  return list();
}

const Dialect* dialect(DialectId id) {
  for (const Dialect* one : list()) {
    if (one->id() == id) return one;
  }
  return nullptr;
}

const Dialect* dialect(std::string_view name) {
  for (const Dialect* one : list()) {
    if (one->name() == name) return one;
  }
  return nullptr;
}

}  // namespace sluice
