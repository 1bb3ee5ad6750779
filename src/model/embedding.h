// The canonical embedding: texts, tokens or media in, one vector for each out. Plain data.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "model/reply.h"

namespace sluice {

// How the numbers of a vector are written: as JSON numbers, or the bytes of little-endian float32 in base64; the others
// are quantised by the model.
enum class EmbeddingEncoding : std::uint8_t { floats, base64, int8, uint8, binary, ubinary };

// What the vectors are for. Models embed questions otherwise than what answers them.
enum class EmbeddingPurpose : std::uint8_t {
  query,
  document,
  classification,
  clustering,
  similarity,
  question_answering,
  fact_verification,
  code_query,
};

enum class EmbeddingTruncate : std::uint8_t { none, start, end };  // of an input that is too long; none: an error

struct EmbeddingImage {
  std::string mime;
  std::string base64;
  std::string url;  // instead of both
  bool operator==(const EmbeddingImage&) const = default;
};

// What becomes one vector.
struct EmbeddingInput {
  std::vector<std::variant<std::string, EmbeddingImage>> parts;
  std::vector<std::int64_t> tokens;  // instead of parts
  std::string title;                 // of a document
  bool operator==(const EmbeddingInput&) const = default;
};

struct EmbeddingRequest {
  std::vector<EmbeddingInput> inputs;
  std::optional<std::int64_t> dimensions;
  std::optional<EmbeddingPurpose> purpose;
  std::optional<EmbeddingTruncate> truncate;
  std::vector<EmbeddingEncoding> encodings;  // as asked; none: the shape's own, numbers
  // Where these stand in the source, for notes; empty: the source has no such word, what is set is its rule.
  struct Pointers {
    std::string_view inputs, dimensions, purpose, truncate, encodings, title;
    bool operator==(const Pointers&) const = default;
  } at;
  bool operator==(const EmbeddingRequest&) const = default;
};

// Views into the body that it was read from.
struct EmbeddingReply {
  struct Set {
    EmbeddingEncoding encoding = EmbeddingEncoding::floats;
    std::vector<std::string_view> vectors;  // JSON values, one for each input: arrays of numbers, or strings of base64
  };
  std::string id;
  std::string model;
  std::vector<Set> sets;
  Usage usage;
};

}  // namespace sluice
