// What an exchange with Anthropic costs beside its I/O: one event between framing and the client's bytes, a request
// written, a whole answer of about 1 KiB read.
// SPDX-License-Identifier: MIT
#include <benchmark/benchmark.h>

#include "dialects/anthropic/anthropic.h"

namespace sluice::anthropic {
namespace {

constexpr std::string_view opening =
    "event: message_start\n"
    R"(data: {"type":"message_start","message":{"id":"msg_1","model":"m","usage":{"input_tokens":1,"output_tokens":1}}})"
    "\n\nevent: content_block_start\n"
    R"(data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})"
    "\n\n";
constexpr std::string_view delta =
    "event: content_block_delta\n"
    R"(data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" the quick brown fox jumps"}})"
    "\n\n";

enum class Work { observe, read, speak };

void stream(benchmark::State& state, Work work) {
  const auto framer = anthropic_dialect().framer("text/event-stream");
  const auto reader = stream_reader();
  const auto writer = stream_writer({});
  std::vector<Event> events;
  std::string out;
  const auto feed = [&](std::string_view bytes) {
    framer->feed(bytes);
    for (auto frame = framer->next(); frame && *frame; frame = framer->next()) {
      if (work == Work::observe) {
        benchmark::DoNotOptimize(reader->observe(**frame));
      } else {
        reader->read(**frame, events);
      }
    }
    if (work == Work::speak) {
      for (const Event& event : events) writer->write(event, out);
    }
    benchmark::DoNotOptimize(out.data());
    events.clear();
    out.clear();
  };
  feed(opening);
  for (auto _ : state) feed(delta);
}

BENCHMARK_CAPTURE(stream, observe, Work::observe);
BENCHMARK_CAPTURE(stream, read, Work::read);
BENCHMARK_CAPTURE(stream, speak, Work::speak);

void write_a_request(benchmark::State& state) {
  ChatRequest request;
  request.model = "claude-sonnet-4-5";
  request.max_output = 1000;
  for (const Role role : {Role::system, Role::user, Role::assistant, Role::user}) {
    request.turns.push_back({.role = role, .plain_string = true});
    request.turns.back().parts.push_back({.body = Text{.text = std::string(200, 'x')}});
  }
  for (auto _ : state) {
    Notes notes;
    benchmark::DoNotOptimize(write_request(request, {.model = request.model, .provider = "anthropic"}, notes));
  }
}
BENCHMARK(write_a_request);

void read_an_answer(benchmark::State& state) {
  const std::string body =
      R"({"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-5","content":[{"type":"text","text":")" +
      std::string(700, 'x') +
      R"("}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":12,"cache_creation_input_tokens":0,)"
      R"("cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},)"
      R"("output_tokens":90,"service_tier":"standard"}})";
  for (auto _ : state) benchmark::DoNotOptimize(read_reply(body));
}
BENCHMARK(read_an_answer);

}  // namespace
}  // namespace sluice::anthropic
