// SPDX-License-Identifier: MIT
#include "config/keys.h"

namespace sluice {

void Keys::add(const KeySettings& settings) {
  Key key{.name = settings.name};
  if (!settings.access_key_id.empty()) key.secret = settings.key;
  const auto added = by_hash_.emplace(sha256(settings.key.reveal()), std::move(key)).first;
  if (!settings.access_key_id.empty()) by_id_.emplace(settings.access_key_id, &added->second);
}

const Key* Keys::find(std::string_view shown) const {
  const auto found = by_hash_.find(sha256(shown));
  return found == by_hash_.end() ? nullptr : &found->second;
}

const Key* Keys::signer(std::string_view access_key_id) const {
  const auto found = by_id_.find(std::string(access_key_id));
  return found == by_id_.end() ? nullptr : found->second;
}

}  // namespace sluice
