// What the codecs of embeddings share: faults, notes, and vectors in the encoding that was asked for.
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "dialects/embeddings/codec.h"

namespace sluice::embeddings {

[[nodiscard]] std::unexpected<Failure> wrong(std::string_view message, std::string_view param);
[[nodiscard]] std::unexpected<Failure> unsupported(std::string_view message, std::string_view param);
[[nodiscard]] std::unexpected<Failure> no_reply(std::string_view detail);

// A vendor's word for what vectors are for.
struct Purpose {
  EmbeddingPurpose purpose;
  std::string_view word;
  bool exact = true;  // else it is the nearest that there is
};

// "/output_dimension" -> "output_dimension", as errors name fields.
[[nodiscard]] std::string_view param(std::string_view pointer);

// Error: bad_request unless it is a whole number above zero.
[[nodiscard]] Result<std::int64_t> read_dimensions(json::Value value, std::string_view param);

// The only text of an input that has no other; its texts joined when it has several, with a Note. Error: unsupported
// for tokens and images, which `who` cannot embed.
[[nodiscard]] Result<std::string> only_text(const EmbeddingRequest& request, const EmbeddingInput& input,
                                            std::string_view who, Notes& notes);
// Error: unsupported when every encoding that was asked for is one that only the model could make. Notes: those that
// are left out.
[[nodiscard]] Result<void> check_encodings(const EmbeddingRequest& request, std::string_view who, Notes& notes);

[[nodiscard]] std::string_view word(EmbeddingTruncate truncate);

// Adds a set; error: upstream_broken when an element is no vector.
[[nodiscard]] Result<void> add_vectors(EmbeddingReply& out, EmbeddingEncoding encoding,
                                       const std::vector<std::string_view>& vectors);
// The number of vectors, which is that of the inputs. Error: upstream_broken.
[[nodiscard]] Result<std::size_t> count(const EmbeddingReply& reply, const EmbeddingQuestion& question);
// One vector, as a JSON value: as it came, or made from floats or base64 in `made`. Error: upstream_broken.
[[nodiscard]] Result<std::string_view> vector(const EmbeddingReply& reply, std::size_t index,
                                              EmbeddingEncoding encoding, std::string& made);

}  // namespace sluice::embeddings
