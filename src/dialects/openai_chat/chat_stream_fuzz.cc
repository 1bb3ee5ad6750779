// Any bytes as a stream, in any pieces: the grammar holds, and the relay's observer never says complete where the
// reader says failed. SPDX-License-Identifier: MIT
#include <cstdlib>

#include "dialects/openai_chat/openai_chat.h"
#include "model/grammar.h"

using namespace sluice;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t step = 1 + data[0];
  const auto framer = openai_chat::dialect().framer("text/event-stream");
  const auto reader = openai_chat::stream_reader();
  std::vector<Event> events;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    framer->feed(bytes.substr(at, step));
    for (auto frame = framer->next(); frame && *frame; frame = framer->next()) reader->read(**frame, events);
  }
  if (auto last = framer->end(); last && *last) reader->read(**last, events);
  reader->end(events);
  Grammar grammar;
  std::string out;
  const auto writer = openai_chat::stream_writer({.model = "m", .exchange_id = "e"});
  for (const Event& event : events) {
    if (!grammar.check(event).empty()) std::abort();
    writer->write(event, out);
  }
  if (!grammar.check_end().empty()) std::abort();
  return 0;
}
