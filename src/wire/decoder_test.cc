// SPDX-License-Identifier: MIT
#include "wire/decoder.h"

#include <brotli/encode.h>
#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <memory>
#include <vector>

namespace sluice {
namespace {

using Pieces = std::vector<std::string>;

// Each piece is coded and flushed, so that a receiver can have it before the next one exists.
Pieces deflated(const Pieces& pieces, int window_bits) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
  Pieces coded;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    std::string out(pieces[i].size() + 1024, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(pieces[i].data()));
    stream.avail_in = static_cast<uInt>(pieces[i].size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, i + 1 == pieces.size() ? Z_FINISH : Z_SYNC_FLUSH);
    out.resize(out.size() - stream.avail_out);
    coded.push_back(out);
  }
  deflateEnd(&stream);
  return coded;
}

Pieces brotlied(const Pieces& pieces) {
  const std::unique_ptr<BrotliEncoderState, decltype(&BrotliEncoderDestroyInstance)> state(
      BrotliEncoderCreateInstance(nullptr, nullptr, nullptr), BrotliEncoderDestroyInstance);
  Pieces coded;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    std::string out(pieces[i].size() + 1024, '\0');
    const auto* in = reinterpret_cast<const std::uint8_t*>(pieces[i].data());
    auto* to = reinterpret_cast<std::uint8_t*>(out.data());
    std::size_t in_left = pieces[i].size(), out_left = out.size();
    BrotliEncoderCompressStream(state.get(), i + 1 == pieces.size() ? BROTLI_OPERATION_FINISH : BROTLI_OPERATION_FLUSH,
                                &in_left, &in, &out_left, &to, nullptr);
    out.resize(out.size() - out_left);
    coded.push_back(out);
  }
  return coded;
}

Pieces zstded(const Pieces& pieces, int window_log = 0) {
  const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> state(ZSTD_createCCtx(), ZSTD_freeCCtx);
  if (window_log != 0) ZSTD_CCtx_setParameter(state.get(), ZSTD_c_windowLog, window_log);
  Pieces coded;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    std::string out(pieces[i].size() + 1024, '\0');
    ZSTD_inBuffer in{pieces[i].data(), pieces[i].size(), 0};
    ZSTD_outBuffer to{out.data(), out.size(), 0};
    ZSTD_compressStream2(state.get(), &to, &in, i + 1 == pieces.size() ? ZSTD_e_end : ZSTD_e_flush);
    out.resize(to.pos);
    coded.push_back(out);
  }
  return coded;
}

struct Form {
  std::string name;
  Coding coding;
  Pieces (*code)(const Pieces&);
};
const std::vector<Form>& forms() {
  static const std::vector<Form> all = {
      {"identity", Coding::identity, [](const Pieces& p) { return p; }},
      {"gzip", Coding::gzip, [](const Pieces& p) { return deflated(p, 15 + 16); }},
      {"deflate", Coding::deflate, [](const Pieces& p) { return deflated(p, 15); }},
      {"bare deflate", Coding::deflate, [](const Pieces& p) { return deflated(p, -15); }},
      {"br", Coding::br, [](const Pieces& p) { return brotlied(p); }},
      {"zstd", Coding::zstd, [](const Pieces& p) { return zstded(p); }},
  };
  return all;
}

std::string joined(const Pieces& pieces) {
  std::string all;
  for (const auto& piece : pieces) all += piece;
  return all;
}

Pieces events() {
  Pieces pieces;
  for (int i = 0; i < 12; ++i)
    pieces.push_back("data: {\"choices\":[{\"delta\":{\"content\":\"word" + std::to_string(i * 7919) + "\"}}]}\n\n");
  return pieces;
}

TEST(Decoder, HandsOutEachPieceAsSoonAsItCame) {
  for (const auto& form : forms()) {
    Decoder decoder(form.coding);
    const Pieces coded = form.code(events());
    for (std::size_t i = 0; i < coded.size(); ++i) {
      std::string out;
      ASSERT_TRUE(decoder.feed(coded[i], out)) << form.name;
      EXPECT_EQ(out, events()[i]) << form.name;
    }
    EXPECT_TRUE(decoder.finish()) << form.name;
  }
}

TEST(Decoder, AnyCutGivesTheSame) {
  for (const auto& form : forms()) {
    const std::string coded = joined(form.code(events()));
    for (std::size_t size = 1; size <= coded.size(); size = size * 3 / 2 + 1) {
      Decoder decoder(form.coding);
      std::string out;
      for (std::size_t at = 0; at < coded.size(); at += size) ASSERT_TRUE(decoder.feed(coded.substr(at, size), out));
      EXPECT_EQ(out, joined(events())) << form.name << " " << size;
      EXPECT_TRUE(decoder.finish());
    }
  }
}

TEST(Decoder, ACutOffBodyIsNeverWhole) {
  for (const auto& form : forms()) {
    if (form.coding == Coding::identity) continue;
    const std::string coded = joined(form.code(events()));
    for (std::size_t size = 1; size < coded.size(); ++size) {
      Decoder decoder(form.coding);
      std::string out;
      ASSERT_TRUE(decoder.feed(coded.substr(0, size), out)) << form.name;
      const auto end = decoder.finish();
      ASSERT_FALSE(end) << form.name << " " << size;
      EXPECT_EQ(end.error()->fault, Fault::upstream_broken);
    }
  }
}

