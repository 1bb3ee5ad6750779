// Embeddings of Amazon's Titan, as Bedrock invokes it: one text; its multimodal model takes an image too, and has other
// words for the size. SPDX-License-Identifier: MIT
#include <algorithm>

#include "dialects/embeddings/words.h"
#include "dialects/media_type.h"

namespace sluice {
namespace {

using namespace embeddings;
using enum EmbeddingEncoding;

constexpr std::string_view who = "Titan";

// Its binary vectors are a list of bits, which no other vendor has.
Result<void> read_encodings(json::Value list, EmbeddingRequest& out, Notes& notes) {
  bool bits = false;
  for (const json::Value one : list.elements()) {
    if (one.equals("float")) {
      out.encodings = {floats};
    } else if (one.equals("binary")) {
      bits = true;
    } else {
      return wrong("It must hold float or binary.", "embeddingTypes");
    }
  }
  if (bits && out.encodings.empty()) return unsupported("Other vendors have no list of bits.", "embeddingTypes");
  if (bits) notes.lost("/embeddingTypes", "other vendors have no list of bits");
  return {};
}

Result<void> read_config(json::Value config, EmbeddingRequest& out, Notes& notes) {
  for (const auto [key, value] : config.members()) {
    if (key == "outputEmbeddingLength") {
      TRY(out.dimensions, read_dimensions(value, "embeddingConfig/outputEmbeddingLength"));
      out.at.dimensions = "/embeddingConfig/outputEmbeddingLength";
    } else {
      notes.lost("/embeddingConfig/" + json::pointer_token(key), "embeddings elsewhere have no such setting");
    }
  }
  return {};
}

Result<EmbeddingRequest> read_request(std::string_view body, Notes& notes) {
  json::Document doc;
  TRY(const json::Value root, doc.parse(body));
  if (!root.is_object()) return wrong("The body must be an object.", "");
  const auto [text, image] = root.pick("inputText", "inputImage");
  EmbeddingRequest out;
  EmbeddingInput input;
  if (text && !text.is_null() && !text.is_string()) return wrong("It must be a text.", "inputText");
  if (image && !image.is_null() && !image.is_string()) return wrong("It must be base64.", "inputImage");
  if (text.is_string()) input.parts.emplace_back(text.text());
  if (image.is_string()) {
    std::string base64 = image.text();
    input.parts.emplace_back(EmbeddingImage{.mime = std::string(media_type_of(base64)), .base64 = base64});
  }
  if (input.parts.empty()) return wrong("There is nothing to embed.", "inputText");
  out.inputs.push_back(std::move(input));
  out.at.inputs = text.is_string() ? "/inputText" : "/inputImage";
  out.at.encodings = "/embeddingTypes";
  out.truncate = EmbeddingTruncate::none;  // Titan refuses what is too long
  for (const auto [key, value] : root.members()) {
    if (value.is_null() || key == "inputText" || key == "inputImage") continue;
    if (key == "dimensions") {
      TRY(out.dimensions, read_dimensions(value, key));
      out.at.dimensions = "/dimensions";
    } else if (key == "embeddingConfig") {
      TRY_VOID(read_config(value, out, notes));
    } else if (key == "embeddingTypes") {
      TRY_VOID(read_encodings(value, out, notes));
    } else {
      notes.lost('/' + json::pointer_token(key), "embeddings elsewhere have no such setting");
    }
  }
  return out;
}

// Text and image of one input become one vector. Error: unsupported.
Result<void> write_parts(json::Writer& w, const EmbeddingRequest& request, Notes& notes) {
  const EmbeddingInput& input = request.inputs.front();
  EmbeddingInput texts{.tokens = input.tokens};
  const EmbeddingImage* image = nullptr;
  for (const auto& part : input.parts) {
    const auto* one = std::get_if<EmbeddingImage>(&part);
    if (one && image) return unsupported("Titan embeds one image with each call.", param(request.at.inputs));
    if (one) {
      image = one;
    } else {
      texts.parts.push_back(part);
    }
  }
  if (!texts.parts.empty() || !image) {
    TRY(const std::string text, only_text(request, texts, who, notes));
    w.member("inputText", text);
  }
  if (!image) return {};
  if (image->base64.empty()) return unsupported("Titan fetches no images: send them inline.", param(request.at.inputs));
  w.member("inputImage", image->base64);
  return {};
}

Result<std::string> write_request(const EmbeddingRequest& request, std::string_view model, Notes& notes) {
  if (request.inputs.size() != 1)
    return unsupported("Titan embeds one input with each call.", param(request.at.inputs));
  TRY_VOID(check_encodings(request, who, notes));
  const bool multimodal = model.contains("embed-image");
  std::string out;
  json::Writer w(out);
  w.begin_object();
  if (multimodal) {
    TRY_VOID(write_parts(w, request, notes));
  } else {
    TRY(const std::string text, only_text(request, request.inputs.front(), "This Titan", notes));
    w.member("inputText", text);
  }
  if (request.dimensions && multimodal) {
    w.key("embeddingConfig").begin_object().member("outputEmbeddingLength", *request.dimensions).end_object();
  } else if (request.dimensions) {
    w.member("dimensions", *request.dimensions);
  }
  w.end_object();
  if (request.purpose) notes.lost(std::string(request.at.purpose), "titan has no purposes");
  if (!request.inputs.front().title.empty()) notes.lost(std::string(request.at.title), "titan has no titles");
  if (request.truncate && request.truncate != EmbeddingTruncate::none)
    notes.lost(std::string(request.at.truncate), "titan refuses what is too long");
  return out;
}

Result<EmbeddingReply> read_reply(std::string_view body) {
  const auto members = json::scan_object(body);
  if (!members) return no_reply(members.error()->message);
  const auto find = [&](std::string_view key) { return std::ranges::find(*members, key, &json::TopMember::key); };
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

Result<std::string> write_reply(const EmbeddingReply& reply, const EmbeddingQuestion& question, Notes& notes) {
  TRY(const std::size_t inputs, count(reply, question));
  if (inputs != 1) return no_reply("more than one vector");
  std::string out, made;
  TRY(const std::string_view one, vector(reply, 0, floats, made));
  json::Writer w(out);
  w.begin_object().member_raw("embedding", one);
  if (!question.asked.encodings.empty()) w.key("embeddingsByType").begin_object().member_raw("float", one).end_object();
  // Clients read it without looking whether it is there.
  if (!reply.usage.known()) notes.added("/inputTextTokenCount", "the upstream told no usage");
  w.member("inputTextTokenCount", reply.usage.total_input()).end_object();
  return out;
}

}  // namespace

const EmbeddingCodec titan_embeddings = {read_request, write_request, read_reply, write_reply};

}  // namespace sluice
