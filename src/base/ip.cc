// SPDX-License-Identifier: MIT
#include "base/ip.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace sluice {
namespace {

// "127.0.0.1": four decimal numbers, no other spelling.
std::optional<std::uint32_t> parse_v4(std::string_view text) {
  std::uint32_t address = 0, number = 0;
  int dots = 0, digits = 0;
  for (const char c : text) {
    if (c == '.') {
      if (digits == 0 || number > 255 || ++dots > 3) return std::nullopt;
      address = address << 8 | number;
      number = 0;
      digits = 0;
    } else {
      if (c < '0' || c > '9' || digits == 3 || (digits == 1 && number == 0)) return std::nullopt;
      number = number * 10 + static_cast<std::uint32_t>(c - '0');
      ++digits;
    }
  }
  if (dots != 3 || digits == 0 || number > 255) return std::nullopt;
  return address << 8 | number;
}

using Groups = std::array<std::uint16_t, 8>;

// The groups of one side of "::", appended at `size`; false when they are not well-formed or too many.
bool read_groups(std::string_view side, Groups& groups, std::size_t& size) {
  while (!side.empty()) {
    const auto end = std::min(side.find(':'), side.size());
    const auto part = side.substr(0, end);
    if (const auto v4 = parse_v4(part); v4 && end == side.size() && size <= 6) {
      groups[size++] = static_cast<std::uint16_t>(*v4 >> 16);
      groups[size++] = static_cast<std::uint16_t>(*v4);
      return true;
    }
    if (size == groups.size() || part.size() > 4) return false;
    const auto [stop, error] = std::from_chars(part.data(), part.data() + part.size(), groups[size++], 16);
    if (error != std::errc{} || stop != part.data() + part.size()) return false;
    if (end == side.size()) return true;
    side.remove_prefix(end + 1);
    if (side.empty()) return false;  // a colon with nothing behind it
  }
  return true;
}

std::optional<Groups> parse_v6(std::string_view text) {
  Groups head{}, tail{}, all{};
  std::size_t before = 0, after = 0;
  const auto gap = text.find("::");
  if (!read_groups(text.substr(0, gap), head, before)) return std::nullopt;
  if (gap == std::string_view::npos) return before == 8 ? std::optional(head) : std::nullopt;
  if (!read_groups(text.substr(gap + 2), tail, after) || before + after > 7) return std::nullopt;
  std::copy_n(head.begin(), before, all.begin());
  std::copy_n(tail.begin(), after, all.end() - static_cast<std::ptrdiff_t>(after));
  return all;
}

// The group with its bits behind `bits` of the address dropped.
std::uint16_t kept(std::uint16_t group, int place, int bits) {
  const int own = std::clamp(bits - 16 * place, 0, 16);
  return static_cast<std::uint16_t>(group & ~((1U << (16 - own)) - 1));
}

}  // namespace

bool Ip::v4() const {
  return groups[5] == 0xffff && std::all_of(groups.begin(), groups.begin() + 5, [](auto group) { return group == 0; });
}

bool Ip::loopback() const {
  return v4() ? groups[6] >> 8 == 127 : groups == Groups{0, 0, 0, 0, 0, 0, 0, 1};
}

std::optional<Ip> parse_ip(std::string_view text) {
  if (const auto v4 = parse_v4(text))
    return Ip{{0, 0, 0, 0, 0, 0xffff, static_cast<std::uint16_t>(*v4 >> 16), static_cast<std::uint16_t>(*v4)}};
  if (const auto v6 = parse_v6(text)) return Ip{*v6};
  return std::nullopt;
}

std::string write_ip(const Ip& ip) {
  const auto& g = ip.groups;
  if (ip.v4()) return fmt::format("{}.{}.{}.{}", g[6] >> 8, g[6] & 0xff, g[7] >> 8, g[7] & 0xff);
  return fmt::format("{:x}:{:x}:{:x}:{:x}:{:x}:{:x}:{:x}:{:x}", g[0], g[1], g[2], g[3], g[4], g[5], g[6], g[7]);
}

bool Network::contains(const Ip& ip) const {
  for (int i = 0; i < 8; ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (kept(ip.groups[at], i, bits) != first.groups[at]) return false;
  }
  return true;
}

std::optional<Network> parse_network(std::string_view text) {
  const auto slash = text.find('/');
  const auto ip = parse_ip(text.substr(0, slash));
  if (!ip) return std::nullopt;
  Network out{.first = *ip};
  if (slash == std::string_view::npos) return out;
  const std::string_view length = text.substr(slash + 1);
  const bool dotted = text.substr(0, slash).find(':') == std::string_view::npos;
  int bits = 0;
  const auto [stop, error] = std::from_chars(length.data(), length.data() + length.size(), bits);
  const bool digits = !length.empty() && length[0] >= '0' && length[0] <= '9';
  if (!digits || error != std::errc{} || stop != length.data() + length.size()) return std::nullopt;
  if (bits > (dotted ? 32 : 128)) return std::nullopt;
  out.bits = dotted ? 96 + bits : bits;
  for (int i = 0; i < 8; ++i) {
    auto& group = out.first.groups[static_cast<std::size_t>(i)];
    group = kept(group, i, out.bits);
  }
  return out;
}

std::string write_network(const Network& network) {
  if (network.bits == 128) return write_ip(network.first);
  const bool dotted = network.first.v4() && network.bits >= 96;
  return fmt::format("{}/{}", write_ip(network.first), dotted ? network.bits - 96 : network.bits);
}

}  // namespace sluice