TEST(Decoder, BytesOfAnotherKindAreAFault) {
  for (const auto& form : forms()) {
    if (form.coding == Coding::identity) continue;
    Decoder decoder(form.coding);
    std::string out;
    const auto fed = decoder.feed("{\"error\":{\"message\":\"this is plain text, not compressed at all\"}}", out);
    EXPECT_FALSE(fed && decoder.finish()) << form.name;
  }
}

TEST(Decoder, WhatFollowsTheEndIsAFaultUnlessTheCodingAllowsIt) {
  for (const auto& form : forms()) {
    const std::string coded = joined(form.code({"first "}));
    const bool may_repeat =
        form.coding == Coding::gzip || form.coding == Coding::zstd || form.coding == Coding::identity;
    Decoder decoder(form.coding);
    std::string out;
    ASSERT_TRUE(decoder.feed(coded, out));
    EXPECT_EQ(decoder.feed(coded, out).has_value(), may_repeat) << form.name;
    if (may_repeat && form.coding != Coding::identity) EXPECT_EQ(out, "first first ") << form.name;
  }
}

TEST(Decoder, StopsBombsAtTheRatio) {
  for (const auto& form : forms()) {
    if (form.coding == Coding::identity) continue;
    const std::string coded = joined(form.code({std::string(8 << 20, '0')}));
    Decoder decoder(form.coding, {.bytes = 0, .ratio = 100, .always = 1 << 20});
    std::string out;
    const auto fed = decoder.feed(coded, out);
    ASSERT_FALSE(fed) << form.name;
    EXPECT_NE(fed.error()->detail.find("100 to 1"), std::string::npos) << fed.error()->detail;
    EXPECT_LE(out.size(), std::max<std::size_t>(coded.size() * 100, 1 << 20) + (16 << 10)) << form.name;
  }
}

TEST(Decoder, StopsAtTheLimitAfterDecoding) {
  for (const auto& form : forms()) {
    const std::string coded = joined(form.code({std::string(100'000, 'x') + "y"}));
    for (const std::uint64_t bytes : {100'001U, 100'000U}) {
      Decoder decoder(form.coding, {.bytes = bytes});
      std::string out;
      EXPECT_EQ(decoder.feed(coded, out).has_value(), bytes == 100'001) << form.name;
      EXPECT_LE(out.size(), bytes) << form.name;
    }
  }
}

TEST(Decoder, RefusesAZstdWindowThatCostsTooMuchMemory) {
  const std::string text(32 << 20, 'x');
  Decoder decoder(Coding::zstd, {.bytes = 0, .ratio = 0});
  std::string out;
  EXPECT_FALSE(decoder.feed(joined(zstded({text, "end"}, 25)), out));
}

// Both heads say a single segment of a declared size. The first frame ends before that size (RFC 8878 3.1.1.1.4), the
// second repeats a byte zero times.
TEST(Decoder, RefusesMalformedZstdFramesHoweverTheyAreCut) {
  for (const std::string& frame : {std::string("\x28\xb5\x2f\xfd\x20\xcc\x01\x00\x00", 9),
                                   std::string("\x28\xb5\x2f\xfd\x20\x00\x00\x00\x00\x03\x00\x00\x00", 13)}) {
    for (std::size_t cut = 1; cut <= frame.size(); ++cut) {
      Decoder decoder(Coding::zstd);
      std::string out;
      const bool first = decoder.feed(frame.substr(0, cut), out).has_value();
      EXPECT_FALSE(first && decoder.feed(frame.substr(cut), out) && decoder.finish()) << cut;
    }
  }
}

TEST(Decoder, RefusesZstdFromBeforeTheStandard) {
  Decoder decoder(Coding::zstd);
  std::string out;
  EXPECT_FALSE(decoder.feed("\x27", out) && decoder.feed("\xb5\x2f\xfd", out));  // version 0.7
}

TEST(Decoder, PassesOverSkippableZstdFrames) {
  const std::string skippable("\x5a\x2a\x4d\x18\x02\x00\x00\x00..", 10);
  Decoder decoder(Coding::zstd);
  std::string out;
  EXPECT_TRUE(decoder.feed(skippable.substr(0, 2), out));
  EXPECT_TRUE(decoder.feed(skippable.substr(2) + joined(zstded({"shown"})) + skippable, out));
  EXPECT_TRUE(decoder.finish());
  EXPECT_EQ(out, "shown");
}

TEST(Decoder, AnEmptyBodyIsWhole) {
  for (const auto& form : forms()) {
    Decoder decoder(form.coding);
    std::string out;
    EXPECT_TRUE(decoder.feed("", out));
    EXPECT_TRUE(decoder.finish()) << form.name;
    EXPECT_TRUE(decoder.feed(joined(form.code({"late"})), out));
    EXPECT_EQ(out, "late");
  }
}

TEST(Codings, AreNamedAsTheFieldHasThem) {
  EXPECT_EQ(coding(""), Coding::identity);
  EXPECT_EQ(coding(" GZIP "), Coding::gzip);
  EXPECT_EQ(coding("x-gzip"), Coding::gzip);
  EXPECT_EQ(coding("deflate"), Coding::deflate);
  EXPECT_EQ(coding("br"), Coding::br);
  EXPECT_EQ(coding("zstd"), Coding::zstd);
  EXPECT_EQ(coding("gzip, br"), std::nullopt);
  EXPECT_EQ(coding("compress"), std::nullopt);
}

}  // namespace
}  // namespace sluice
