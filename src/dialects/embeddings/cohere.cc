// Cohere's embeddings, version 2, and version 1 for its clients. SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>

#include "dialects/data_url.h"
#include "dialects/embeddings/vectors.h"
#include "dialects/embeddings/words.h"

namespace sluice {
namespace {

using namespace embeddings;
using enum EmbeddingEncoding;

struct Encoding {
  EmbeddingEncoding encoding;
  std::string_view word;
};
constexpr std::array encodings = {Encoding{floats, "float"}, Encoding{base64, "base64"}, Encoding{int8, "int8"},
                                  Encoding{uint8, "uint8"},  Encoding{binary, "binary"}, Encoding{ubinary, "ubinary"}};

// The first row of a word is what it is read as.
constexpr std::array purposes = {
    Purpose{EmbeddingPurpose::query, "search_query"},
    Purpose{EmbeddingPurpose::document, "search_document"},
    Purpose{EmbeddingPurpose::classification, "classification"},
    Purpose{EmbeddingPurpose::clustering, "clustering"},
    Purpose{EmbeddingPurpose::similarity, "search_document", false},  // both sides are embedded alike
    Purpose{EmbeddingPurpose::question_answering, "search_query", false},
    Purpose{EmbeddingPurpose::fact_verification, "search_query", false},
    Purpose{EmbeddingPurpose::code_query, "search_query", false},
};

EmbeddingImage image_of(std::string_view url) {
  if (const auto data = read_data_url(url))
    return {.mime = std::string(data->mime), .base64 = std::string(data->base64)};
  return {.url = std::string(url)};
}

std::string url_of(const EmbeddingImage& image) {
  return image.url.empty() ? write_data_url(image.mime, image.base64) : image.url;
}

Result<void> read_mixed(json::Value list, EmbeddingRequest& out) {
  for (const json::Value one : list.elements()) {
    EmbeddingInput input;
    for (const json::Value part : one["content"].elements()) {
      if (part["type"].equals("text")) {
        input.parts.emplace_back(part["text"].text());
      } else if (part["type"].equals("image_url")) {
        input.parts.emplace_back(image_of(part["image_url"]["url"].text()));
      } else {
        return unsupported("Only texts and images are embedded by other vendors.", "inputs");
      }
    }
    if (input.parts.empty()) return wrong("An input must not be empty.", "inputs");
    out.inputs.push_back(std::move(input));
  }
  return {};
}

// The inputs; exactly one of the three members may hold them.
Result<void> read_inputs(json::Value root, EmbeddingRequest& out) {
  const auto [texts, images, mixed] = root.pick("texts", "images", "inputs");
  if (texts.size() + images.size() + mixed.size() == 0) return wrong("There is nothing to embed.", "texts");
  if ((texts.size() != 0) + (images.size() != 0) + (mixed.size() != 0) > 1)
    return wrong("Only one of texts, images and inputs may be given.", "texts");
  for (const json::Value one : texts.elements()) {
    if (!one.is_string()) return wrong("It must hold texts.", "texts");
    out.inputs.push_back({.parts = {one.text()}});
  }
  for (const json::Value one : images.elements()) out.inputs.push_back({.parts = {image_of(one.text())}});
  out.at.inputs = texts.size() != 0 ? "/texts" : images.size() != 0 ? "/images" : "/inputs";
  return read_mixed(mixed, out);
}

Result<void> read_encodings(json::Value list, EmbeddingRequest& out) {
  for (const json::Value one : list.elements()) {
    const auto row = std::ranges::find_if(encodings, [&](const Encoding& row) { return one.equals(row.word); });
    if (row == encodings.end()) return wrong("It holds an unknown type.", "embedding_types");
    if (std::ranges::find(out.encodings, row->encoding) == out.encodings.end()) out.encodings.push_back(row->encoding);
  }
  return {};
}

Result<void> read_member(std::string_view key, json::Value value, EmbeddingRequest& out, Notes& notes) {
  constexpr std::array elsewhere = {std::string_view("model"), std::string_view("texts"), std::string_view("images"),
                                    std::string_view("inputs")};
  if (value.is_null() || std::ranges::find(elsewhere, key) != elsewhere.end()) return {};
  if (key == "input_type") {
    const auto row = std::ranges::find_if(purposes, [&](const Purpose& one) { return value.equals(one.word); });
    if (row != purposes.end()) {
      out.purpose = row->purpose;
    } else if (!value.equals("image")) {  // which the inputs say
      notes.lost("/input_type", "an unknown purpose");
    }
  } else if (key == "embedding_types") {
    return read_encodings(value, out);
  } else if (key == "output_dimension") {
    TRY(out.dimensions, read_dimensions(value, key));
  } else if (key == "truncate") {
    for (const auto one : {EmbeddingTruncate::none, EmbeddingTruncate::start, EmbeddingTruncate::end}) {
      if (value.equals(word(one))) out.truncate = one;
    }
    if (!out.truncate) return wrong("It must be NONE, START or END.", key);
  } else {
    notes.lost('/' + json::pointer_token(key), "embeddings elsewhere have no such setting");
  }
  return {};
}

Result<EmbeddingRequest> read_request(std::string_view body, Notes& notes) {
  json::Document doc;
  TRY(const json::Value root, doc.parse(body));
  if (!root.is_object()) return wrong("The body must be an object.", "");
  EmbeddingRequest out;
  TRY_VOID(read_inputs(root, out));
  out.at.dimensions = "/output_dimension";
  out.at.purpose = "/input_type";
  out.at.truncate = "/truncate";
  out.at.encodings = "/embedding_types";
  for (const auto [key, value] : root.members()) TRY_VOID(read_member(key, value, out, notes));
  return out;
}

bool all_images(const EmbeddingRequest& request) {
  return std::ranges::all_of(request.inputs, [](const EmbeddingInput& input) {
    return input.parts.size() == 1 && std::holds_alternative<EmbeddingImage>(input.parts.front());
  });
}

Result<void> write_inputs(json::Writer& w, const EmbeddingRequest& request, Notes& notes) {
  const auto& inputs = request.inputs;
  for (const EmbeddingInput& input : inputs) {
    if (!input.tokens.empty())
      return unsupported("Tokens mean something to one model only; Cohere takes texts.", param(request.at.inputs));
    if (!input.title.empty()) notes.lost(std::string(request.at.title), "cohere has no titles");
  }
  const bool images = all_images(request);
  const bool texts = std::ranges::all_of(inputs, [](const EmbeddingInput& input) {
    return input.parts.size() == 1 && std::holds_alternative<std::string>(input.parts.front());
  });
  w.key(texts ? "texts" : images ? "images" : "inputs").begin_array();
  for (const EmbeddingInput& input : inputs) {
    if (texts || images) {
      const auto* text = std::get_if<std::string>(&input.parts.front());
      w.string(text ? *text : url_of(std::get<EmbeddingImage>(input.parts.front())));
      continue;
    }
    w.begin_object().key("content").begin_array();
    for (const auto& part : input.parts) {
      w.begin_object();
      if (const auto* image = std::get_if<EmbeddingImage>(&part)) {
        w.member("type", "image_url").key("image_url").begin_object().member("url", url_of(*image)).end_object();
      } else {
        w.member("type", "text").member("text", std::get<std::string>(part));
      }
      w.end_object();
    }
    w.end_array().end_object();
  }
  w.end_array();
  return {};
}

Result<std::string> write_request(const EmbeddingRequest& request, std::string_view model, Notes& notes) {
  std::string out;
  json::Writer w(out);
  w.begin_object().member("model", model);
  TRY_VOID(write_inputs(w, request, notes));
  std::string_view type = all_images(request) ? "image" : "search_document";
  if (request.purpose) {
    const auto row = std::ranges::find(purposes, *request.purpose, &Purpose::purpose);
    type = row->word;
    if (!row->exact) notes.restated(std::string(request.at.purpose), "cohere's nearest purpose");
  } else if (type != "image") {
    notes.added("/input_type", "cohere's models want a purpose");
  }
  w.member("input_type", type).key("embedding_types").begin_array();
  // Base64 is made of numbers here, so that its layout is the one that the client knows.
  const auto& asked = request.encodings;
  if (std::ranges::none_of(asked, [](EmbeddingEncoding one) { return one > base64; })) w.string("float");
  for (const Encoding& row : encodings) {
    if (row.encoding > base64 && std::ranges::find(asked, row.encoding) != asked.end()) w.string(row.word);
  }
  w.end_array();
  if (request.dimensions) w.member("output_dimension", *request.dimensions);
  if (request.truncate) w.member("truncate", word(*request.truncate));
  w.end_object();
  return out;
}

Result<EmbeddingReply> read_reply(std::string_view body) {
  EmbeddingReply out;
  const auto members = json::scan_object(body);
  if (!members) return no_reply(members.error()->message);
  for (const json::TopMember& member : *members) {
    if (member.key == "id" && member.kind == json::Kind::string) {
      out.id = json::unescape(member.raw.substr(1, member.raw.size() - 2));
    } else if (member.key == "embeddings" && member.kind == json::Kind::array) {
      const auto vectors = array_elements(member.raw);
      if (!vectors) return no_reply("a broken list");
      TRY_VOID(add_vectors(out, floats, *vectors));
    } else if (member.key == "embeddings") {
      const auto sets = json::scan_object(member.raw);
      if (!sets) return no_reply("its embeddings are no object");
      for (const json::TopMember& set : *sets) {
        const auto row = std::ranges::find(encodings, set.key, &Encoding::word);
        const auto vectors = array_elements(set.raw);
        if (row == encodings.end() || !vectors) continue;  // a type that is unknown, or one that was not asked for
        TRY_VOID(add_vectors(out, row->encoding, *vectors));
      }
    } else if (member.key == "meta" && member.kind == json::Kind::object) {
      json::Document doc;
      const auto meta = doc.parse(member.raw);
      if (!meta) return no_reply("a broken meta");
      const json::Value units = (*meta)["billed_units"];
      const auto [tokens, images] = units.pick("input_tokens", "image_tokens");
      out.usage.input = tokens.integer();
      if (const auto count = images.integer(); count && *count > 0) {
        out.usage.image_input = count;
        out.usage.input = out.usage.input.value_or(0) + *count;
      }
      out.usage.origin = DialectId::cohere;
      out.usage.raw = units.raw();
    }
  }
  if (out.sets.empty()) return no_reply("no embeddings");
  return out;
}

Result<std::string> write(const EmbeddingReply& reply, const EmbeddingQuestion& question, bool plain) {
  TRY(const std::size_t inputs, count(reply, question));
  std::string out, made;
  json::Writer w(out);
  w.begin_object().member("id", reply.id.empty() ? question.exchange_id : std::string_view(reply.id));
  w.key("texts").begin_array();
  for (const EmbeddingInput& input : question.asked.inputs) {
    if (input.parts.size() != 1) continue;
    if (const auto* text = std::get_if<std::string>(&input.parts.front())) w.string(*text);
  }
  w.end_array().key("embeddings");
  const auto list = [&](EmbeddingEncoding encoding) -> Result<void> {
    w.begin_array();
    for (std::size_t i = 0; i < inputs; ++i) {
      TRY(const std::string_view one, vector(reply, i, encoding, made));
      w.raw(one);
    }
    w.end_array();
    return {};
  };
  if (plain) {
    TRY_VOID(list(floats));
  } else {
    w.begin_object();
    for (const Encoding& row : encodings) {
      const auto& asked = question.asked.encodings;
      const bool wanted =
          asked.empty() ? row.encoding == floats : std::ranges::find(asked, row.encoding) != asked.end();
      const bool had = std::ranges::find(reply.sets, row.encoding, &EmbeddingReply::Set::encoding) != reply.sets.end();
      if (!wanted || (row.encoding > base64 && !had)) continue;
      w.key(row.word);
      TRY_VOID(list(row.encoding));
    }
    w.end_object();
  }
  w.key("meta").begin_object().key("api_version").begin_object().member("version", plain ? "1" : "2").end_object();
  if (reply.usage.known())
    w.key("billed_units").begin_object().member("input_tokens", reply.usage.total_input()).end_object();
  w.end_object().member("response_type", plain ? "embeddings_floats" : "embeddings_by_type").end_object();
  return out;
}

Result<std::string> write_reply(const EmbeddingReply& reply, const EmbeddingQuestion& question, Notes&) {
  return write(reply, question, false);
}

// Version 1 gives numbers without a type when none was asked for.
Result<std::string> write_reply_v1(const EmbeddingReply& reply, const EmbeddingQuestion& question, Notes&) {
  return write(reply, question, question.asked.encodings.empty());
}

}  // namespace

const EmbeddingCodec cohere_embeddings = {read_request, write_request, read_reply, write_reply};
const EmbeddingCodec cohere_embeddings_v1 = {read_request, write_request, read_reply, write_reply_v1};

}  // namespace sluice
