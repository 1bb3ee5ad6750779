// How large a picture, a document or a sound is, from its first bytes or from what is usual. Guesses for estimate.h:
// no picture is decoded. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "dialects/token_weights.h"
#include "model/chat.h"

namespace sluice {

struct PictureSize {
  std::int64_t width = 0, height = 0;
  bool operator==(const PictureSize&) const = default;
};
// From the bytes of a PNG, GIF, JPEG or WebP; its beginning is enough. nullopt: not said there.
[[nodiscard]] std::optional<PictureSize> picture_size(std::string_view bytes);

// By the vendor's published rule where the size is known, else what the row says.
[[nodiscard]] std::int64_t picture_tokens(const Media& media, const TokenWeights& row);
// At least 1.
[[nodiscard]] std::int64_t document_pages(const Media& media);
[[nodiscard]] std::int64_t audio_seconds(const Media& media);

}  // namespace sluice
