// Any bytes as a request: no crash, and what was read is written and read again as the same.
// SPDX-License-Identifier: MIT
#include <cstdlib>

#include "dialects/openai_chat/openai_chat.h"

using namespace sluice;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  if (const auto peeked = openai_chat::peek(body)) {
    const auto edits = openai_chat::verbatim_edits(*peeked, {.model = "other", .provider = "openai", .stream = true});
    // Edits inside a nested value refuse what is broken there; the peek does not look.
    if (!json::apply(body, edits) && json::valid(body)) std::abort();
  }
  (void)openai_chat::reply_usage(body);
  (void)openai_chat::read_error(400, body);
  Notes notes;
  if (const auto reply = openai_chat::read_reply(body)) {
    const std::string written = openai_chat::write_reply(*reply, {.model = "m", .exchange_id = "e"}, notes);
    if (!json::valid(written) || !openai_chat::read_reply(written)) std::abort();
  }
  const auto request = openai_chat::read_request(body);
  if (!request) return 0;
  for (const std::string_view provider : {"compatible", "openai", "mistral", "deepseek", "openrouter"}) {
    const auto written = openai_chat::write_request(*request, {.model = request->model, .provider = provider}, notes);
    if (!written) continue;
    if (!json::valid(*written)) std::abort();
    const auto again = openai_chat::read_request(*written);
    if (!again) std::abort();
    if (provider != "compatible") continue;
    // A second trip changes nothing.
    const auto twice = openai_chat::write_request(*again, {.model = request->model, .provider = provider}, notes);
    if (!twice || !json::same(*written, *twice)) std::abort();
  }
  return 0;
}
