// Embeddings of the models that Bedrock invokes, as a way out: Amazon's Titan in its own words, Cohere's in Cohere's.
// The model stands in the path and decides. SPDX-License-Identifier: MIT
#include <algorithm>

#include "dialects/embeddings/words.h"

namespace sluice {
namespace {

using namespace embeddings;
using enum EmbeddingEncoding;

Result<EmbeddingRequest> read_request(std::string_view, Notes&) {
  return unsupported("InvokeModel is no way in.", "");
}

Result<std::string> write_titan(const EmbeddingRequest& request, Notes& notes) {
  constexpr std::string_view who = "Titan";
  if (request.inputs.size() != 1)
    return unsupported("Titan embeds one input with each call.", param(request.at.inputs));
  TRY_VOID(check_encodings(request, who, notes));
  TRY(const std::string text, only_text(request, request.inputs.front(), who, notes));
  if (request.purpose) notes.lost(std::string(request.at.purpose), "titan has no purposes");
  if (!request.inputs.front().title.empty()) notes.lost(std::string(request.at.title), "titan has no titles");
  if (request.truncate && request.truncate != EmbeddingTruncate::none)
    notes.lost(std::string(request.at.truncate), "titan refuses what is too long");
  std::string out;
  json::Writer w(out);
  w.begin_object().member("inputText", text);
  if (request.dimensions) w.member("dimensions", *request.dimensions);
  w.end_object();
  return out;
}

Result<std::string> write_request(const EmbeddingRequest& request, std::string_view model, Notes& notes) {
  if (model.contains("amazon.titan-embed-text")) return write_titan(request, notes);
  if (!model.contains("cohere.embed"))
    return unsupported("On Bedrock, vectors come from Titan's text models and Cohere's.", "model");
  TRY(const std::string body, cohere_embeddings.write_request(request, model, notes));
  const json::Edit in_path{.op = json::Edit::Op::drop, .pointer = "/model", .value = {}};
  return json::apply(body, std::span(&in_path, 1));
}

Result<EmbeddingReply> read_reply(std::string_view body) {
  const auto members = json::scan_object(body);
  if (!members) return no_reply(members.error()->message);
  const auto find = [&](std::string_view key) { return std::ranges::find(*members, key, &json::TopMember::key); };
  if (find("embeddings") != members->end()) return cohere_embeddings.read_reply(body);
  if (find("data") != members->end()) return openai_embeddings.read_reply(body);  // Cohere's older models
  if (find("embedding") == members->end()) return no_reply("no embedding");
  EmbeddingReply out;
  TRY_VOID(add_vectors(out, floats, {find("embedding")->raw}));
  if (const auto count = find("inputTextTokenCount"); count != members->end()) {
    json::Document doc;
    if (const auto number = doc.parse(count->raw)) out.usage.input = number->integer();
  }
  out.usage.origin = DialectId::bedrock_converse;
  return out;
}

Result<std::string> write_reply(const EmbeddingReply&, const EmbeddingQuestion&, Notes&) {
  return unsupported("InvokeModel is no way in.", "");
}

}  // namespace

const EmbeddingCodec bedrock_embeddings = {read_request, write_request, read_reply, write_reply};

}  // namespace sluice
