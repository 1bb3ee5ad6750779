// Reading. SPDX-License-Identifier: MIT
#include "dialects/cohere/message.h"

#include <algorithm>
#include <utility>

#include "dialects/data_url.h"
#include "dialects/seal_envelope.h"
#include "dialects/spare.h"

namespace sluice::cohere {
namespace {

using json::Value;

void spare(Extras& extras, Value object, std::initializer_list<std::string_view> known) {
  for (const auto [key, value] : object.members()) {
    if (std::ranges::find(known, key) == known.end()) extras.add(self, key, value.raw());
  }
}

void spare_inner(Extras& extras, Value object, std::string_view inner, std::initializer_list<std::string_view> known) {
  for (const auto [key, value] : object.members()) {
    if (std::ranges::find(known, key) == known.end()) add_inner(extras, self, inner, key, value.raw());
  }
}

Part opaque(Value part) {
  return {.body = Opaque{.origin = self, .type = part["type"].text(), .raw = std::string(part.raw())}};
}

// Our own extension: the vendor signs nothing.
void read_signature(Value signature, Part& part) {
  if (const std::string text = signature.text(); !text.empty()) part.seal = read_seal(text, self);
}

Part read_image(Value part) {
  const Value inside = part["image_url"];
  if (!inside["url"].is_string()) return opaque(part);
  Media media{.kind = MediaKind::image, .data = inside["url"].text(), .origin = self};
  if (const auto data = read_data_url(media.data)) {
    media.form = MediaForm::base64;
    media.mime = std::string(data->mime);
    media.data = std::string(data->base64);
  }
  media.detail = inside["detail"].text();
  Part out{.body = std::move(media)};
  spare_inner(out.extras, inside, "image_url", {"url", "detail"});
  spare(out.extras, part, {"type", "image_url"});
  return out;
}

Part read_thinking(Value part) {
  const auto [text, signature, redacted] = part.pick("thinking", "signature", "redacted");
  Part out{.body = Reasoning{.text = text.text(), .redacted = redacted.boolean().value_or(false)}};
  read_signature(signature, out);
  spare(out.extras, part, {"type", "thinking", "signature", "redacted"});
  return out;
}

// A document as the content of a tool's result. Text is what every other dialect takes there.
Part read_document(Value part) {
  const auto [data, id] = part["document"].pick("data", "id");
  if (!data.is_object() && !data.is_string()) return opaque(part);
  Part out{.body = Text{.text = document_text(data, false).text}};
  remember(out.extras, self, document_memory, data.raw());
  if (id && !id.is_null()) add_inner(out.extras, self, "document", "id", id.raw());
  spare_inner(out.extras, part["document"], "document", {"data", "id"});
  spare(out.extras, part, {"type", "document"});
  return out;
}

// To the text that the citation stands in: by its index, by its type, or the first. False: there is none.
bool place_citation(Value citation, std::vector<Part>& parts) {
  const auto [index, type] = citation.pick("content_index", "type");
  Part* found = nullptr;
  if (const auto at = index.integer()) {
    if (*at >= 0 && static_cast<std::size_t>(*at) < parts.size()) found = &parts[static_cast<std::size_t>(*at)];
  } else if (!type.equals("THINKING_CONTENT")) {
    const bool plan = type.equals("PLAN");
    for (Part& part : parts) {
      if (found == nullptr && part.as<Text>() != nullptr && is_plan(part) == plan) found = &part;
    }
  }
  if (found == nullptr || found->as<Text>() == nullptr) return false;
  found->as<Text>()->citations.push_back(read_citation(citation));
  return true;
}

void place_citations(Value list, MessageParts& out) {
  std::string rest;
  for (const Value citation : list.elements()) {
    if (place_citation(citation, out.parts)) continue;
    rest += rest.empty() ? "[" : ",";
    rest += citation.raw();
  }
  if (!rest.empty()) out.extras.add(self, "citations", rest + ']');
}

std::unexpected<Failure> wrong(std::string_view place, std::string_view member, std::string_view words) {
  Error error{.fault = Fault::bad_request, .param = std::string(place) + std::string(member)};
  error.message = "invalid request: " + error.param + ' ' + std::string(words);
  return fail(std::move(error));
}

}  // namespace

bool is_document(const Part& part) {
  return !remembered(part.extras, self, document_memory).empty();
}

bool is_plan(const Part& part) {
  return !remembered(part.extras, self, plan_memory).empty();
}

DocumentText document_text(Value data, bool title_apart) {
  DocumentText out;
  if (data.is_string()) return {.text = data.text()};
  std::string rest;
  json::Writer writer(rest);
  writer.begin_object();
  std::size_t others = 0;
  Value only;
  for (const auto [key, value] : data.members()) {
    if (title_apart && key == "title" && value.is_string()) {
      out.title = value.text();
      continue;
    }
    ++others;
    only = key == "text" ? value : Value();
    writer.member_raw(key, json::compact(value.raw()));
  }
  writer.end_object();
  out.text = others == 1 && only.is_string() ? only.text() : std::move(rest);
  return out;
}

std::string document_data(const Part& part, std::string_view text, std::string_view title) {
  const std::string_view said = remembered(part.extras, self, document_memory);
  if (json::Document doc; !said.empty()) {
    const auto data = doc.parse(said);
    const DocumentText same = data ? document_text(*data, part.as<Media>() != nullptr) : DocumentText{};
    if (data && same.text == text && same.title == title) return std::string(said);
  }
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  if (!title.empty()) writer.member("title", title);
  writer.member("text", text).end_object();
  return out;
}

Part read_content_part(Value part) {
  std::string scratch;
  const std::string_view type = part["type"].view(scratch);
  if (type == "text" && part["text"].is_string()) {
    Part out{.body = Text{.text = part["text"].text()}};
    read_signature(part["signature"], out);
    spare(out.extras, part, {"type", "text", "signature"});
    return out;
  }
  if (type == "image_url") return read_image(part);
  if (type == "thinking" && part["thinking"].is_string()) return read_thinking(part);
  if (type == "document") return read_document(part);
  return opaque(part);
}

Part read_tool_call(Value call) {
  const auto [id, function, signature] = call.pick("id", "function", "signature");
  const auto [name, arguments] = function.pick("name", "arguments");
  ToolCall body{.id = id.text(), .name = name.text()};
  body.id_made_up = body.id.empty();
  if (!arguments.is_null()) body.arguments = arguments.is_string() ? arguments.text() : std::string(arguments.raw());
  Part out{.body = std::move(body)};
  read_signature(signature, out);
  spare_inner(out.extras, function, "function", {"name", "arguments"});
  spare(out.extras, call, {"id", "type", "function", "signature"});
  return out;
}

Citation read_citation(Value citation) {
  const auto [start, end, sources] = citation.pick("start", "end", "sources");
  const Value source = sources.at(0);
  const Value document = source["document"];
  Citation out{.url = document["url"].text(),
               .title = document["title"].text(),
               .start = start.integer(),
               .end = end.integer(),
               .origin = self,
               .raw = json::compact(citation.raw())};
  out.cited_text = document["text"].is_string() ? document["text"].text() : document["snippet"].text();
  if (out.cited_text.empty()) out.cited_text = source["tool_output"]["content"].text();
  return out;
}

Result<MessageParts> read_message(Value message, std::string_view place) {
  MessageParts out;
  const auto [content, plan, calls, citations] = message.pick("content", "tool_plan", "tool_calls", "citations");
  if (content.is_string()) {
    out.plain_string = true;
    out.parts.push_back({.body = Text{.text = content.text()}});
  } else if (content && !content.is_null() && !content.is_array()) {
    return wrong(place, ".content", "must be a string or a list of content blocks");
  }
  for (const Value part : content.elements()) out.parts.push_back(read_content_part(part));
  if (std::string text = plan.text(); !text.empty()) {
    Part part{.body = Text{.text = std::move(text)}};
    remember(part.extras, self, plan_memory);
    out.parts.push_back(std::move(part));
  }
  if (calls && !calls.is_null() && !calls.is_array()) return wrong(place, ".tool_calls", "must be a list");
  for (const Value call : calls.elements()) out.parts.push_back(read_tool_call(call));
  place_citations(citations, out);
  spare(out.extras, message, {"role", "content", "tool_plan", "tool_calls", "citations", "tool_call_id"});
  return out;
}

}  // namespace sluice::cohere
