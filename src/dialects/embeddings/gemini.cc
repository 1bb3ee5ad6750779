// Gemini's embeddings: one content, or several requests in one. SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>

#include "dialects/embeddings/vectors.h"
#include "dialects/embeddings/words.h"
#include "dialects/gemini/names.h"

namespace sluice {
namespace {

using namespace embeddings;
using gemini::is_name;
using enum EmbeddingEncoding;

constexpr std::string_view who = "Gemini";

constexpr std::array purposes = {
    Purpose{EmbeddingPurpose::query, "RETRIEVAL_QUERY"},
    Purpose{EmbeddingPurpose::document, "RETRIEVAL_DOCUMENT"},
    Purpose{EmbeddingPurpose::classification, "CLASSIFICATION"},
    Purpose{EmbeddingPurpose::clustering, "CLUSTERING"},
    Purpose{EmbeddingPurpose::similarity, "SEMANTIC_SIMILARITY"},
    Purpose{EmbeddingPurpose::question_answering, "QUESTION_ANSWERING"},
    Purpose{EmbeddingPurpose::fact_verification, "FACT_VERIFICATION"},
    Purpose{EmbeddingPurpose::code_query, "CODE_RETRIEVAL_QUERY"},
};

Result<void> read_content(json::Value content, EmbeddingInput& out) {
  for (const json::Value part : gemini::field(content, "parts").elements()) {
    if (const json::Value text = part["text"]; text.is_string()) {
      out.parts.emplace_back(text.text());
    } else if (const json::Value data = gemini::field(part, "inlineData")) {
      out.parts.emplace_back(
          EmbeddingImage{.mime = gemini::field(data, "mimeType").text(), .base64 = data["data"].text()});
    } else {
      return unsupported("Only texts and inline data are embedded by other vendors.", "content");
    }
  }
  if (out.parts.empty()) return wrong("There is nothing to embed.", "content");
  return {};
}

// Settings stand beside the content, or in embedContentConfig.
Result<void> read_settings(json::Value object, const std::string& pointer, EmbeddingRequest& out, EmbeddingInput& input,
                           Notes& notes) {
  for (const auto [key, value] : object.members()) {
    if (value.is_null() || key == "model") continue;
    if (key == "content") {
      TRY_VOID(read_content(value, input));
    } else if (is_name(key, "taskType")) {
      const auto row = std::ranges::find_if(purposes, [&](const Purpose& one) { return value.equals(one.word); });
      if (row != purposes.end()) {
        out.purpose = row->purpose;
      } else if (!value.equals("TASK_TYPE_UNSPECIFIED")) {
        notes.lost(pointer + '/' + json::pointer_token(key), "an unknown purpose");
      }
    } else if (key == "title") {
      input.title = value.text();
    } else if (is_name(key, "outputDimensionality")) {
      TRY(out.dimensions, read_dimensions(value, "outputDimensionality"));
    } else if (is_name(key, "autoTruncate")) {
      out.truncate = value.boolean().value_or(false) ? EmbeddingTruncate::end : EmbeddingTruncate::none;
    } else if (is_name(key, "embedContentConfig")) {
      TRY_VOID(read_settings(value, pointer + "/embedContentConfig", out, input, notes));
    } else {
      notes.lost(pointer + '/' + json::pointer_token(key), "embeddings elsewhere have no such setting");
    }
  }
  return {};
}

Result<EmbeddingRequest> read_one(std::string_view body, Notes& notes) {
  json::Document doc;
  TRY(const json::Value root, doc.parse(body));
  EmbeddingRequest out;
  out.at = {.inputs = "/content",
            .dimensions = "/outputDimensionality",
            .purpose = "/taskType",
            .truncate = "/embedContentConfig/autoTruncate",
            .title = "/title"};
  EmbeddingInput input;
  TRY_VOID(read_settings(root, "", out, input, notes));
  if (input.parts.empty()) return wrong("There is nothing to embed.", "content");
  out.inputs.push_back(std::move(input));
  return out;
}

Result<EmbeddingRequest> read_batch(std::string_view body, Notes& notes) {
  json::Document doc;
  TRY(const json::Value root, doc.parse(body));
  EmbeddingRequest out;
  out.at = {.inputs = "/requests",
            .dimensions = "/requests/0/outputDimensionality",
            .purpose = "/requests/0/taskType",
            .truncate = "/requests/0/embedContentConfig/autoTruncate",
            .title = "/requests/0/title"};
  for (const auto [key, value] : root.members()) {
    if (key != "requests" && key != "model")
      notes.lost('/' + json::pointer_token(key), "embeddings elsewhere have no such setting");
  }
  std::size_t at = 0;
  for (const json::Value one : root["requests"].elements()) {
    EmbeddingRequest single;
    EmbeddingInput input;
    TRY_VOID(read_settings(one, "/requests/" + std::to_string(at), single, input, notes));
    if (input.parts.empty()) return wrong("There is nothing to embed.", "requests");
    if (at++ == 0) {
      out.dimensions = single.dimensions;
      out.purpose = single.purpose;
      out.truncate = single.truncate;
    } else if (out.dimensions != single.dimensions || out.purpose != single.purpose ||
               out.truncate != single.truncate) {
      return unsupported("Requests whose settings differ go to no other vendor in one call.", "requests");
    }
    out.inputs.push_back(std::move(input));
  }
  if (out.inputs.empty()) return wrong("There is nothing to embed.", "requests");
  return out;
}

// The members of one request. Error: unsupported.
Result<void> write_one(json::Writer& w, const EmbeddingRequest& request, const EmbeddingInput& input) {
  w.key("content").begin_object().key("parts").begin_array();
  for (const auto& part : input.parts) {
    w.begin_object();
    if (const auto* image = std::get_if<EmbeddingImage>(&part)) {
      if (image->base64.empty())
        return unsupported("Gemini fetches no images for embeddings: send them inline.", param(request.at.inputs));
      w.key("inlineData").begin_object().member("mimeType", image->mime).member("data", image->base64).end_object();
    } else {
      w.member("text", std::get<std::string>(part));
    }
    w.end_object();
  }
  w.end_array().end_object();
  if (request.purpose) w.member("taskType", std::ranges::find(purposes, *request.purpose, &Purpose::purpose)->word);
  if (request.dimensions) w.member("outputDimensionality", *request.dimensions);
  if (!input.title.empty()) w.member("title", input.title);
  return {};
}

// Always several requests: one is a list of one.
Result<std::string> write_request(const EmbeddingRequest& request, std::string_view model, Notes& notes) {
  TRY_VOID(check_encodings(request, who, notes));
  if (request.truncate && !request.at.truncate.empty())
    notes.lost(std::string(request.at.truncate), "gemini decides what is too long");
  std::string out;
  json::Writer w(out);
  w.begin_object().key("requests").begin_array();
  for (const EmbeddingInput& input : request.inputs) {
    if (!input.tokens.empty())
      return unsupported("Tokens mean something to one model only; Gemini takes texts.", param(request.at.inputs));
    w.begin_object().member("model", "models/" + std::string(model));
    TRY_VOID(write_one(w, request, input));
    w.end_object();
  }
  w.end_array().end_object();
  return out;
}

Result<EmbeddingReply> read_reply(std::string_view body) {
  EmbeddingReply out;
  std::vector<std::string_view> vectors;
  const auto take = [&](std::string_view embedding) {
    const auto members = json::scan_object(embedding);
    if (!members) return false;
    const auto values = std::ranges::find(*members, "values", &json::TopMember::key);
    if (values == members->end()) return false;
    vectors.push_back(values->raw);
    return true;
  };
  const auto members = json::scan_object(body);
  if (!members) return no_reply(members.error()->message);
  for (const json::TopMember& member : *members) {
    if (member.key == "embedding") {
      if (!take(member.raw)) return no_reply("an embedding without values");
    } else if (member.key == "embeddings") {
      const auto rows = array_elements(member.raw);
      if (!rows || !std::ranges::all_of(*rows, take)) return no_reply("an embedding without values");
    } else if (member.key == "usageMetadata" && member.kind == json::Kind::object) {
      json::Document doc;
      const auto usage = doc.parse(member.raw);
      if (!usage) return no_reply("a broken usage");
      out.usage.input = (*usage)["promptTokenCount"].integer();
      out.usage.origin = DialectId::gemini;
      out.usage.raw = member.raw;
    }
  }
  TRY_VOID(add_vectors(out, floats, vectors));
  return out;
}

void end_reply(json::Writer& w, const Usage& usage) {
  if (usage.known()) w.key("usageMetadata").begin_object().member("promptTokenCount", usage.total_input()).end_object();
  w.end_object();
}

Result<std::string> write_one_reply(const EmbeddingReply& reply, const EmbeddingQuestion& question, Notes&) {
  TRY(const std::size_t inputs, count(reply, question));
  if (inputs != 1) return no_reply("more than one vector");
  std::string out, made;
  TRY(const std::string_view one, vector(reply, 0, floats, made));
  json::Writer w(out);
  w.begin_object().key("embedding").begin_object().member_raw("values", one).end_object();
  end_reply(w, reply.usage);
  return out;
}

Result<std::string> write_batch_reply(const EmbeddingReply& reply, const EmbeddingQuestion& question, Notes&) {
  TRY(const std::size_t inputs, count(reply, question));
  std::string out, made;
  json::Writer w(out);
  w.begin_object().key("embeddings").begin_array();
  for (std::size_t i = 0; i < inputs; ++i) {
    TRY(const std::string_view one, vector(reply, i, floats, made));
    w.begin_object().member_raw("values", one).end_object();
  }
  w.end_array();
  end_reply(w, reply.usage);
  return out;
}

}  // namespace

const EmbeddingCodec gemini_embedding = {read_one, write_request, read_reply, write_one_reply};
const EmbeddingCodec gemini_embeddings = {read_batch, write_request, read_reply, write_batch_reply};

}  // namespace sluice
