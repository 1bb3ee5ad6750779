// SPDX-License-Identifier: MIT
#include "dialects/tool_id.h"

#include <algorithm>

namespace sluice {
namespace {

constexpr std::string_view digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

bool alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

// FNV-1a, then a finaliser that spreads short inputs.
std::uint64_t hash(std::string_view text, std::uint64_t seed) {
  std::uint64_t h = 0xcbf29ce484222325ULL ^ seed;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdULL;
  h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53ULL;
  return h ^ (h >> 33);
}

}  // namespace

std::string hash_text(std::string_view text, std::size_t length) {
  std::string out;
  out.reserve(length);
  for (std::uint64_t round = 0; out.size() < length; ++round) {
    std::uint64_t h = hash(text, round * 0x9e3779b97f4a7c15ULL);
    for (int i = 0; i < 8 && out.size() < length; ++i, h /= digits.size()) out += digits[h % digits.size()];
  }
  return out;
}

bool portable_tool_id(std::string_view id) {
  return !id.empty() && id.size() <= 64 &&
         std::ranges::all_of(id, [](char c) { return alphanumeric(c) || c == '_' || c == '-'; });
}

std::string to_portable_tool_id(std::string_view id, std::string_view prefix) {
  if (portable_tool_id(id)) return std::string(id);
  return std::string(prefix) + hash_text(id, 24);
}

std::string history_tool_id(std::string_view prefix, std::size_t turn, std::size_t call, std::string_view name) {
  std::string key = std::to_string(turn) + '/' + std::to_string(call) + '/';
  key += name;
  return std::string(prefix) + hash_text(key, 24);
}

std::string answer_tool_id(std::string_view prefix, std::string_view exchange_id, std::int64_t choice,
                           std::size_t call) {
  std::string key(exchange_id);
  key += '/' + std::to_string(choice) + '/' + std::to_string(call);
  return std::string(prefix) + hash_text(key, 24);
}

std::string mistral_tool_id(std::string_view id) {
  if (id.size() == 9 && std::ranges::all_of(id, alphanumeric)) return std::string(id);
  return hash_text(id, 9);
}

}  // namespace sluice
