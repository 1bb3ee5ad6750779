// By the registries of special-purpose addresses (IANA, RFC 6890) and what clouds keep their metadata at.
// SPDX-License-Identifier: MIT
#include "net/egress.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace sluice::net {
namespace {

struct V4 {
  std::uint32_t first;
  int bits;
  std::string_view what;
};
constexpr std::uint32_t v4(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return a << 24 | b << 16 | c << 8 | d;
}
constexpr std::array v4_rows = std::to_array<V4>({
    {v4(0, 0, 0, 0), 8, "this machine"},
    {v4(10, 0, 0, 0), 8, "private"},
    {v4(100, 100, 100, 200), 32, "metadata of a cloud"},
    {v4(100, 64, 0, 0), 10, "shared by a provider"},
    {v4(127, 0, 0, 0), 8, "loopback"},
    {v4(168, 63, 129, 16), 32, "metadata of a cloud"},
    {v4(169, 254, 0, 0), 16, "link-local"},
    {v4(172, 16, 0, 0), 12, "private"},
    {v4(192, 0, 0, 0), 24, "reserved"},
    {v4(192, 0, 2, 0), 24, "for examples"},
    {v4(192, 88, 99, 0), 24, "reserved"},
    {v4(192, 168, 0, 0), 16, "private"},
    {v4(198, 18, 0, 0), 15, "for measurements"},
    {v4(198, 51, 100, 0), 24, "for examples"},
    {v4(203, 0, 113, 0), 24, "for examples"},
    {v4(224, 0, 0, 0), 4, "multicast"},
    {v4(240, 0, 0, 0), 4, "reserved"},
});

std::string_view judge_v4(std::uint32_t address) {
  const auto holds = [&](const V4& row) { return (address ^ row.first) >> (32 - row.bits) == 0; };
  const auto* const row = std::ranges::find_if(v4_rows, holds);
  return row == v4_rows.end() ? std::string_view() : row->what;
}

struct V6 {
  std::array<std::uint8_t, 16> first;
  int bits;
  std::string_view what;  // empty: an address of IPv4 stands at `inner`
  int inner = 0;
};
constexpr std::array v6_rows = std::to_array<V6>({
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128, "loopback"},
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96, "", 12},  // mapped
    {{0x00, 0x64, 0xff, 0x9b}, 96, "", 12},                    // NAT64
    {{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48, "a translator's"},
    {{0x20, 0x02}, 16, "", 2},  // 6to4
});

bool holds(const V6& row, const std::array<std::uint8_t, 16>& bytes) {
  for (int bit = 0; bit < row.bits; bit += 8) {
    const int left = std::min(8, row.bits - bit);
    const auto at = static_cast<std::size_t>(bit / 8);
    if ((bytes[at] ^ row.first[at]) >> (8 - left) != 0) return false;
  }
  return true;
}

std::uint32_t v4_at(const std::array<std::uint8_t, 16>& bytes, std::size_t at) {
  return v4(bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]);
}

}  // namespace

std::string_view why_not_public(const Address& address) {
  if (!address.v6) return judge_v4(v4_at(address.bytes, 0));
  for (const V6& row : v6_rows) {
    if (!holds(row, address.bytes)) continue;
    return row.what.empty() ? judge_v4(v4_at(address.bytes, static_cast<std::size_t>(row.inner))) : row.what;
  }
  const std::uint8_t first = address.bytes[0], next = address.bytes[1];
  if (first == 0xff) return "multicast";
  if (first == 0xfe && (next & 0xc0) == 0x80) return "link-local";
  if (first == 0xfe && (next & 0xc0) == 0xc0) return "private";  // site-local
  if ((first & 0xfe) == 0xfc) return "private";
  // Global unicast is 2000::/3, and within it some blocks are no addresses of hosts.
  if ((first & 0xe0) != 0x20) return "reserved";
  const int block = address.bytes[2] << 8 | address.bytes[3];
  if (first == 0x20 && next == 0x01 && block < 0x0200) return "reserved";  // Teredo, ORCHID, benchmarking
  if (first == 0x20 && next == 0x01 && block == 0x0db8) return "for examples";
  if (first == 0x3f && next == 0xff && block < 0x1000) return "for examples";
  return {};
}

}  // namespace sluice::net
