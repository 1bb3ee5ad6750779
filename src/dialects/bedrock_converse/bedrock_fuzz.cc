// Any bytes as a Converse request, as an answer and as a stream's events (a JSON object {"name": payload} a line: the
// binary frames around them have a fuzzer of their own): nothing crashes, what was read can be written and read again,
// and a stream is legal. SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdint>
#include <string>

#include "dialects/anthropic/chunk_framer.h"
#include "dialects/bedrock_converse/bedrock_converse.h"
#include "model/fold.h"
#include "model/grammar.h"
#include "wire/aws_eventstream.h"

namespace {

using namespace sluice;

void require(bool holds) {
  if (!holds) __builtin_trap();
}

const Dialect& bedrock() {
  return bedrock_converse::bedrock_dialect();
}
const Question question{.model = "asked", .exchange_id = "exchange"};

void requests(std::string_view body) {
  static_cast<void>(bedrock().peek({.path_model = "m", .body = body}));
  Notes notes;
  auto request = bedrock().read_request({.path_model = "m", .body = body}, notes);
  if (!request) return;
  // As it was said, and as if another dialect had asked the same.
  for (const DialectId origin : {DialectId::bedrock_converse, DialectId::openai_chat}) {
    request->origin = origin;
    for (const std::string_view model : {"m", "us.anthropic.claude-sonnet-4-5", "anthropic.claude-opus-5-5",
                                         "amazon.nova-2-lite-v1:0", "mistral.large", "meta.llama3"}) {
      const auto written = bedrock().write_request(*request, {.model = model, .provider = "bedrock"}, notes);
      require(!written || json::valid(written->body));
      require(!written || bedrock().read_request({.path_model = "m", .body = written->body}, notes).has_value());
    }
  }
}

void replies(std::string_view body) {
  static_cast<void>(bedrock().reply_usage(body));
  static_cast<void>(bedrock().read_error(500, body, "ModelErrorException"));
  const auto reply = bedrock().read_reply(body);
  if (!reply) return;
  Notes notes;
  const std::string written = bedrock().write_reply(*reply, question, notes);
  require(json::valid(written));
  require(bedrock().read_reply(written).has_value());
}

// Reads a stream and writes it anew: the writer's bytes. Empty: it failed.
std::string retold(std::string_view bytes) {
  const auto framer = bedrock().framer({});
  const auto reader = bedrock().stream_reader();
  const auto writer = bedrock().stream_writer(question);
  Grammar grammar;
  std::vector<Event> events;
  std::string out;
  framer->feed(bytes);
  for (auto frame = framer->next(); frame && *frame; frame = framer->next()) reader->read(**frame, events);
  reader->end(events);
  for (const Event& event : events) {
    require(grammar.check(event).empty());
    writer->write(event, out);
  }
  require(grammar.check_end().empty());
  return std::holds_alternative<Failed>(events.back()) ? std::string() : out;
}

void streams(std::string_view lines) {
  std::string bytes, chunks;
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(line.size() + 1, lines.size()));
    json::Document doc;
    const auto root = doc.parse(line);
    if (!root || root->size() == 0) continue;
    const auto [name, payload] = *root->members().begin();
    static_cast<void>(aws_eventstream::append_event(bytes, name, payload.raw()));
    static_cast<void>(aws_eventstream::append_event(chunks, "chunk", line));
  }
  const std::string once = retold(bytes);
  if (!once.empty()) require(!retold(once).empty());
  anthropic::ChunkFramer framer;
  framer.feed(chunks);
  for (auto frame = framer.next(); frame && *frame; frame = framer.next()) require(!(*frame)->raw.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  requests(bytes);
  replies(bytes);
  streams(bytes);
  return 0;
}
