// OpenAI's embeddings, which most vendors speak; Voyage, Mistral and OpenRouter add a purpose and their own word for
// dimensions. SPDX-License-Identifier: MIT
#include <algorithm>

#include "dialects/embeddings/vectors.h"
#include "dialects/embeddings/words.h"

namespace sluice {
namespace {

using namespace embeddings;
using enum EmbeddingEncoding;

constexpr std::string_view who = "OpenAI's embeddings";

Result<EmbeddingInput> read_tokens(json::Value list) {
  EmbeddingInput out;
  for (const json::Value one : list.elements()) {
    const auto token = one.integer();
    if (!token) return wrong("Tokens must be whole numbers.", "input");
    out.tokens.push_back(*token);
  }
  if (out.tokens.empty()) return wrong("An input must not be empty.", "input");
  return out;
}

Result<void> read_input(json::Value value, EmbeddingRequest& out) {
  if (value.is_string()) {
    out.inputs.push_back({.parts = {value.text()}});
    return {};
  }
  if (value.at(0).is_number()) {
    TRY(auto input, read_tokens(value));
    out.inputs.push_back(std::move(input));
    return {};
  }
  for (const json::Value one : value.elements()) {
    if (one.is_string()) {
      out.inputs.push_back({.parts = {one.text()}});
    } else if (one.is_array()) {
      TRY(auto input, read_tokens(one));
      out.inputs.push_back(std::move(input));
    } else {
      return wrong("It must hold texts, or lists of tokens.", "input");
    }
  }
  return {};
}

Result<void> read_member(std::string_view key, json::Value value, EmbeddingRequest& out, Notes& notes) {
  if (key == "model" || value.is_null()) return {};
  if (key == "input") return read_input(value, out);
  if (key == "dimensions" || key == "output_dimension") {
    TRY(out.dimensions, read_dimensions(value, key));
    out.at.dimensions = key == "dimensions" ? "/dimensions" : "/output_dimension";
  } else if (key == "encoding_format") {
    if (!value.equals("float") && !value.equals("base64")) return wrong("It must be float or base64.", key);
    out.encodings = {value.equals("float") ? floats : base64};
  } else if (key == "input_type" && (value.equals("query") || value.equals("document"))) {
    out.purpose = value.equals("query") ? EmbeddingPurpose::query : EmbeddingPurpose::document;
    out.at.purpose = "/input_type";
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
  out.at.inputs = "/input";
  out.at.encodings = "/encoding_format";
  out.truncate = EmbeddingTruncate::none;  // OpenAI refuses what is too long
  for (const auto [key, value] : root.members()) TRY_VOID(read_member(key, value, out, notes));
  if (out.inputs.empty()) return wrong("There is nothing to embed.", "input");
  return out;
}

Result<std::string> write_request(const EmbeddingRequest& request, std::string_view model, Notes& notes) {
  TRY_VOID(check_encodings(request, who, notes));
  std::string out;
  json::Writer w(out);
  w.begin_object().member("model", model).key("input").begin_array();
  for (const EmbeddingInput& input : request.inputs) {
    if (!input.tokens.empty()) {
      w.begin_array();
      for (const std::int64_t token : input.tokens) w.integer(token);
      w.end_array();
      continue;
    }
    TRY(const std::string text, only_text(request, input, who, notes));
    w.string(text);
    if (!input.title.empty()) notes.lost(std::string(request.at.title), "openai has no titles");
  }
  w.end_array();
  // Numbers, whatever was asked: every look-alike gives them, and base64 is made of them without loss.
  w.member("encoding_format", "float");
  if (request.dimensions) w.member("dimensions", *request.dimensions);
  w.end_object();
  if (request.purpose) notes.lost(std::string(request.at.purpose), "openai has no purposes");
  if (request.truncate && request.truncate != EmbeddingTruncate::none)
    notes.lost(std::string(request.at.truncate), "openai refuses what is too long");
  return out;
}

Result<void> read_usage(std::string_view raw, Usage& out) {
  json::Document doc;
  TRY(const json::Value usage, doc.parse(raw));
  const auto [prompt, total] = usage.pick("prompt_tokens", "total_tokens");
  out.input = prompt.integer();
  if (!out.input) out.input = total.integer();
  out.origin = DialectId::openai_chat;
  out.raw = raw;
  return {};
}

Result<EmbeddingReply> read_reply(std::string_view body) {
  EmbeddingReply out;
  std::vector<std::pair<std::int64_t, std::string_view>> placed;
  const auto members = json::scan_object(body);
  if (!members) return no_reply(members.error()->message);
  for (const json::TopMember& member : *members) {
    if (member.key == "model" && member.kind == json::Kind::string) {
      out.model = json::unescape(member.raw.substr(1, member.raw.size() - 2));
    } else if (member.key == "id" && member.kind == json::Kind::string) {
      out.id = json::unescape(member.raw.substr(1, member.raw.size() - 2));
    } else if (member.key == "usage" && member.kind == json::Kind::object) {
      if (!read_usage(member.raw, out.usage)) return no_reply("a broken usage");
    } else if (member.key == "data") {
      const auto rows = array_elements(member.raw);
      if (!rows) return no_reply("its data are no list");
      for (const std::string_view row : *rows) {
        const auto parts = json::scan_object(row);
        if (!parts) return no_reply("an embedding is no object");
        auto& [index, vector] = placed.emplace_back(static_cast<std::int64_t>(placed.size()), std::string_view());
        for (const json::TopMember& part : *parts) {
          if (part.key == "embedding") vector = part.raw;
          json::Document number;
          if (part.key != "index" || part.kind != json::Kind::number) continue;
          if (const auto value = number.parse(part.raw)) index = value->integer().value_or(index);
        }
      }
    }
  }
  std::ranges::stable_sort(placed, {}, &decltype(placed)::value_type::first);
  std::vector<std::string_view> vectors;
  vectors.reserve(placed.size());
  for (const auto& [index, vector] : placed) vectors.push_back(vector);
  TRY_VOID(add_vectors(out, floats, vectors));
  return out;
}

Result<std::string> write_reply(const EmbeddingReply& reply, const EmbeddingQuestion& question, Notes& notes) {
  const auto& asked = question.asked.encodings;
  const EmbeddingEncoding encoding = std::ranges::find(asked, base64) != asked.end() ? base64 : floats;
  TRY(const std::size_t inputs, count(reply, question));
  std::string out, made;
  json::Writer w(out);
  w.begin_object().member("object", "list").key("data").begin_array();
  for (std::size_t i = 0; i < inputs; ++i) {
    TRY(const std::string_view one, vector(reply, i, encoding, made));
    w.begin_object().member("object", "embedding").member("index", static_cast<std::int64_t>(i));
    w.member_raw("embedding", one).end_object();
  }
  w.end_array().member("model", reply.model.empty() ? question.model : std::string_view(reply.model));
  // Typed clients demand it.
  if (!reply.usage.known()) notes.added("/usage", "the upstream told no usage");
  w.key("usage").begin_object();
  w.member("prompt_tokens", reply.usage.total_input()).member("total_tokens", reply.usage.total_input());
  w.end_object().end_object();
  return out;
}

}  // namespace

const EmbeddingCodec openai_embeddings = {read_request, write_request, read_reply, write_reply};

}  // namespace sluice
