// Any bytes as a request, a reply and a stream of Messages. SPDX-License-Identifier: MIT
#include "dialects/anthropic/anthropic.h"
#include "dialects/fuzz_laws.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return sluice::fuzz::run(sluice::anthropic::anthropic_dialect(), {"text/event-stream"}, data, size);
}
