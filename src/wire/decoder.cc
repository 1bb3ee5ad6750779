// SPDX-License-Identifier: MIT
#include "wire/decoder.h"

#include <brotli/decode.h>
#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/text.h"

namespace sluice {

std::optional<Coding> coding(std::string_view content_encoding) {
  const auto name = trim(content_encoding);
  if (name.empty() || iequals(name, "identity")) return Coding::identity;
  if (iequals(name, "gzip") || iequals(name, "x-gzip")) return Coding::gzip;
  if (iequals(name, "deflate")) return Coding::deflate;
  if (iequals(name, "br")) return Coding::br;
  if (iequals(name, "zstd")) return Coding::zstd;
  return std::nullopt;
}

// One library behind one call. step() takes bytes off the front of `in` and writes at `to`; it answers how many bytes
// it wrote, or nullopt when the bytes are not of the coding. Having nothing more to write, it must have taken all of
// `in`.
class Decoder::Engine {
 public:
  virtual ~Engine() = default;
  virtual std::optional<std::size_t> step(std::string_view& in, char* to, std::size_t room) = 0;
  // True between two complete coded bodies, so that the end may come.
  [[nodiscard]] virtual bool whole() const = 0;
};

class Decoder::Identity final : public Engine {
 public:
  std::optional<std::size_t> step(std::string_view& in, char* to, std::size_t room) override {
    const auto size = in.copy(to, room);
    in.remove_prefix(size);
    return size;
  }
  [[nodiscard]] bool whole() const override { return true; }
};

// gzip (members may follow each other) and deflate, which is zlib's form by the standard and bare in some servers.
class Decoder::Zlib final : public Engine {
 public:
  explicit Zlib(bool gzip) : gzip_(gzip) {}
  ~Zlib() override {
    if (begun_) inflateEnd(&stream_);
  }
  std::optional<std::size_t> step(std::string_view& in, char* to, std::size_t room) override {
    if (!begun_ && !begin(in)) return std::nullopt;
    if (whole_ && !in.empty()) {
      if (!gzip_) return std::nullopt;
      inflateReset(&stream_);
      whole_ = false;
    }
    if (whole_) return 0;
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    stream_.avail_in = static_cast<uInt>(std::min<std::size_t>(in.size(), 1U << 30));
    stream_.next_out = reinterpret_cast<Bytef*>(to);
    stream_.avail_out = static_cast<uInt>(room);
    const uInt offered = stream_.avail_in;
    const int answer = inflate(&stream_, Z_SYNC_FLUSH);
    in.remove_prefix(offered - stream_.avail_in);
    if (answer == Z_STREAM_END) {
      whole_ = true;
    } else if (answer != Z_OK && answer != Z_BUF_ERROR) {
      return std::nullopt;
    }
    return room - stream_.avail_out;
  }
  [[nodiscard]] bool whole() const override { return whole_; }

 private:
  bool begin(std::string_view in) {
    // Zlib's form starts with method 8 in the low bits (RFC 1950); no bare block that a compressor writes does.
    const bool bare = !gzip_ && !in.empty() && (in[0] & 0x0f) != 8;
    begun_ = inflateInit2(&stream_, gzip_ ? 15 + 16 : bare ? -15 : 15) == Z_OK;
    return begun_;
  }
  z_stream stream_{};
  bool gzip_;
  bool begun_ = false;
  bool whole_ = false;
};

class Decoder::Brotli final : public Engine {
 public:
  std::optional<std::size_t> step(std::string_view& in, char* to, std::size_t room) override {
    if (whole_) return in.empty() ? std::optional<std::size_t>(0) : std::nullopt;
    std::size_t in_left = in.size(), out_left = room;
    const auto* next_in = reinterpret_cast<const std::uint8_t*>(in.data());
    auto* next_out = reinterpret_cast<std::uint8_t*>(to);
    const auto answer = BrotliDecoderDecompressStream(state_.get(), &in_left, &next_in, &out_left, &next_out, nullptr);
    in.remove_prefix(in.size() - in_left);
    if (answer == BROTLI_DECODER_RESULT_ERROR) return std::nullopt;
    whole_ = answer == BROTLI_DECODER_RESULT_SUCCESS;
    return room - out_left;
  }
  [[nodiscard]] bool whole() const override { return whole_; }

