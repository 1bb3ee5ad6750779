// SPDX-License-Identifier: MIT
#include "gateway/asset.h"

#include <algorithm>

#include "wire/decoder.h"

namespace sluice {

const Asset* asset(std::string_view path) {
  const auto all = assets();
  const auto found = std::ranges::find(all, path, &Asset::path);
  return found == all.end() ? nullptr : &*found;
}

std::string plain(const Asset& asset) {
  if (!asset.gzip) return std::string(asset.bytes);
  std::string content;
  Decoder decoder(Coding::gzip);
  // Our own bytes decode; a broken build would show in asset_test.
  if (!decoder.feed(asset.bytes, content) || !decoder.finish()) content.clear();
  return content;
}

}  // namespace sluice
