// SPDX-License-Identifier: MIT
#include "dialects/anthropic/blocks.h"

#include <algorithm>
#include <utility>

#include "dialects/seal_envelope.h"

namespace sluice::anthropic {
namespace {

constexpr DialectId self = DialectId::anthropic;
constexpr std::string_view result_suffix = "_tool_result";

std::unexpected<Failure> wrong(std::string words) {
  return fail(Fault::bad_request, std::move(words));
}

Part opaque(std::string_view type, json::Value block) {
  return {.body = Opaque{.origin = self, .type = std::string(type), .raw = std::string(block.raw())}};
}

Result<Part> read_text(json::Value block) {
  const auto [text, citations, mark] = block.pick("text", "citations", "cache_control");
  if (!text.is_string()) return wrong("text: Field required");
  Text body{.text = text.text()};
  for (const json::Value citation : citations.elements()) body.citations.push_back(read_citation(citation));
  Part part{.body = std::move(body), .cache = read_cache_mark(mark)};
  read_extras(block, {"type", "text", "citations", "cache_control"}, part.extras);
  return part;
}

// Image and document blocks. A source that is none of the known shapes stays as it is.
Part read_media(MediaKind kind, std::string_view type, json::Value block) {
  const json::Value source = block["source"];
  const std::string form = source["type"].text();
  Media media{.kind = kind, .origin = self};
  std::size_t known = 2;
  if (form == "base64" && source["data"].is_string() && source["media_type"].is_string()) {
    media.form = MediaForm::base64;
    media.data = source["data"].text();
    media.mime = source["media_type"].text();
    known = 3;
  } else if (form == "url" && source["url"].is_string()) {
    media.form = MediaForm::url;
    media.data = source["url"].text();
  } else if (form == "file" && source["file_id"].is_string()) {
    media.form = MediaForm::file_id;
    media.data = source["file_id"].text();
  } else if (form == "text" && source["data"].is_string() && kind == MediaKind::document) {
    media.form = MediaForm::text;
    media.data = source["data"].text();
    media.mime = source["media_type"].text();
    known = 3;
  } else if (form == "content" && source["content"] && kind == MediaKind::document) {
    media.form = MediaForm::blocks;
    media.data = std::string(source["content"].raw());
  } else {
    return opaque(type, block);
  }
  if (source.size() != known) return opaque(type, block);
  if (kind == MediaKind::document) media.name = block["title"].text();
  Part part{.body = std::move(media), .cache = read_cache_mark(block["cache_control"])};
  if (kind == MediaKind::document) {
    read_extras(block, {"type", "source", "title", "cache_control"}, part.extras);
  } else {
    read_extras(block, {"type", "source", "cache_control"}, part.extras);
  }
  return part;
}

Result<Part> read_thinking(json::Value block) {
  const auto text = block["thinking"].string();
  if (!text) return wrong("thinking: Field required");
  Part part{.body = Reasoning{.text = *text}};
  if (const std::string signature = block["signature"].text(); !signature.empty()) {
    part.seal = read_seal(signature, self);
  }
  read_extras(block, {"type", "thinking", "signature"}, part.extras);
  return part;
}

Result<Part> read_redacted(json::Value block) {
  const auto data = block["data"].string();
  if (!data) return wrong("data: Field required");
  Belongs belongs = Belongs::itself;
  Part part{.body = Reasoning{.redacted = true}, .seal = read_seal_data(*data, belongs)};
  read_extras(block, {"type", "data"}, part.extras);
  return part;
}

Result<Part> read_tool_use(json::Value block) {
  const auto id = block["id"].string();
  const auto name = block["name"].string();
  if (!id) return wrong("id: Field required");
  if (!name) return wrong("name: Field required");
  Part part{.body = ToolCall{.id = *id, .name = *name, .arguments = std::string(block["input"].raw())},
            .cache = read_cache_mark(block["cache_control"])};
  read_extras(block, {"type", "id", "name", "input", "cache_control"}, part.extras);
  return part;
}

Result<Part> read_tool_result(json::Value block) {
  const auto id = block["tool_use_id"].string();
  if (!id) return wrong("tool_use_id: Field required");
  ToolResult result{.call_id = *id, .is_error = block["is_error"].boolean().value_or(false)};
  TRY_VOID(read_content(block["content"], "content", result.parts, result.plain_string));
  Part part{.body = std::move(result), .cache = read_cache_mark(block["cache_control"])};
  read_extras(block, {"type", "tool_use_id", "content", "is_error", "cache_control"}, part.extras);
  return part;
}

Part read_server_tool(bool is_result, std::string_view type, json::Value block) {
  ServerTool tool{.origin = self, .is_result = is_result, .raw = std::string(block.raw())};
  tool.id = block[is_result ? "tool_use_id" : "id"].text();
  tool.name = is_result ? std::string(server_tool_of(type)) : block["name"].text();
  return {.body = std::move(tool)};
}

}  // namespace

std::string_view server_tool_of(std::string_view block_type) {
  if (block_type.ends_with(result_suffix)) block_type.remove_suffix(result_suffix.size());
  return block_type;
}

Result<Part> read_block(json::Value block) {
  std::string scratch;
  const std::string_view type = block["type"].view(scratch);
  if (type.empty()) return wrong("Input does not match the expected shape.");
  if (type == "text") return read_text(block);
  if (type == "tool_use") return read_tool_use(block);
  if (type == "tool_result") return read_tool_result(block);
  if (type == "thinking") return read_thinking(block);
  if (type == "redacted_thinking") return read_redacted(block);
  if (type == "image") return read_media(MediaKind::image, type, block);
  if (type == "document") return read_media(MediaKind::document, type, block);
  if (type == "server_tool_use" || type == "mcp_tool_use") return read_server_tool(false, type, block);
  if (type.ends_with(result_suffix) || type == "mcp_tool_result") return read_server_tool(true, type, block);
  return opaque(type, block);
}

Result<void> read_content(json::Value content, std::string_view place, std::vector<Part>& parts, bool& plain_string) {
  if (content.is_string()) {
    plain_string = true;
    parts.push_back(Part{.body = Text{.text = content.text()}});
    return {};
  }
  if (content && !content.is_array() && !content.is_null()) {
    return wrong(std::string(place) + ": Input should be a valid list");
  }
  parts.reserve(parts.size() + content.size());
  std::optional<Seal> travelled;  // a proof that belongs to the next block
  std::size_t index = 0;
  for (const json::Value block : content.elements()) {
    Belongs belongs = Belongs::itself;
    if (block["type"].equals("redacted_thinking")) {
      Seal seal = read_seal_data(block["data"].text(), belongs);
      if (belongs == Belongs::next) travelled = std::move(seal);
      if (belongs == Belongs::previous && !parts.empty()) parts.back().seal = std::move(seal);
    }
    if (belongs == Belongs::itself || belongs == Belongs::thought) {
      auto part = read_block(block);
      if (!part) {
        Error error = std::move(part).error();
        error.message = std::string(place) + '.' + std::to_string(index) + '.' + error.message;
        return fail(std::move(error));
      }
      if (travelled) part->seal = std::exchange(travelled, std::nullopt);
      parts.push_back(*std::move(part));
    }
    ++index;
  }
  return {};
}

Citation read_citation(json::Value citation) {
  Citation out{.origin = self, .raw = std::string(citation.raw())};
  out.url = citation["url"].text();
  out.title = citation[citation["title"] ? "title" : "document_title"].text();
  out.cited_text = citation["cited_text"].text();
  return out;
}

std::optional<CacheMark> read_cache_mark(json::Value mark) {
  if (!mark.is_object()) return std::nullopt;
  CacheMark out{.ttl = mark["ttl"].text()};
  for (const auto [key, value] : mark.members()) {
    if (key == "ttl" || value.is_null() || (key == "type" && value.equals("ephemeral"))) continue;
    out.extras.add(self, key, value.raw());
  }
  return out;
}

void read_extras(json::Value object, std::initializer_list<std::string_view> known, Extras& extras) {
  for (const auto [key, value] : object.members()) {
    if (value.is_null() || std::ranges::find(known, key) != known.end()) continue;
    extras.add(self, key, value.raw());
  }
}

void write_cache_mark(json::Writer& out, const CacheMark& mark) {
  out.key("cache_control").begin_object();
  const bool own = mark.extras.origin == self;
  const bool typed = own && std::ranges::any_of(mark.extras.members, [](const Extra& x) { return x.key == "type"; });
  if (!typed) out.member("type", "ephemeral");
  // The vendor has two lifetimes; 30m and less elsewhere is what 5m is here.
  if (!mark.ttl.empty()) {
    const bool known = mark.ttl == "5m" || mark.ttl == "1h" || own;
    out.member("ttl", known ? mark.ttl : mark.ttl.ends_with('h') ? std::string_view("1h") : std::string_view("5m"));
  }
  if (own) {
    for (const Extra& x : mark.extras.members) out.member_raw(x.key, x.raw);
  }
  out.end_object();
}

std::string_view citation_json(const Citation& citation) {
  return citation.origin == self ? std::string_view(citation.raw) : std::string_view();
}

void write_citations(json::Writer& out, const std::vector<Citation>& citations, std::size_t& lost) {
  const auto own = [](const Citation& c) { return !citation_json(c).empty(); };
  lost = citations.size() - static_cast<std::size_t>(std::ranges::count_if(citations, own));
  if (lost == citations.size()) return;
  out.key("citations").begin_array();
  for (const Citation& citation : citations) {
    if (own(citation)) out.raw(citation_json(citation));
  }
  out.end_array();
}

}  // namespace sluice::anthropic
