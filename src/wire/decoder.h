// Content codings taken off as the bytes come: gzip, deflate, br, zstd (RFC 9110 section 8.4.1). What a piece holds is
// handed out with that piece, so a compressed stream of events stays a stream. Bounded: by bytes after decoding and by
// the ratio to the bytes that came. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sluice {

enum class Coding : std::uint8_t { identity, gzip, deflate, br, zstd };

// What a Content-Encoding field names; empty is identity. nullopt for a coding we do not know, or several.
[[nodiscard]] std::optional<Coding> coding(std::string_view content_encoding);

// What to put into Accept-Encoding so that every answer can be decoded.
inline constexpr std::string_view accept_codings = "gzip, deflate, br, zstd";

struct DecoderLimits {
  std::uint64_t bytes = 32 * 1024 * 1024;  // decoded bytes of the whole body; 0 = no limit (a stream that is passed on)
  std::uint64_t ratio = 100;               // decoded to coded bytes, once more than `always` were decoded; 0 = no limit
  std::uint64_t always = 1024 * 1024;
};

// One body.
class Decoder {
 public:
  explicit Decoder(Coding coding, DecoderLimits limits = {});
  ~Decoder();
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  // Decodes everything that `piece` completes and appends it to `out`. Errors: upstream_broken for bytes that are not
  // of this coding, or go over a limit; after an error the body is lost. Memory beyond `out`: one window (at most 16
  // MiB for br, 8 MiB for zstd, 32 KiB for the others).
  [[nodiscard]] Result<void> feed(std::string_view piece, std::string& out);
  // Call at the end of the body. Error: upstream_broken when the coded form is cut off. A body without any byte is
  // whole.
  [[nodiscard]] Result<void> finish() const;

 private:
  class Engine;
  class Identity;
  class Zlib;
  class Brotli;
  class Zstd;
  std::unique_ptr<Engine> engine_;
  DecoderLimits limits_;
  std::uint64_t in_ = 0, out_ = 0;
};

}  // namespace sluice
