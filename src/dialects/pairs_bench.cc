// What a translation costs beside its I/O, for each pair of dialects: the client's request of about 1 KB read and
// written for the upstream, the upstream's reply read and written for the client. The requests and replies are those of
// the whole benchmark (bench/). Allocations are exact: a run counts the same as the next.
// SPDX-License-Identifier: MIT
#include <bench/manners.h>
#include <bench/prompt.h>
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <new>
#include <string>

#include "dialects/registry.h"

namespace {

std::uint64_t allocations = 0, allocated = 0;

void* count(std::size_t size) {
  ++allocations;
  allocated += size;
  void* memory = std::malloc(size);
  if (memory == nullptr) std::abort();
  return memory;
}

}  // namespace

void* operator new(std::size_t size) {
  return count(size);
}
void* operator new[](std::size_t size) {
  return count(size);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace {

using namespace sluice;

struct Side {
  const bench::Manner* manner;
  const Dialect* dialect;
};

// One exchange between them.
class Exchange {
 public:
  Exchange(Side client, Side upstream, const bench::Prompt& prompt) : client_(client), upstream_(upstream) {
    const bench::Request request = bench::make_body(*client.manner, prompt);
    body_ = request.before + "00000000" + request.after;
    bench::Ask ask{.model = std::string(model_)};
    ask.tag.fill('0');
    answer_ = upstream.manner->whole(ask, bench::reply_text(ask));
    if (!once()) std::abort();
  }

  bool once() const {
    Notes notes;
    auto request = client_.dialect->read_request(asked(), notes);
    if (!request) return false;
    const auto written = upstream_.dialect->write_request(
        *request, {.model = model_, .provider = upstream_.dialect->name(), .stream = false}, notes);
    if (!written) return false;
    benchmark::DoNotOptimize(written->body.data());
    const auto reply = upstream_.dialect->read_reply(answer_);
    if (!reply) return false;
    const std::string out = client_.dialect->write_reply(
        *reply, {.model = model_, .exchange_id = "req_0123456789abcdef0123456789", .unix_seconds = 1700000000}, notes);
    benchmark::DoNotOptimize(out.data());
    return true;
  }

 private:
  [[nodiscard]] Asked asked() const { return {.path_model = model_, .headers = fields_, .body = body_}; }

  static constexpr std::string_view model_ = "some-model";
  static constexpr HeaderView fields_[] = {{"anthropic-version", "2023-06-01"}};
  Side client_, upstream_;
  std::string body_, answer_;
};

void run(benchmark::State& state, Side client, Side upstream, const bench::Prompt& prompt) {
  const Exchange exchange(client, upstream, prompt);
  const std::uint64_t before = allocations, bytes = allocated;
  exchange.once();
  const auto once = static_cast<double>(allocations - before), size = static_cast<double>(allocated - bytes);
  for (auto _ : state) exchange.once();
  state.counters["allocations"] = once;
  state.counters["bytes"] = size;
}

const int registered = [] {
  for (const bench::Manner* from : bench::manners) {
    for (const bench::Manner* to : bench::manners) {
      const Side client{from, dialect(from->name())}, upstream{to, dialect(to->name())};
      const std::string name = std::string(from->name()) + "/" + std::string(to->name());
      benchmark::RegisterBenchmark(name.c_str(), run, client, upstream, bench::Prompt{.model = "some-model"});
    }
  }
  return 0;
}();

}  // namespace
