// Any bytes as a request, a reply and a stream of Cohere's Chat. SPDX-License-Identifier: MIT
#include "dialects/cohere/cohere.h"
#include "dialects/fuzz_laws.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return sluice::fuzz::run(sluice::cohere::cohere_dialect(), {"text/event-stream"}, data, size);
}
