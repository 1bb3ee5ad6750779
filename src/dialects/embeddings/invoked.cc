// Embeddings of the models that Bedrock invokes: whose words a body or a model speaks, and Cohere's, which are those of
// its own service but for the model, which stands in the path. SPDX-License-Identifier: MIT
#include <algorithm>

#include "dialects/embeddings/words.h"

namespace sluice {
namespace {

using namespace embeddings;

bool has(const std::vector<json::TopMember>& members, std::string_view key) {
  return std::ranges::find(members, key, &json::TopMember::key) != members.end();
}

Result<std::string> write_request(const EmbeddingRequest& request, std::string_view model, Notes& notes) {
  TRY(const std::string body, cohere_embeddings.write_request(request, model, notes));
  const json::Edit in_path{.op = json::Edit::Op::drop, .pointer = "/model", .value = {}};
  return json::apply(body, std::span(&in_path, 1));
}

Result<EmbeddingReply> read_reply(std::string_view body) {
  const auto members = json::scan_object(body);
  if (!members) return no_reply(members.error()->message);
  const bool listed = has(*members, "data");  // Cohere's older models
  return (listed ? openai_embeddings : cohere_embeddings).read_reply(body);
}

// Like version 1, numbers without a type when none was asked for.
Result<std::string> write_reply(const EmbeddingReply& reply, const EmbeddingQuestion& question, Notes& notes) {
  return cohere_embeddings_v1.write_reply(reply, question, notes);
}

Result<EmbeddingRequest> read_request(std::string_view body, Notes& notes) {
  return cohere_embeddings.read_request(body, notes);
}

}  // namespace

EmbeddingShape invoked_shape(std::string_view body) {
  const auto members = json::scan_object(body);
  if (!members) return EmbeddingShape::none;
  if (has(*members, "singleEmbeddingParams")) return EmbeddingShape::nova;
  if (has(*members, "textGenerationConfig")) return EmbeddingShape::none;  // a Titan that writes
  if (has(*members, "inputText") || has(*members, "inputImage")) return EmbeddingShape::titan;
  if (has(*members, "texts") || has(*members, "images") || has(*members, "inputs"))
    return EmbeddingShape::cohere_invoked;
  return EmbeddingShape::none;
}

EmbeddingShape invoked_shape_of(std::string_view model) {
  if (model.contains("amazon.titan-embed")) return EmbeddingShape::titan;
  if (model.contains("amazon.nova") && model.contains("embed")) return EmbeddingShape::nova;
  if (model.contains("cohere.embed")) return EmbeddingShape::cohere_invoked;
  return EmbeddingShape::none;
}

const EmbeddingCodec cohere_embeddings_invoked = {read_request, write_request, read_reply, write_reply};

}  // namespace sluice
