// Any bytes as a request, as an answer and as a stream of Responses: nothing crashes, what was read can be written and
// read again and is then the same, and a stream is legal however its bytes arrive, here and in the other dialects.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "dialects/held_state.h"
#include "dialects/openai_responses/openai_responses.h"
#include "dialects/registry.h"
#include "model/fold.h"
#include "model/grammar.h"

namespace {

using namespace sluice;

void require(bool holds) {
  if (!holds) __builtin_trap();
}

const Question question{.model = "asked", .exchange_id = "exchange"};

// Read, written, read and written: the second time nothing moves.
void requests(std::string_view body) {
  static_cast<void>(openai_responses::peek(body));
  auto request = openai_responses::read_request(body);
  if (!request) return;
  static_cast<void>(held_elsewhere(*request));
  Notes notes;
  const Destination own{.model = "m", .provider = "compatible", .stream = request->stream};
  const auto written = openai_responses::write_request(*request, own, notes);
  if (written) {
    require(json::valid(*written));
    const auto again = openai_responses::read_request(*written);
    require(again.has_value());
    const auto twice = openai_responses::write_request(*again, own, notes);
    require(twice && json::same(*written, *twice));
  }
  for (const Dialect* other : dialects()) {
    const auto out = other->write_request(*request, {.model = "gpt-5", .provider = "openai"}, notes);
    require(!out || json::valid(out->body));
  }
  // As if another dialect had asked the same.
  request->origin = DialectId::openai_chat;
  const auto foreign = openai_responses::write_request(*request, {.model = "gpt-5", .provider = "openai"}, notes);
  require(!foreign || (json::valid(*foreign) && openai_responses::read_request(*foreign)));
}

void replies(std::string_view body) {
  const Dialect& dialect = openai_responses::dialect();
  static_cast<void>(dialect.reply_usage(body));
  static_cast<void>(dialect.read_error(500, body));
  const auto reply = dialect.read_reply(body);
  if (!reply) return;
  Notes notes;
  const std::string written = dialect.write_reply(*reply, question, notes);
  require(json::valid(written));
  const auto again = dialect.read_reply(written);
  require(again.has_value());
  require(json::same(written, dialect.write_reply(*again, question, notes)));
  for (const Dialect* other : dialects()) require(json::valid(other->write_reply(*reply, question, notes)));
}

std::size_t stream(std::string_view bytes, std::size_t step) {
  const Dialect& dialect = openai_responses::dialect();
  const auto framer = dialect.framer("text/event-stream");
  const auto reader = dialect.stream_reader();
  std::vector<std::unique_ptr<StreamWriter>> writers;
  for (const Dialect* each : dialects()) writers.push_back(each->stream_writer(question));
  Grammar grammar;
  std::vector<Event> events;
  std::string out;
  std::size_t count = 0;
  const auto take = [&] {
    for (const Event& event : events) {
      require(grammar.check(event).empty());
      for (const auto& writer : writers) writer->write(event, out);
    }
    out.clear();
    count += events.size();
    events.clear();
  };
  while (!bytes.empty()) {
    framer->feed(bytes.substr(0, step));
    bytes.remove_prefix(std::min(step, bytes.size()));
    for (auto frame = framer->next(); frame && *frame; frame = framer->next()) reader->read(**frame, events);
    take();
  }
  if (auto last = framer->end(); last && *last) reader->read(**last, events);
  reader->end(events);
  take();
  require(grammar.check_end().empty());
  return count;
}

void watch(std::string_view bytes) {
  const auto framer = openai_responses::dialect().framer("text/event-stream");
  const auto reader = openai_responses::stream_reader();
  framer->feed(bytes);
  for (auto frame = framer->next(); frame && *frame; frame = framer->next()) {
    static_cast<void>(reader->observe(**frame));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  requests(bytes);
  replies(bytes);
  watch(bytes);
  const std::size_t whole = stream(bytes, bytes.size() + 1);
  require(stream(bytes, 7) == whole);
  return 0;
}
