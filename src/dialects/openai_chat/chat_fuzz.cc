// Any bytes as a request, a reply and a stream of Chat Completions. SPDX-License-Identifier: MIT
#include "dialects/fuzz_laws.h"
#include "dialects/openai_chat/openai_chat.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return sluice::fuzz::run(sluice::openai_chat::dialect(), {"text/event-stream"}, data, size);
}
