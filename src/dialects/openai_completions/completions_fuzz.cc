// Any bytes as a request, a reply and a stream of the first text API. SPDX-License-Identifier: MIT
#include "dialects/fuzz_laws.h"
#include "dialects/openai_completions/openai_completions.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return sluice::fuzz::run(sluice::openai_completions::dialect(), {"text/event-stream"}, data, size);
}
