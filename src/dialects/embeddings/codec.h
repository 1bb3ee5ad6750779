// How each vendor asks for vectors and answers with them: read into the canonical embedding and written from it. Pure.
// A request that goes to a backend of its own shape is not read at all. A new shape: a file and a line of codec.cc.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/embedding.h"
#include "model/notes.h"

namespace sluice {

enum class EmbeddingShape : std::uint8_t {
  none,
  openai,        // POST /v1/embeddings
  gemini,        // :embedContent, one vector
  gemini_batch,  // :batchEmbedContents
  cohere,        // POST /v2/embed
  cohere_v1,     // POST /v1/embed
  invoked,       // Bedrock's InvokeModel: one of those below, told by the body's members or the model's name
  titan,         // Amazon's, one vector
  nova,          // Amazon's, one vector
  cohere_invoked,
};

// What a writer of answers must know about the question.
struct EmbeddingQuestion {
  const EmbeddingRequest& asked;
  std::string_view model;  // as the client asked
  std::string_view exchange_id;
};

struct EmbeddingCodec {
  // Errors: bad_request that names the field; unsupported for what only the client's own vendor can do.
  Result<EmbeddingRequest> (*read_request)(std::string_view body, Notes& notes);
  // Error: unsupported when the meaning would be wrong.
  Result<std::string> (*write_request)(const EmbeddingRequest& request, std::string_view model, Notes& notes);
  // `body` must outlive the reply. Error: upstream_broken for what is no reply of this shape.
  Result<EmbeddingReply> (*read_reply)(std::string_view body);
  // Error: upstream_broken for vectors that are none, or not one for each input.
  Result<std::string> (*write_reply)(const EmbeddingReply& reply, const EmbeddingQuestion& question, Notes& notes);
};

// Null for none, and for invoked.
[[nodiscard]] const EmbeddingCodec* embedding_codec(EmbeddingShape shape);

// What a body of InvokeModel asks for; none when it asks for no vectors, or is no object.
[[nodiscard]] EmbeddingShape invoked_shape(std::string_view body);
// The words of a model that Bedrock invokes; none for one that gives no vectors.
[[nodiscard]] EmbeddingShape invoked_shape_of(std::string_view model);

// One per shape; their files are named after the vendors.
extern const EmbeddingCodec openai_embeddings, gemini_embedding, gemini_embeddings, cohere_embeddings,
    cohere_embeddings_v1, titan_embeddings, nova_embeddings, cohere_embeddings_invoked;

}  // namespace sluice
