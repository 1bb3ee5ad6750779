// The keys that callers show, as requests use them: found by the hash of what was shown, or by the id that a signature
// names. The key itself is kept only where signatures are checked with it. Not here: in which field a caller shows it
// (policy/credential.h). SPDX-License-Identifier: MIT
#pragma once

#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/secret.h"
#include "config/config.h"
#include "wire/sha256.h"

namespace sluice {

struct Key {
  std::string name;
  Secret secret;  // of an access key; empty for all others
};

class Keys {
 public:
  Keys() = default;
  Keys(const Keys&) = delete;
  Keys& operator=(const Keys&) = delete;

  // Its name, key and id are nobody's yet.
  void add(const KeySettings& settings);

  [[nodiscard]] bool empty() const { return by_hash_.empty(); }
  // Whose key that is; null when nobody's. One hash, and no time that depends on how much of a key is right.
  [[nodiscard]] const Key* find(std::string_view shown) const;
  // Who signs with that id; null when nobody does.
  [[nodiscard]] const Key* signer(std::string_view access_key_id) const;

 private:
  struct ByHash {
    std::size_t operator()(const Sha256& digest) const {
      std::size_t out = 0;
      std::memcpy(&out, digest.data(), sizeof out);
      return out;
    }
    bool operator()(const Sha256& a, const Sha256& b) const { return same(bytes(a), bytes(b)); }
  };
  std::unordered_map<Sha256, Key, ByHash, ByHash> by_hash_;
  std::unordered_map<std::string, const Key*> by_id_;  // into by_hash_, whose elements stay where they are
};

}  // namespace sluice