 private:
  struct Free {
    void operator()(BrotliDecoderState* state) const { BrotliDecoderDestroyInstance(state); }
  };
  std::unique_ptr<BrotliDecoderState, Free> state_{BrotliDecoderCreateInstance(nullptr, nullptr, nullptr)};
  bool whole_ = false;
};

class Decoder::Zstd final : public Engine {
 public:
  Zstd() { ZSTD_DCtx_setParameter(state_.get(), ZSTD_d_windowLogMax, 23); }  // 8 MiB, RFC 9659
  std::optional<std::size_t> step(std::string_view& in, char* to, std::size_t room) override {
    if (head_.size() < 4 && !begins_frame(head_ + std::string(in.substr(0, 4 - head_.size())))) return std::nullopt;
    // A frame's first byte goes alone: a frame that is all there would take the library's other path, which judges some
    // malformed frames differently, and what is well formed must not depend on how the network cut it.
    ZSTD_inBuffer input{in.data(), head_.empty() ? std::min<std::size_t>(in.size(), 1) : in.size(), 0};
    ZSTD_outBuffer output{to, room, 0};
    const std::size_t answer = ZSTD_decompressStream(state_.get(), &output, &input);
    if (ZSTD_isError(answer)) return std::nullopt;
    head_.append(in.substr(0, std::min(input.pos, longest_head - head_.size())));
    decoded_ += output.pos;
    in.remove_prefix(input.pos);
    if (input.pos != 0 || output.pos != 0) whole_ = answer == 0;
    if (whole_ && !ends_as_declared()) return std::nullopt;
    return output.pos;
  }
  [[nodiscard]] bool whole() const override { return whole_; }

 private:
  static constexpr std::size_t longest_head = 18;  // ZSTD_FRAMEHEADERSIZE_MAX

  // False when these first bytes, 4 at most, are of neither a frame nor a skippable one (RFC 8878 3.1.1 and 3.1.2): the
  // library would go on to try the formats from before the standard.
  static bool begins_frame(std::string_view bytes) {
    constexpr std::string_view frame = "\x28\xb5\x2f\xfd", skippable_rest = "\x2a\x4d\x18";
    if (bytes.empty() || bytes == frame.substr(0, bytes.size())) return true;
    return (bytes[0] & 0xf0) == 0x50 && bytes.substr(1) == skippable_rest.substr(0, bytes.size() - 1);
  }

  // The library lets a frame pass that ends, by an empty last block, before the size it declared. True also for frames
  // that declare none. Begins the next frame.
  bool ends_as_declared() {
    const auto declared = ZSTD_getFrameContentSize(head_.data(), head_.size());
    const bool good = declared >= ZSTD_CONTENTSIZE_ERROR || declared == decoded_;
    head_.clear();
    decoded_ = 0;
    return good;
  }

  struct Free {
    void operator()(ZSTD_DCtx* state) const { ZSTD_freeDCtx(state); }
  };
  std::unique_ptr<ZSTD_DCtx, Free> state_{ZSTD_createDCtx()};
  std::string head_;           // of the frame being read, at most longest_head bytes
  std::uint64_t decoded_ = 0;  // of that frame
  bool whole_ = false;
};

Decoder::Decoder(Coding coding, DecoderLimits limits) : limits_(limits) {
  switch (coding) {
    case Coding::identity: engine_ = std::make_unique<Identity>(); break;
    case Coding::gzip: engine_ = std::make_unique<Zlib>(true); break;
    case Coding::deflate: engine_ = std::make_unique<Zlib>(false); break;
    case Coding::br: engine_ = std::make_unique<Brotli>(); break;
    case Coding::zstd: engine_ = std::make_unique<Zstd>(); break;
  }
}

Decoder::~Decoder() = default;

Result<void> Decoder::feed(std::string_view piece, std::string& out) {
  if (piece.empty()) return {};
  std::array<char, 16 * 1024> room;
  std::size_t wrote = 0;
  in_ += piece.size();
  do {
    const auto left = piece.size();
    const auto step = engine_->step(piece, room.data(), room.size());
    if (!step || (*step == 0 && piece.size() == left && left != 0))
      return fail(Fault::upstream_broken, "The upstream's reply could not be decompressed.",
                  fmt::format("after {} coded and {} decoded bytes", in_ - piece.size(), out_));
    wrote = *step;
    out_ += wrote;
    if (limits_.bytes != 0 && out_ > limits_.bytes)
      return fail(Fault::upstream_broken, "The upstream's reply is too large once decompressed.",
                  fmt::format("more than {} bytes from {}", limits_.bytes, in_));
    if (limits_.ratio != 0 && out_ > limits_.always && out_ / limits_.ratio >= in_)
      return fail(Fault::upstream_broken, "The upstream's reply is too large once decompressed.",
                  fmt::format("{} bytes from {}: more than {} to 1", out_, in_, limits_.ratio));
    out.append(room.data(), wrote);
  } while (!piece.empty() || wrote == room.size());  // a full room may have hidden more
  return {};
}

Result<void> Decoder::finish() const {
  if (in_ == 0 || engine_->whole()) return {};
  return fail(Fault::upstream_broken, "The upstream's reply ended early.",
              fmt::format("its compressed form is cut off after {} bytes", in_));
}

}  // namespace sluice
