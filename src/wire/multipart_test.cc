// SPDX-License-Identifier: MIT
#include "wire/multipart.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

const std::string body =
    "--xyz\r\n"
    "Content-Disposition: form-data; name=\"file\"; filename=\"a --xyz.wav\"\r\n"
    "Content-Type: audio/wav\r\n\r\n"
    "RIFF\r\n-\r\n--xy\r\n\x01more\r\n"
    "--xyz  \r\n"
    "content-disposition: form-data; name=model\r\n\r\n"
    "whisper-1\r\n"
    "--xyz\r\n\r\n"
    "a part without fields\r\n"
    "--xyz--\r\n";

MultipartScan scanned(std::string_view text, std::size_t piece = 4096) {
  MultipartScan scan("xyz", "model");
  for (std::size_t at = 0; at < text.size(); at += piece) scan.feed(text.substr(at, piece));
  return scan;
}

TEST(Multipart, FindsTheFieldHoweverTheBodyIsCut) {
  for (std::size_t piece = 1; piece <= body.size(); ++piece) {
    const MultipartScan scan = scanned(body, piece);
    ASSERT_TRUE(scan.found() && scan.over() && !scan.twice() && !scan.broken()) << piece;
    EXPECT_EQ(scan.value(), "whisper-1") << piece;
    EXPECT_EQ(body.substr(scan.value_at(), scan.value().size()), "whisper-1") << piece;
  }
}

TEST(Multipart, TheValueIsKnownBeforeTheBodyIsOver) {
  const std::string begin =
      "--xyz\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\ngpt-image-1\r\n--xyz\r\nContent-Dispo";
  const MultipartScan scan = scanned(begin);
  EXPECT_TRUE(scan.found() && !scan.over());
  EXPECT_EQ(scan.value(), "gpt-image-1");
}

TEST(Multipart, AFieldThatStandsTwiceIsSeen) {
  const std::string part = "--xyz\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\na\r\n";
  EXPECT_TRUE(scanned(part + part + "--xyz--\r\n", 3).twice());
}

TEST(Multipart, OnlyTheNamedFieldCounts) {
  const std::string text =
      "--xyz\r\nContent-Disposition: form-data; name=\"remodel\"; x=\"name=model\"\r\n\r\na\r\n"
      "--xyz\r\nContent-Type: text/plain; name=\"model\"\r\n\r\nb\r\n--xyz--";
  const MultipartScan scan = scanned(text);
  EXPECT_TRUE(scan.over() && !scan.found());
  EXPECT_TRUE(
      scanned("--xyz\r\nContent-Disposition: form-data; filename=\"a\\\"; name=b\"; name=\"model\"\r\n\r\nc\r\n--xyz--")
          .found());
}

TEST(Multipart, WhatTwoReadersWouldFrameInTwoWaysIsBroken) {
  EXPECT_TRUE(scanned("preamble\r\n--xyz\r\n\r\n").broken());
  EXPECT_TRUE(scanned("--xyz\nContent-Disposition: form-data; name=\"model\"\n\na\n--xyz--").broken());
  EXPECT_TRUE(scanned("--xyz\r\n\r\na\r\n--xyzzy\r\n\r\nb\r\n--xyz--").broken());
  EXPECT_TRUE(scanned("--xyz" + std::string(100, ' ') + "\r\n").broken());
  EXPECT_TRUE(scanned("--xyz\r\nA: " + std::string(20'000, 'b')).broken());
  EXPECT_TRUE(
      scanned("--xyz\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n" + std::string(3000, 'm')).broken());
}

TEST(Multipart, ABoundaryIsReadFromItsField) {
  EXPECT_EQ(multipart_boundary("multipart/form-data; boundary=xyz"), "xyz");
  EXPECT_EQ(multipart_boundary("Multipart/Form-Data; charset=utf-8; BOUNDARY=\"a b;c\""), "a b;c");
  EXPECT_FALSE(multipart_boundary("multipart/mixed; boundary=xyz"));
  EXPECT_FALSE(multipart_boundary("multipart/form-data"));
  EXPECT_FALSE(multipart_boundary("multipart/form-data; boundary=\"never closed"));
  EXPECT_FALSE(multipart_boundary("multipart/form-data; boundary=" + std::string(71, 'b')));
}

TEST(Multipart, LongContentIsNotKept) {
  MultipartScan scan("xyz", "model");
  scan.feed("--xyz\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n");
  const std::string piece(64 * 1024, '\r');
  for (int i = 0; i < 64; ++i) scan.feed(piece);
  scan.feed("\r\n--xyz\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n--xyz--");
  EXPECT_EQ(scan.value(), "m");
}

}  // namespace
}  // namespace sluice
