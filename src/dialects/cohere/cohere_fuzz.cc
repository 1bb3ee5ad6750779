// Any bytes as a Chat request, as an answer and as a stream: nothing crashes, what was read can be written and read
// again as the same, and a stream is legal however its bytes arrive. SPDX-License-Identifier: MIT
#include <cstdint>
#include <string>

#include "dialects/cohere/cohere.h"
#include "model/fold.h"
#include "model/grammar.h"

namespace {

using namespace sluice;

void require(bool holds) {
  if (!holds) __builtin_trap();
}

const Question question{.model = "asked", .exchange_id = "exchange"};

void requests(std::string_view body) {
  const Dialect& dialect = cohere::cohere_dialect();
  static_cast<void>(dialect.peek({.body = body}));
  Notes notes;
  auto request = dialect.read_request({.body = body}, notes);
  if (!request) return;
  const Destination to{.model = request->model, .provider = "cohere"};
  const auto written = dialect.write_request(*request, to, notes);
  require(!written || json::valid(written->body));
  if (written) {
    const auto again = dialect.read_request({.path_model = "m", .body = written->body}, notes);
    require(again.has_value());
    const auto twice = dialect.write_request(*again, to, notes);
    require(twice && json::same(written->body, twice->body));
  }
  // As if another dialect had asked the same.
  request->origin = DialectId::openai_chat;
  const auto foreign = dialect.write_request(*request, {.model = "command-a-plus", .provider = "cohere"}, notes);
  require(!foreign || json::valid(foreign->body));
  require(!foreign || dialect.read_request({.path_model = "m", .body = foreign->body}, notes).has_value());
}

void replies(std::string_view body) {
  const Dialect& dialect = cohere::cohere_dialect();
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
}

std::size_t stream(std::string_view bytes, std::size_t step) {
  const Dialect& dialect = cohere::cohere_dialect();
  const auto framer = dialect.framer("text/event-stream");
  const auto reader = dialect.stream_reader();
  const auto writer = dialect.stream_writer(question);
  Grammar grammar;
  std::vector<Event> events;
  std::string out;
  std::size_t count = 0;
  const auto take = [&] {
    for (const Event& event : events) {
      require(grammar.check(event).empty());
      writer->write(event, out);
    }
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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  requests(bytes);
  replies(bytes);
  const std::size_t whole = stream(bytes, bytes.size() + 1);
  require(stream(bytes, 7) == whole);
  return 0;
}
