// Any bytes as a request, a reply and a stream of Responses. SPDX-License-Identifier: MIT
#include "dialects/fuzz_laws.h"
#include "dialects/openai_responses/openai_responses.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return sluice::fuzz::run(sluice::openai_responses::dialect(), {"text/event-stream"}, data, size);
}
