// SPDX-License-Identifier: MIT
#include "dialects/media_size.h"

#include <algorithm>
#include <string>

#include "base/text.h"

namespace sluice {
namespace {

constexpr std::size_t looked_at = 64 * 1024;       // of base64: a picture's size stands at its beginning
constexpr std::int64_t bytes_of_page = 50 * 1024;  // of a PDF, on average
constexpr std::int64_t unknown_pages = 1, unknown_seconds = 10;

std::int64_t big_endian(std::string_view bytes, std::size_t at, std::size_t size) {
  std::int64_t out = 0;
  for (std::size_t i = 0; i < size; ++i) out = out * 256 + static_cast<unsigned char>(bytes[at + i]);
  return out;
}
std::int64_t little_endian(std::string_view bytes, std::size_t at, std::size_t size) {
  std::int64_t out = 0;
  for (std::size_t i = size; i > 0; --i) out = out * 256 + static_cast<unsigned char>(bytes[at + i - 1]);
  return out;
}

// The frame header among the segments (ITU T.81, B.2.2).
std::optional<PictureSize> jpeg_size(std::string_view bytes) {
  std::size_t at = 2;
  while (at + 9 <= bytes.size()) {
    if (bytes[at] != '\xff') return std::nullopt;
    const auto marker = static_cast<unsigned char>(bytes[at + 1]);
    if (marker == 0xff) {
      ++at;
      continue;
    }
    const bool frame = marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
    if (frame) return PictureSize{.width = big_endian(bytes, at + 7, 2), .height = big_endian(bytes, at + 5, 2)};
    at += 2 + static_cast<std::size_t>(big_endian(bytes, at + 2, 2));
  }
  return std::nullopt;
}

// RFC 9649, 2.5 to 2.7.
std::optional<PictureSize> webp_size(std::string_view bytes) {
  if (bytes.size() < 30) return std::nullopt;
  const std::string_view kind = bytes.substr(12, 4);
  if (kind == "VP8X") return PictureSize{little_endian(bytes, 24, 3) + 1, little_endian(bytes, 27, 3) + 1};
  if (kind == "VP8 ") return PictureSize{little_endian(bytes, 26, 2) & 0x3fff, little_endian(bytes, 28, 2) & 0x3fff};
  if (kind != "VP8L") return std::nullopt;
  const std::int64_t bits = little_endian(bytes, 21, 4);
  return PictureSize{(bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1};
}

std::int64_t bytes_of(const Media& media) {
  return static_cast<std::int64_t>(media.data.size() / 4 * 3);
}

std::int64_t tiles(std::int64_t length, std::int64_t side) {
  return (length + side - 1) / side;
}

// Into a square of `side`, without enlarging.
PictureSize fit(PictureSize size, std::int64_t side) {
  const std::int64_t longest = std::max(size.width, size.height);
  if (longest <= side) return size;
  return {std::max<std::int64_t>(size.width * side / longest, 1),
          std::max<std::int64_t>(size.height * side / longest, 1)};
}

}  // namespace

std::optional<PictureSize> picture_size(std::string_view bytes) {
  std::optional<PictureSize> out;
  if (bytes.starts_with("\x89PNG\r\n\x1a\n") && bytes.size() >= 24) {
    out = PictureSize{big_endian(bytes, 16, 4), big_endian(bytes, 20, 4)};
  } else if (bytes.starts_with("GIF8") && bytes.size() >= 10) {
    out = PictureSize{little_endian(bytes, 6, 2), little_endian(bytes, 8, 2)};
  } else if (bytes.starts_with("\xff\xd8")) {
    out = jpeg_size(bytes);
  } else if (bytes.starts_with("RIFF") && bytes.size() > 12 && bytes.substr(8, 4) == "WEBP") {
    out = webp_size(bytes);
  }
  constexpr std::int64_t largest = 65535;
  if (out && (out->width < 1 || out->height < 1 || out->width > largest || out->height > largest)) return std::nullopt;
  return out;
}

std::int64_t picture_tokens(const Media& media, const TokenWeights& row) {
  if (media.form != MediaForm::base64) return row.picture;
  std::string_view text = std::string_view(media.data).substr(0, looked_at);
  text = text.substr(0, text.size() / 4 * 4);
  const auto bytes = base64_decode(text);
  const auto size = bytes ? picture_size(*bytes) : std::nullopt;
  if (!size) return row.picture;
  switch (row.rule) {
    case PictureRule::area: {  // Claude
      const PictureSize seen = fit(*size, 1568);
      return std::clamp<std::int64_t>(seen.width * seen.height / 750, 1, 1600);
    }
    case PictureRule::tiles_768:  // Gemini
      if (size->width <= 384 && size->height <= 384) return 258;
      return 258 * tiles(size->width, 768) * tiles(size->height, 768);
    case PictureRule::tiles_512: {  // OpenAI: at most 2048 square, then 768 on the short side
      if (media.detail == "low") return 85;
      PictureSize seen = fit(*size, 2048);
      if (const std::int64_t shorter = std::min(seen.width, seen.height); shorter > 768)
        seen = {seen.width * 768 / shorter, seen.height * 768 / shorter};
      return 85 + 170 * tiles(seen.width, 512) * tiles(seen.height, 512);
    }
    case PictureRule::patches_32: {  // OpenAI's small and newer models, by 1.62 in the middle
      constexpr std::int64_t most = 1536;
      return std::min(tiles(size->width, 32) * tiles(size->height, 32), most) * 162 / 100;
    }
    case PictureRule::fixed: break;
  }
  return row.picture;
}

std::int64_t document_pages(const Media& media) {
  if (media.form != MediaForm::base64) return unknown_pages;
  return tiles(std::max<std::int64_t>(bytes_of(media), 1), bytes_of_page);
}

std::int64_t audio_seconds(const Media& media) {
  if (media.form != MediaForm::base64) return unknown_seconds;
  const bool plain = media.mime.contains("wav") || media.mime.contains("pcm");
  const std::int64_t bytes_of_second = media.kind == MediaKind::video ? 128 * 1024 : plain ? 48000 : 16000;
  return tiles(std::max<std::int64_t>(bytes_of(media), 1), bytes_of_second);
}

}  // namespace sluice
