// Arbitrary bytes as every coding: no crash, bounded output, and the same outcome whole or cut.
// SPDX-License-Identifier: MIT
#include <cstdint>
#include <cstdlib>
#include <string>

#include "wire/decoder.h"

namespace {

struct Outcome {
  bool good = true;
  std::string out;
};

Outcome decode(sluice::Coding coding, std::string_view bytes, std::size_t cut) {
  sluice::Decoder decoder(coding, {.bytes = 1 << 20, .ratio = 0});
  Outcome outcome;
  while (!bytes.empty() && outcome.good) {
    const auto piece = bytes.substr(0, cut);
    bytes.remove_prefix(piece.size());
    outcome.good = decoder.feed(piece, outcome.out).has_value();
  }
  outcome.good = outcome.good && decoder.finish();
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const auto coding = static_cast<sluice::Coding>(data[0] % 5);
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const Outcome whole = decode(coding, bytes, bytes.size());
  const Outcome cut = decode(coding, bytes, data[1] % 64U + 1);
  if (whole.out.size() > (1U << 20)) std::abort();
  if (whole.good != cut.good || (whole.good && whole.out != cut.out)) std::abort();
  return 0;
}
