// SPDX-License-Identifier: MIT
#include "dialects/media_type.h"

#include <array>

namespace sluice {
namespace {

struct Magic {
  std::string_view start, mime;
};
constexpr std::array magics = std::to_array<Magic>({{"iVBORw0", "image/png"},
                                                    {"/9j/", "image/jpeg"},
                                                    {"R0lGOD", "image/gif"},
                                                    {"UklGR", "image/webp"},
                                                    {"JVBERi", "application/pdf"}});

}  // namespace

std::string_view media_type_of(std::string_view base64) {
  for (const Magic& magic : magics) {
    if (base64.starts_with(magic.start)) return magic.mime;
  }
  return {};
}

}  // namespace sluice
