// SPDX-License-Identifier: MIT
#define OPENSSL_SUPPRESS_DEPRECATED  // the calls of version 3 allocate for every text
#include "wire/keyed_hash.h"

#include <openssl/sha.h>

#include <cstring>

namespace sluice {
namespace {

constexpr std::size_t block = 64;

template <class State>
void begin(State& state, std::string_view key, unsigned char pad) {
  static_assert(sizeof(SHA256_CTX) == sizeof(State));
  std::array<unsigned char, block> padded;
  padded.fill(pad);
  for (std::size_t i = 0; i < key.size(); ++i) padded.at(i) ^= static_cast<unsigned char>(key[i]);
  SHA256_CTX of;
  SHA256_Init(&of);
  SHA256_Update(&of, padded.data(), padded.size());
  std::memcpy(state.data(), &of, sizeof of);
}

template <class State>
Sha256 go_on(const State& state, std::string_view text) {
  SHA256_CTX of;
  std::memcpy(&of, state.data(), sizeof of);
  SHA256_Update(&of, text.data(), text.size());
  Sha256 out{};
  SHA256_Final(out.data(), &of);
  return out;
}

}  // namespace

KeyedHash::KeyedHash(std::string_view key) {
  const Sha256 shorter = key.size() > block ? sha256(key) : Sha256{};
  if (key.size() > block) key = bytes(shorter);
  begin(inner_, key, 0x36);
  begin(outer_, key, 0x5c);
}

Sha256 KeyedHash::operator()(std::string_view text) const {
  const Sha256 inside = go_on(inner_, text);
  return go_on(outer_, bytes(inside));
}

}  // namespace sluice
