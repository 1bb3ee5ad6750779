// SPDX-License-Identifier: MIT
#include "gateway/asset.h"

#include <span>

namespace sluice {

const Asset* asset(std::string_view path) {
  const std::span<const Asset> all;  // filled when the pages are built
  for (const Asset& one : all) {
    if (one.path == path) return &one;
  }
  return nullptr;
}

}  // namespace sluice
