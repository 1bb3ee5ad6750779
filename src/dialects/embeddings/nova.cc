// Embeddings of Amazon's Nova, as Bedrock invokes it: one text or one image. Source: "Complete embeddings request and
// response schema" of Amazon Nova's guide. SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>

#include "dialects/embeddings/vectors.h"
#include "dialects/embeddings/words.h"
#include "dialects/media_type.h"

namespace sluice {
namespace {

using namespace embeddings;
using enum EmbeddingEncoding;

constexpr std::string_view who = "Nova";
constexpr std::string_view lost_setting = "embeddings elsewhere have no such setting";

// The first row of a word is what it is read as, the first of a purpose what it is written as.
constexpr std::array purposes = {
    Purpose{EmbeddingPurpose::query, "GENERIC_RETRIEVAL"},
    Purpose{EmbeddingPurpose::document, "GENERIC_INDEX"},
    Purpose{EmbeddingPurpose::classification, "CLASSIFICATION"},
    Purpose{EmbeddingPurpose::clustering, "CLUSTERING"},
    Purpose{EmbeddingPurpose::similarity, "GENERIC_INDEX", false},  // both sides are embedded alike
    Purpose{EmbeddingPurpose::question_answering, "GENERIC_RETRIEVAL", false},
    Purpose{EmbeddingPurpose::fact_verification, "GENERIC_RETRIEVAL", false},
    Purpose{EmbeddingPurpose::code_query, "GENERIC_RETRIEVAL", false},
    // Among what the question is looked for.
    Purpose{EmbeddingPurpose::query, "TEXT_RETRIEVAL", false},
    Purpose{EmbeddingPurpose::query, "IMAGE_RETRIEVAL", false},
    Purpose{EmbeddingPurpose::query, "VIDEO_RETRIEVAL", false},
    Purpose{EmbeddingPurpose::query, "DOCUMENT_RETRIEVAL", false},
    Purpose{EmbeddingPurpose::query, "AUDIO_RETRIEVAL", false},
};

constexpr std::string_view params = "/singleEmbeddingParams/";

Result<void> read_text(json::Value text, EmbeddingRequest& out, EmbeddingInput& input, Notes& notes) {
  for (const auto [key, value] : text.members()) {
    if (key == "value" && value.is_string()) {
      input.parts.emplace_back(value.text());
    } else if (key == "truncationMode") {
      for (const auto one : {EmbeddingTruncate::none, EmbeddingTruncate::start, EmbeddingTruncate::end}) {
        if (value.equals(word(one))) out.truncate = one;
      }
      if (!out.truncate) return wrong("It must be NONE, START or END.", "singleEmbeddingParams/text/truncationMode");
    } else if (key == "source") {
      return unsupported("Only Bedrock reads a text from S3.", "singleEmbeddingParams/text/source");
    } else {
      notes.lost(std::string(params) + "text/" + json::pointer_token(key), lost_setting);
    }
  }
  return {};
}

Result<void> read_image(json::Value image, EmbeddingInput& input, Notes& notes) {
  const auto [format, source] = image.pick("format", "source");
  if (!source["bytes"].is_string())
    return unsupported("Only Bedrock reads an image from S3.", "singleEmbeddingParams/image/source");
  std::string base64 = source["bytes"].text();
  std::string mime = format.is_string() ? "image/" + format.text() : std::string(media_type_of(base64));
  input.parts.emplace_back(EmbeddingImage{.mime = std::move(mime), .base64 = std::move(base64)});
  if (image["detailLevel"] && !image["detailLevel"].equals("STANDARD_IMAGE"))
    notes.lost(std::string(params) + "image/detailLevel", lost_setting);
  return {};
}

Result<void> read_param(std::string_view key, json::Value value, EmbeddingRequest& out, EmbeddingInput& input,
                        Notes& notes) {
  if (value.is_null()) return {};
  if (key == "text") return read_text(value, out, input, notes);
  if (key == "image") return read_image(value, input, notes);
  if (key == "audio" || key == "video")
    return unsupported("Other vendors embed texts and images.", "singleEmbeddingParams/" + std::string(key));
  if (key == "embeddingDimension") {
    TRY(out.dimensions, read_dimensions(value, "singleEmbeddingParams/embeddingDimension"));
  } else if (key == "embeddingPurpose") {
    const auto row = std::ranges::find_if(purposes, [&](const Purpose& one) { return value.equals(one.word); });
    if (row == purposes.end()) {
      notes.lost(std::string(params) + "embeddingPurpose", "an unknown purpose");
      return {};
    }
    out.purpose = row->purpose;
    if (!row->exact) notes.restated(std::string(params) + "embeddingPurpose", "a query, whatever is looked for");
  } else {
    notes.lost(std::string(params) + json::pointer_token(key), lost_setting);
  }
  return {};
}

Result<EmbeddingRequest> read_request(std::string_view body, Notes& notes) {
  json::Document doc;
  TRY(const json::Value root, doc.parse(body));
  if (!root.is_object()) return wrong("The body must be an object.", "");
  EmbeddingRequest out;
  out.at = {.inputs = "/singleEmbeddingParams",
            .dimensions = "/singleEmbeddingParams/embeddingDimension",
            .purpose = "/singleEmbeddingParams/embeddingPurpose",
            .truncate = "/singleEmbeddingParams/text/truncationMode"};
  EmbeddingInput input;
  for (const auto [key, value] : root.members()) {
    if (key == "taskType" && !value.equals("SINGLE_EMBEDDING"))
      return unsupported("Other vendors make one vector of one input.", key);
    if (key != "schemaVersion" && key != "taskType" && key != "singleEmbeddingParams" && !value.is_null())
      notes.lost('/' + json::pointer_token(key), lost_setting);
  }
  for (const auto [key, value] : root["singleEmbeddingParams"].members())
    TRY_VOID(read_param(key, value, out, input, notes));
  if (input.parts.size() != 1) return wrong("Exactly one input must stand here.", "singleEmbeddingParams");
  out.inputs.push_back(std::move(input));
  return out;
}

Result<void> write_image(json::Writer& w, const EmbeddingRequest& request, const EmbeddingImage& image) {
  if (image.base64.empty()) return unsupported("Nova fetches no images: send them inline.", param(request.at.inputs));
  std::string_view mime = image.mime.empty() ? media_type_of(image.base64) : std::string_view(image.mime);
  if (mime == "image/jpg") mime = "image/jpeg";
  constexpr std::array known = {std::string_view("image/png"), std::string_view("image/jpeg"),
                                std::string_view("image/gif"), std::string_view("image/webp")};
  if (std::ranges::find(known, mime) == known.end())
    return unsupported("Nova embeds images as PNG, JPEG, GIF or WebP.", param(request.at.inputs));
  w.key("image").begin_object().member("format", mime.substr(6)).key("source").begin_object();
  w.member("bytes", image.base64).end_object().end_object();
  return {};
}

Result<std::string> write_request(const EmbeddingRequest& request, std::string_view, Notes& notes) {
  if (request.inputs.size() != 1) return unsupported("Nova embeds one input with each call.", param(request.at.inputs));
  TRY_VOID(check_encodings(request, who, notes));
  const EmbeddingInput& input = request.inputs.front();
  std::string out;
  json::Writer w(out);
  w.begin_object().member("schemaVersion", "nova-multimodal-embed-v1").member("taskType", "SINGLE_EMBEDDING");
  w.key("singleEmbeddingParams").begin_object();
  const auto* row =
      std::ranges::find(purposes, request.purpose.value_or(EmbeddingPurpose::document), &Purpose::purpose);
  w.member("embeddingPurpose", row->word);
  if (!request.purpose) notes.added("/singleEmbeddingParams/embeddingPurpose", "nova wants a purpose");
  if (request.purpose && !row->exact) notes.restated(std::string(request.at.purpose), "nova's nearest purpose");
  if (request.dimensions) w.member("embeddingDimension", *request.dimensions);
  if (const auto* image = input.parts.size() == 1 ? std::get_if<EmbeddingImage>(&input.parts.front()) : nullptr) {
    TRY_VOID(write_image(w, request, *image));
  } else {
    TRY(const std::string text, only_text(request, input, "Nova, beside one image,", notes));
    // It must be said; what most vendors do by themselves.
    w.key("text").begin_object().member("truncationMode", word(request.truncate.value_or(EmbeddingTruncate::end)));
    w.member("value", text).end_object();
  }
  w.end_object().end_object();
  if (!input.title.empty()) notes.lost(std::string(request.at.title), "nova has no titles");
  return out;
}

Result<EmbeddingReply> read_reply(std::string_view body) {
  EmbeddingReply out;
  const auto members = json::scan_object(body);
  if (!members) return no_reply(members.error()->message);
  const auto list = std::ranges::find(*members, "embeddings", &json::TopMember::key);
  const auto rows = list == members->end() ? std::nullopt : array_elements(list->raw);
  if (!rows) return no_reply("no list of embeddings");
  std::vector<std::string_view> vectors;
  for (const std::string_view row : *rows) {
    const auto parts = json::scan_object(row);
    if (!parts) return no_reply("an embedding is no object");
    const auto found = std::ranges::find(*parts, "embedding", &json::TopMember::key);
    if (found == parts->end()) return no_reply("an embedding without numbers");
    vectors.push_back(found->raw);
  }
  TRY_VOID(add_vectors(out, floats, vectors));
  out.usage.origin = DialectId::bedrock_converse;
  return out;
}

Result<std::string> write_reply(const EmbeddingReply& reply, const EmbeddingQuestion& question, Notes& notes) {
  TRY(const std::size_t inputs, count(reply, question));
  if (inputs != 1) return no_reply("more than one vector");
  std::string out, made;
  TRY(const std::string_view one, vector(reply, 0, floats, made));
  const auto& parts = question.asked.inputs.front().parts;
  const bool image = !parts.empty() && std::holds_alternative<EmbeddingImage>(parts.front());
  json::Writer w(out);
  w.begin_object().key("embeddings").begin_array().begin_object();
  w.member("embeddingType", image ? "IMAGE" : "TEXT").member_raw("embedding", one);
  w.end_object().end_array().end_object();
  if (reply.usage.known()) notes.lost("/usage", "nova tells no tokens");
  return out;
}

}  // namespace

const EmbeddingCodec nova_embeddings = {read_request, write_request, read_reply, write_reply};

}  // namespace sluice
