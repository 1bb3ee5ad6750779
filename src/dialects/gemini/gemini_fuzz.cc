// Any bytes as a request, as an answer and as a stream in both framings: nothing crashes, what was read can be written
// and read again, and a stream is legal however its bytes arrive. SPDX-License-Identifier: MIT
#include <cstdint>
#include <string>

#include "dialects/gemini/gemini.h"
#include "model/fold.h"
#include "model/grammar.h"

namespace {

using namespace sluice;

void require(bool holds) {
  if (!holds) __builtin_trap();
}

const Dialect& dialect = gemini::gemini_dialect();
const Question question{.model = "asked", .exchange_id = "exchange"};

void requests(std::string_view body) {
  const Asked asked{.path_model = "gemini-3-pro", .query = body.substr(0, 40), .body = body};
  static_cast<void>(dialect.peek(asked));
  Notes notes;
  auto request = dialect.read_request(asked, notes);
  if (!request) return;
  for (const DialectId origin : {DialectId::gemini, DialectId::openai_chat, DialectId::anthropic}) {
    request->origin = origin;
    for (const std::string_view model : {"gemini-3-pro", "gemini-2.5-flash", "gemini-1.5-flash", "gemini-4-argon"}) {
      const auto written = dialect.write_request(*request, {.model = model, .provider = "gemini"}, notes);
      require(!written || json::valid(written->body));
      require(!written || dialect.read_request({.path_model = "m", .body = written->body}, notes).has_value());
    }
  }
}

void replies(std::string_view body) {
  static_cast<void>(dialect.reply_usage(body));
  static_cast<void>(dialect.read_error(500, body));
  const auto reply = dialect.read_reply(body);
  if (!reply) return;
  Notes notes;
  const std::string written = dialect.write_reply(*reply, question, notes);
  require(json::valid(written));
  require(dialect.read_reply(written).has_value());
}

std::size_t stream(std::string_view bytes, std::string_view content_type, std::size_t step) {
  const auto framer = dialect.framer(content_type);
  const auto reader = dialect.stream_reader();
  const auto watcher = dialect.stream_reader();
  Question asked = question;
  asked.stream_array = content_type == "application/json";
  const auto writer = dialect.stream_writer(asked);
  Grammar grammar;
  std::vector<Event> events;
  std::string out, piece;
  std::size_t count = 0;
  const auto take = [&] {
    for (const Event& event : events) {
      require(grammar.check(event).empty());
      writer->write(event, out);
    }
    count += events.size();
    events.clear();
  };
  bool broken = false;
  while (!bytes.empty() && !broken) {
    piece = bytes.substr(0, step);  // gone when the next one comes
    bytes.remove_prefix(std::min(step, bytes.size()));
    framer->feed(piece);
    auto frame = framer->next();
    for (; frame && *frame; frame = framer->next()) {
      static_cast<void>(watcher->observe(**frame));
      reader->read(**frame, events);
    }
    broken = !frame;
    take();
  }
  if (broken) return count;
  if (auto last = framer->end(); last && *last) reader->read(**last, events);
  reader->end(events);
  take();
  require(grammar.check_end().empty());
  if (asked.stream_array) require(json::valid(out));
  return count;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  requests(bytes);
  replies(bytes);
  for (const std::string_view type : {"text/event-stream", "application/json"}) {
    const std::size_t whole = stream(bytes, type, bytes.size() + 1);
    require(stream(bytes, type, 7) == whole);
  }
  return 0;
}
