// SPDX-License-Identifier: MIT
#include "dialects/embeddings/codec.h"

namespace sluice {

const EmbeddingCodec* embedding_codec(EmbeddingShape shape) {
  switch (shape) {
    case EmbeddingShape::none:
    case EmbeddingShape::invoked: return nullptr;
    case EmbeddingShape::openai: return &openai_embeddings;
    case EmbeddingShape::gemini: return &gemini_embedding;
    case EmbeddingShape::gemini_batch: return &gemini_embeddings;
    case EmbeddingShape::cohere: return &cohere_embeddings;
    case EmbeddingShape::cohere_v1: return &cohere_embeddings_v1;
    case EmbeddingShape::titan: return &titan_embeddings;
    case EmbeddingShape::nova: return &nova_embeddings;
    case EmbeddingShape::cohere_invoked: return &cohere_embeddings_invoked;
  }
  return nullptr;
}

}  // namespace sluice
