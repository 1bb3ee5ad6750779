// SPDX-License-Identifier: MIT
#include "base/crc32c.h"

#include <array>
#include <cstring>

namespace sluice {
namespace {

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t rest = byte;
    for (int bit = 0; bit < 8; ++bit) rest = (rest >> 1) ^ ((rest & 1) != 0 ? 0x82F63B78U : 0U);
    table.at(byte) = rest;
  }
  return table;
}
constexpr auto table = make_table();

#if defined(__x86_64__)
[[gnu::target("sse4.2")]] std::uint32_t by_processor(std::string_view bytes, std::uint32_t before) {
  std::uint64_t crc = ~before;
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; left -= 8, at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, 8);
    crc = __builtin_ia32_crc32di(crc, word);
  }
  auto out = static_cast<std::uint32_t>(crc);
  for (; left > 0; --left, ++at) out = __builtin_ia32_crc32qi(out, static_cast<unsigned char>(*at));
  return ~out;
}
const bool processor_can = __builtin_cpu_supports("sse4.2") != 0;
#endif

}  // namespace

std::uint32_t crc32c_plain(std::string_view bytes, std::uint32_t before) {
  std::uint32_t crc = ~before;
  for (const char c : bytes) crc = (crc >> 8) ^ table.at((crc ^ static_cast<unsigned char>(c)) & 0xFF);
  return ~crc;
}

std::uint32_t crc32c(std::string_view bytes, std::uint32_t before) {
#if defined(__x86_64__)
  if (processor_can) return by_processor(bytes, before);
#endif
  return crc32c_plain(bytes, before);
}

}  // namespace sluice
