// Bytes a second of counting: English, code, Chinese, and what has no cut. SPDX-License-Identifier: MIT
#include <benchmark/benchmark.h>

#include <fstream>
#include <iterator>
#include <string>

#include "tokens/encoding.h"

namespace sluice {
namespace {

std::string repeated(std::string_view unit) {
  std::string out;
  while (out.size() < 256 * 1024) out += unit;
  return out;
}

std::string text(int kind) {
  if (kind == 0) {
    std::ifstream in(SLUICE_SOURCE_DIR "/ARCHITECTURE.md");
    return repeated({std::string(std::istreambuf_iterator<char>(in), {})});
  }
  if (kind == 1) {
    std::ifstream in(SLUICE_SOURCE_DIR "/src/tokens/pieces.cc");
    return repeated({std::string(std::istreambuf_iterator<char>(in), {})});
  }
  if (kind == 2) {
    std::ifstream in(SLUICE_SOURCE_DIR "/README.zh-CN.md");
    return repeated({std::string(std::istreambuf_iterator<char>(in), {})});
  }
  return repeated("a");
}

void count(benchmark::State& state) {
  const std::string bytes = text(static_cast<int>(state.range(0)));
  const auto encoding = static_cast<Encoding>(state.range(1));
  for (auto _ : state) benchmark::DoNotOptimize(count_tokens(bytes, encoding));
  state.SetBytesProcessed(state.iterations() * std::ssize(bytes));
}
// English, code, Chinese, one letter without end; o200k and cl100k.
BENCHMARK(count)->ArgsProduct({{0, 1, 2, 3}, {0, 1}})->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sluice
