// Reading. SPDX-License-Identifier: MIT
#include "dialects/bedrock_converse/blocks.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "dialects/bedrock_converse/formats.h"
#include "dialects/spare.h"

namespace sluice::bedrock_converse {
namespace {

using json::Value;

constexpr std::array kinds = std::to_array<std::string_view>(
    {"text", "image", "document", "video", "audio", "toolUse", "toolResult", "guardContent", "cachePoint",
     "reasoningContent", "citationsContent", "searchResult", "toolAddition", "toolRemoval", "json"});

Part opaque(std::string_view kind, Value block) {
  return {.body = Opaque{.origin = self, .type = std::string(kind), .raw = std::string(block.raw())}};
}

// Unknown members of what the kind's member holds, and of the block beside it.
void spare(Part& part, Value block, std::string_view kind, Value inside,
           std::initializer_list<std::string_view> known) {
  for (const auto [key, value] : inside.members()) {
    if (value.is_null() || std::ranges::find(known, key) != known.end()) continue;
    add_inner(part.extras, self, kind, key, value.raw());
  }
  read_rest(block, {kind}, part.extras);
}

// The texts of a list of {"text": …}; false when there is something else in it.
bool join_texts(Value list, std::string_view between, std::string& out) {
  bool first = true;
  for (const Value one : list.elements()) {
    if (!one["text"].is_string() || one.size() != 1) return false;
    if (!std::exchange(first, false)) out += between;
    out += one["text"].text();
  }
  return list.is_array();
}

Part read_media(MediaKind media_kind, std::string_view kind, Value block) {
  const Value inside = block[kind];
  const auto [format, name, source] = inside.pick("format", "name", "source");
  Media media{.kind = media_kind, .name = name.text(), .origin = self};
  media.mime = mime_of_format(media_kind, format.text());
  Part part;
  const Value place = source["s3Location"];
  if (source.size() != 1) return opaque(kind, block);
  if (source["bytes"].is_string()) {
    media.form = MediaForm::base64;
    media.data = source["bytes"].text();
  } else if (place["uri"].is_string()) {
    media.form = MediaForm::uri;
    media.data = place["uri"].text();
    if (place.size() > 1) remember(part.extras, self, location_memory, place.raw());
  } else if (source["text"].is_string()) {
    media.form = MediaForm::text;
    media.data = source["text"].text();
  } else if (join_texts(source["content"], "\n\n", media.data)) {
    media.form = MediaForm::text;
    remember(part.extras, self, content_memory, source["content"].raw());
  } else {
    return opaque(kind, block);
  }
  part.body = std::move(media);
  spare(part, block, kind, inside, {"format", "name", "source"});
  return part;
}

Part read_result_item(Value item) {
  const auto [kind, inside] = kind_of(item);
  if (kind != "json" || item.size() != 1) return read_block(item);
  Part part{.body = Text{.text = std::string(inside.raw())}};
  remember(part.extras, self, json_memory);
  return part;
}

Part read_result(Value block) {
  const Value inside = block["toolResult"];
  const auto [id, status, content] = inside.pick("toolUseId", "status", "content");
  ToolResult result{.call_id = id.text(), .is_error = status.equals("error")};
  Part part;
  const Value alone = content.size() == 1 ? content.at(0) : Value();
  if (alone["json"].is_object() && alone.size() == 1) {
    result.json = std::string(alone["json"].raw());
  } else {
    for (const Value item : content.elements()) result.parts.push_back(read_result_item(item));
  }
  part.body = std::move(result);
  if (status.equals("success")) remember(part.extras, self, status_memory);
  const bool known = status.equals("success") || status.equals("error");
  spare(part, block, "toolResult", inside, {"toolUseId", "content", known ? "status" : "content"});
  return part;
}

Part read_call(Value block) {
  const Value inside = block["toolUse"];
  const auto [id, name, input, type] = inside.pick("toolUseId", "name", "input", "type");
  Part part{.body = ToolCall{.id = id.text(), .name = name.text(), .arguments = std::string(input.raw())}};
  if (type.is_string()) remember(part.extras, self, type_memory);
  spare(part, block, "toolUse", inside, {"toolUseId", "name", "input", "type"});
  return part;
}

Part read_server_tool(std::string_view kind, Value block) {
  const auto [id, name] = block[kind].pick("toolUseId", "name");
  return {.body = ServerTool{.origin = self,
                             .is_result = kind == "toolResult",
                             .id = id.text(),
                             .name = name.text(),
                             .raw = std::string(block.raw())}};
}

Part read_reasoning(Value block) {
  const Value inside = block["reasoningContent"];
  const auto [said, redacted] = inside.pick("reasoningText", "redactedContent");
  if (redacted.is_string()) {
    Belongs belongs = Belongs::itself;
    Part part{.body = Reasoning{}, .seal = read_redacted(redacted.text(), belongs)};
    part.as<Reasoning>()->redacted = belongs != Belongs::thought;
    spare(part, block, "reasoningContent", inside, {"redactedContent"});
    return part;
  }
  const auto [text, signature] = said.pick("text", "signature");
  if (!text.is_string()) return opaque("reasoningContent", block);
  Part part{.body = Reasoning{.text = text.text()}};
  if (const std::string proof = signature.text(); !proof.empty()) part.seal = read_seal(proof, self);
  spare(part, block, "reasoningContent", inside, {"reasoningText"});
  return part;
}

Part read_cited(Value block) {
  const Value inside = block["citationsContent"];
  const auto [content, citations] = inside.pick("content", "citations");
  Text text;
  Part part;
  if (!content) {
    remember(part.extras, self, bare_memory);
  } else if (!join_texts(content, "", text.text)) {
    return opaque("citationsContent", block);
  } else if (content.size() != 1) {
    remember(part.extras, self, content_memory, content.raw());
  }
  for (const Value one : citations.elements()) text.citations.push_back(read_citation(one));
  if (text.citations.empty()) remember(part.extras, self, cited_memory);
  part.body = std::move(text);
  spare(part, block, "citationsContent", inside, {"content", "citations"});
  return part;
}

Part read_guarded(Value block) {
  const Value text = block[guard]["text"]["text"];
  if (!text.is_string() || block[guard].size() != 1) return opaque(guard, block);
  Part part{.body = Text{.text = text.text()}};
  read_rest(block, {}, part.extras);
  return part;
}

// A proof that belongs to a neighbour.
std::optional<Seal> travelled(Value block, Belongs& belongs) {
  const Value redacted = block["reasoningContent"]["redactedContent"];
  if (!redacted.is_string()) return std::nullopt;
  Seal seal = read_redacted(redacted.text(), belongs);
  const bool beside = belongs == Belongs::next || belongs == Belongs::previous;
  return beside ? std::optional(std::move(seal)) : std::nullopt;
}

}  // namespace

json::Member kind_of(Value block) {
  for (const auto member : block.members()) {
    if (std::ranges::find(kinds, member.key) != kinds.end()) return member;
  }
  return {};
}

bool runs_itself(Value tool) {
  const Value type = tool["type"];
  return type && !type.is_null() && !type.equals("tool_use") && !type.equals("tool_result");
}

Part read_block(Value block) {
  const auto [kind, inside] = kind_of(block);
  if (kind == "text" && inside.is_string()) {
    Part part{.body = Text{.text = inside.text()}};
    read_rest(block, {"text"}, part.extras);
    return part;
  }
  if (kind == guard) return read_guarded(block);
  const bool tool = kind == "toolUse" || kind == "toolResult";
  if (tool && runs_itself(inside)) return read_server_tool(kind, block);
  if (kind == "toolUse") return read_call(block);
  if (kind == "toolResult") return read_result(block);
  if (kind == "reasoningContent") return read_reasoning(block);
  if (kind == "citationsContent") return read_cited(block);
  if (kind == "image") return read_media(MediaKind::image, kind, block);
  if (kind == "document") return read_media(MediaKind::document, kind, block);
  if (kind == "video") return read_media(MediaKind::video, kind, block);
  if (kind == "audio") return read_media(MediaKind::audio, kind, block);
  return opaque(kind.empty() && block.size() > 0 ? (*block.members().begin()).key : kind, block);
}

void read_blocks(Value blocks, std::vector<Part>& out, bool history) {
  out.reserve(out.size() + blocks.size());
  std::optional<Seal> next;
  for (const Value block : blocks.elements()) {
    Belongs belongs = Belongs::itself;
    const Value point = block["cachePoint"];
    if (point.is_object() && !out.empty() && !out.back().cache && out.back().as<Opaque>() == nullptr) {
      out.back().cache = read_mark(point);
      continue;
    }
    if (auto seal = travelled(block, belongs)) {
      if (belongs == Belongs::next) next = std::move(seal);
      if (belongs == Belongs::previous && !out.empty()) out.back().seal = std::move(seal);
      continue;
    }
    const Value cited = block["citationsContent"];
    out.push_back(history && cited.is_object() && !cited["content"] ? opaque("citationsContent", block)
                                                                    : read_block(block));
    if (next) out.back().seal = std::exchange(next, std::nullopt);
  }
}

Citation read_citation(Value citation) {
  Citation out{.origin = self, .raw = std::string(citation.raw())};
  const auto [title, source, content, location] = citation.pick("title", "source", "sourceContent", "location");
  out.title = title.text();
  out.url = location["web"]["url"].text();
  if (out.url.empty() && source.text().starts_with("http")) out.url = source.text();
  for (const Value piece : content.elements()) out.cited_text += piece["text"].text();
  return out;
}

CacheMark read_mark(Value point) {
  CacheMark mark{.ttl = point["ttl"].text()};
  for (const auto [key, value] : point.members()) {
    if (key == "ttl" || value.is_null() || (key == "type" && value.equals("default"))) continue;
    mark.extras.add(self, key, value.raw());
  }
  return mark;
}

Seal read_redacted(std::string_view data, Belongs& belongs) {
  const auto decoded = base64_decode(data);
  return read_seal_beside(decoded && decoded->starts_with("gw1.") ? std::string_view(*decoded) : data, self, belongs);
}

void read_rest(Value object, std::initializer_list<std::string_view> known, Extras& extras) {
  for (const auto [key, value] : object.members()) {
    if (!value.is_null() && std::ranges::find(known, key) == known.end()) extras.add(self, key, value.raw());
  }
}

}  // namespace sluice::bedrock_converse
