// The rows. Sources: the vendors' published API descriptions. SPDX-License-Identifier: MIT
#include "gateway/operations.h"

#include <algorithm>
#include <array>

namespace sluice {
namespace {

using enum DialectId;
using enum ModelPlace;

constexpr std::string_view objects = "GET, POST, DELETE";
constexpr std::string_view every = "GET, POST, PUT, PATCH, DELETE";

// Anthropic's rows stand before OpenAI's on the same path: a request is theirs when it names anthropic-version.
constexpr std::array rows = std::to_array<VendorOperation>({
    {.name = "embeddings",
     .methods = "POST",
     .pattern = "/v1/embeddings",
     .model = body,
     .embeds = EmbeddingShape::openai},
    {.name = "images.generations", .methods = "POST", .pattern = "/v1/images/generations", .model = body},
    {.name = "images.edits", .methods = "POST", .pattern = "/v1/images/edits", .model = body},
    {.name = "images.variations", .methods = "POST", .pattern = "/v1/images/variations", .model = body},
    {.name = "audio.speech", .methods = "POST", .pattern = "/v1/audio/speech", .model = body},
    {.name = "audio.transcriptions", .methods = "POST", .pattern = "/v1/audio/transcriptions", .model = body},
    {.name = "audio.translations", .methods = "POST", .pattern = "/v1/audio/translations", .model = body},
    {.name = "moderations", .methods = "POST", .pattern = "/v1/moderations", .model = body},
    {.name = "rerank", .methods = "POST", .pattern = "/v1/rerank", .model = body, .also = cohere},
    {.name = "files", .methods = objects, .pattern = "/v1/files*", .dialect = anthropic},
    {.name = "files", .methods = objects, .pattern = "/v1/files*"},
    {.name = "batches", .methods = "GET, POST", .pattern = "/v1/batches*"},
    {.name = "uploads", .methods = "POST", .pattern = "/v1/uploads*"},
    {.name = "responses.compact",
     .methods = "POST",
     .pattern = "/v1/responses/compact",
     .dialect = openai_responses,
     .model = body},
    {.name = "responses", .methods = objects, .pattern = "/v1/responses*", .dialect = openai_responses},
    {.name = "conversations", .methods = objects, .pattern = "/v1/conversations*", .dialect = openai_responses},
    {.name = "videos", .methods = "POST", .pattern = "/v1/videos", .model = body, .kept = true},
    {.name = "videos", .methods = objects, .pattern = "/v1/videos*"},
    {.name = "containers", .methods = objects, .pattern = "/v1/containers*"},
    {.name = "ocr", .methods = "POST", .pattern = "/v1/ocr", .model = body},
    {.name = "fim", .methods = "POST", .pattern = "/v1/fim/completions", .model = body},
    {.name = "vector_stores", .methods = objects, .pattern = "/v1/vector_stores*"},
    {.name = "fine_tuning", .methods = objects, .pattern = "/v1/fine_tuning*"},

    {.name = "embeddings",
     .methods = "POST",
     .pattern = "/openai/deployments/{model}/embeddings",
     .model = path,
     .below = "/embeddings",
     .embeds = EmbeddingShape::openai},
    {.name = "images.generations",
     .methods = "POST",
     .pattern = "/openai/deployments/{model}/images/generations",
     .model = path,
     .below = "/images/generations"},
    {.name = "images.edits",
     .methods = "POST",
     .pattern = "/openai/deployments/{model}/images/edits",
     .model = path,
     .below = "/images/edits"},
    {.name = "audio.speech",
     .methods = "POST",
     .pattern = "/openai/deployments/{model}/audio/speech",
     .model = path,
     .below = "/audio/speech"},
    {.name = "audio.transcriptions",
     .methods = "POST",
     .pattern = "/openai/deployments/{model}/audio/transcriptions",
     .model = path,
     .below = "/audio/transcriptions"},
    {.name = "audio.translations",
     .methods = "POST",
     .pattern = "/openai/deployments/{model}/audio/translations",
     .model = path,
     .below = "/audio/translations"},

    {.name = "batches", .methods = objects, .pattern = "/v1/messages/batches*", .dialect = anthropic},
    {.name = "skills", .methods = objects, .pattern = "/v1/skills*", .dialect = anthropic},

    {.name = "embeddings",
     .methods = "POST",
     .pattern = "/v1beta/models/{model}:embedContent",
     .dialect = gemini,
     .model = path,
     .embeds = EmbeddingShape::gemini},
    {.name = "embeddings",
     .methods = "POST",
     .pattern = "/v1beta/models/{model}:batchEmbedContents",
     .dialect = gemini,
     .model = path,
     .embeds = EmbeddingShape::gemini_batch},
    {.name = "embeddings",
     .methods = "POST",
     .pattern = "/v1/models/{model}:embedContent",
     .dialect = gemini,
     .model = path,
     .embeds = EmbeddingShape::gemini},
    {.name = "embeddings",
     .methods = "POST",
     .pattern = "/v1/models/{model}:batchEmbedContents",
     .dialect = gemini,
     .model = path,
     .embeds = EmbeddingShape::gemini_batch},
    {.name = "embeddings.batch",
     .methods = "POST",
     .pattern = "/v1beta/models/{model}:asyncBatchEmbedContent",
     .dialect = gemini,
     .model = path},
    {.name = "predict",
     .methods = "POST",
     .pattern = "/v1beta/models/{model}:predict",
     .dialect = gemini,
     .model = path},
    {.name = "predict",
     .methods = "POST",
     .pattern = "/v1beta/models/{model}:predictLongRunning",
     .dialect = gemini,
     .model = path},
    {.name = "batches",
     .methods = "POST",
     .pattern = "/v1beta/models/{model}:batchGenerateContent",
     .dialect = gemini,
     .model = path},
    {.name = "operations",
     .methods = "GET",
     .pattern = "/v1beta/models/{model}/operations*",
     .dialect = gemini,
     .model = path},
    {.name = "batches", .methods = objects, .pattern = "/v1beta/batches*", .dialect = gemini},
    {.name = "files", .methods = "POST, PUT", .pattern = "/upload/v1beta/files*", .dialect = gemini},
    {.name = "files", .methods = objects, .pattern = "/v1beta/files*", .dialect = gemini},
    {.name = "files", .methods = "GET", .pattern = "/download/v1beta/files*", .dialect = gemini},
    {.name = "file_search_stores",
     .methods = "GET, POST, DELETE, PATCH",
     .pattern = "/v1beta/fileSearchStores*",
     .dialect = gemini},
    {.name = "file_search_stores",
     .methods = "POST, PUT",
     .pattern = "/upload/v1beta/fileSearchStores*",
     .dialect = gemini},
    {.name = "interactions",
     .methods = "POST",
     .pattern = "/v1beta/interactions",
     .dialect = gemini,
     .model = body,
     .kept = true},
    {.name = "interactions", .methods = objects, .pattern = "/v1beta/interactions*", .dialect = gemini},
    {.name = "cached_contents",
     .methods = "GET, POST, DELETE, PATCH",
     .pattern = "/v1beta/cachedContents*",
     .dialect = gemini},

    {.name = "embeddings",
     .methods = "POST",
     .pattern = "/v2/embed",
     .dialect = cohere,
     .model = body,
     .embeds = EmbeddingShape::cohere},
    {.name = "embeddings",
     .methods = "POST",
     .pattern = "/v1/embed",
     .dialect = cohere,
     .model = body,
     .embeds = EmbeddingShape::cohere_v1},
    {.name = "rerank", .methods = "POST", .pattern = "/v2/rerank", .dialect = cohere, .model = body},
    {.name = "tokenize", .methods = "POST", .pattern = "/v1/tokenize", .dialect = cohere, .model = body},
    {.name = "detokenize", .methods = "POST", .pattern = "/v1/detokenize", .dialect = cohere, .model = body},
    {.name = "classify", .methods = "POST", .pattern = "/v1/classify", .dialect = cohere, .model = body},

    {.name = "invoke",
     .methods = "POST",
     .pattern = "/model/{model}/invoke",
     .dialect = bedrock_converse,
     .model = path,
     .embeds = EmbeddingShape::invoked},

    {.name = "raw", .methods = every, .pattern = "/openai*", .dialect = openai_chat, .provider = "openai"},
    {.name = "raw", .methods = every, .pattern = "/anthropic*", .dialect = anthropic, .provider = "anthropic"},
    {.name = "raw", .methods = every, .pattern = "/gemini*", .dialect = gemini, .provider = "gemini"},
    {.name = "raw", .methods = every, .pattern = "/cohere*", .dialect = cohere, .provider = "cohere"},
});

}  // namespace

std::span<const VendorOperation> vendor_operations() {
  return rows;
}

bool fits(const VendorOperation& row, std::string_view path, std::string& model, std::string& rest) {
  std::string_view pattern = row.pattern;
  if (const auto at = pattern.find("{model}"); at != std::string_view::npos) {
    if (!path.starts_with(pattern.substr(0, at))) return false;
    path.remove_prefix(at);
    pattern.remove_prefix(at + 7);
    const bool star = pattern.ends_with('*');
    if (star) pattern.remove_suffix(1);
    const auto end = star ? path.rfind(pattern) : path.size() - std::min(path.size(), pattern.size());
    if (end == std::string_view::npos || end == 0 || path.substr(end, pattern.size()) != pattern) return false;
    const std::string_view tail = path.substr(end + pattern.size());
    if (!tail.empty() && tail.front() != '/') return false;
    model = path.substr(0, end);
    rest = tail;
    return true;
  }
  const bool star = pattern.ends_with('*');
  if (star) pattern.remove_suffix(1);
  if (!path.starts_with(pattern)) return false;
  path.remove_prefix(pattern.size());
  if (!path.empty() && (!star || path.front() != '/')) return false;
  if (!row.provider.empty() && path.size() < 2) return false;  // the vendor's root is nothing
  rest = path;
  return true;
}

}  // namespace sluice
