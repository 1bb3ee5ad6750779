// Any bytes as a request, a reply and a stream of Gemini, in both framings. SPDX-License-Identifier: MIT
#include "dialects/fuzz_laws.h"
#include "dialects/gemini/gemini.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return sluice::fuzz::run(sluice::gemini::gemini_dialect(), {"text/event-stream", "application/json"}, data, size);
}
