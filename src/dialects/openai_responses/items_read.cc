// SPDX-License-Identifier: MIT
#include <algorithm>
#include <utility>

#include "dialects/data_url.h"
#include "dialects/openai_responses/items.h"
#include "dialects/seal_envelope.h"
#include "dialects/spare.h"

namespace sluice::openai_responses {
namespace {

using json::Value;
using Known = std::initializer_list<std::string_view>;

// A null says as much as its absence.
template <class Add>
void each_other(Value object, Known known, Add add) {
  for (const auto [key, value] : object.members()) {
    if (!value.is_null() && std::ranges::find(known, key) == known.end()) add(key, value.raw());
  }
}

void spare(Extras& out, Value object, Known known) {
  each_other(object, known, [&](std::string_view key, std::string_view raw) { out.add(self, key, raw); });
}

// A member of the item, among the extras of a part that stands as deep in it as `place` says.
void add_item_member(Extras& out, std::string_view place, std::string_view key, std::string_view raw) {
  switch (std::ranges::count(place, '/')) {
    case 0: return out.add(self, key, raw);
    case 1: return add_inner(out, self, "..", key, raw);
    default: return add_inner(out, self, "../..", key, raw);
  }
}

Part opaque(Value value) {
  return {.body = Opaque{.origin = self, .type = value["type"].text(), .raw = std::string(value.raw())}};
}

void place_url(Media& media, std::string url) {
  if (const auto data = read_data_url(url)) {
    media.form = MediaForm::base64;
    media.mime = std::string(data->mime);
    media.data = std::string(data->base64);
  } else {
    media.form = MediaForm::url;
    media.data = std::move(url);
  }
}

std::optional<CacheMark> read_cache_mark(Value mark) {
  if (!mark.is_object()) return std::nullopt;
  CacheMark out{.ttl = mark["ttl"].text()};
  for (const auto [key, value] : mark.members()) {
    if (key != "ttl" && !(key == "mode" && value.equals("explicit"))) out.extras.add(self, key, value.raw());
  }
  remember(out.extras, self, "breakpoint");
  return out;
}

Part read_image(Value content) {
  Media media{.kind = MediaKind::image, .detail = content["detail"].text(), .origin = self};
  if (content["image_url"].is_string()) {
    place_url(media, content["image_url"].text());
  } else if (content["file_id"].is_string()) {
    media.form = MediaForm::file_id;
    media.data = content["file_id"].text();
  } else {
    return opaque(content);
  }
  return {.body = std::move(media)};
}

Part read_file(Value content) {
  Media media{.kind = MediaKind::document, .name = content["filename"].text(), .origin = self};
  media.detail = content["detail"].text();
  if (content["file_data"].is_string()) {
    place_url(media, content["file_data"].text());
    if (media.form == MediaForm::url) return opaque(content);  // base64 without a word about what it is
  } else if (content["file_url"].is_string()) {
    media.form = MediaForm::url;
    media.data = content["file_url"].text();
  } else if (content["file_id"].is_string()) {
    media.form = MediaForm::file_id;
    media.data = content["file_id"].text();
  } else {
    return opaque(content);
  }
  if (media.mime.starts_with("image/")) media.kind = MediaKind::image;
  Part out{.body = std::move(media)};
  remember(out.extras, self, memory::file);
  return out;
}

bool is_text(std::string_view type) {
  return type == "output_text" || type == "input_text" || type == "text";
}

void read_message(Value item, std::size_t place, Side side, std::vector<Part>& out) {
  const Value content = item["content"];
  const bool said = !item["role"] || item["role"].equals("assistant");
  const std::size_t first = out.size();
  std::string last = std::to_string(place);
  std::string begin = last;
  if (content.is_string()) {
    last += "/content";
    begin = last;
    Part& part = out.emplace_back(Part{.body = Text{.text = content.text()}});
    part.extras.members.reserve(2);
    remember(part.extras, self, memory::at, last);
    remember(part.extras, self, memory::string);
  }
  std::size_t index = 0;
  for (const Value one : content.elements()) {
    last = place_of(place, "content", index++);
    if (index == 1) begin = last;
    Part& part = out.emplace_back(read_content(one, said, side));
    remember(part.extras, self, memory::at, last);
  }
  if (out.size() == first) {
    Part& part = out.emplace_back(Part{.body = Text{}});
    remember(part.extras, self, memory::at, last);
    remember(part.extras, self, memory::empty);
  }
  read_beginning(item, begin, out[first].extras);
  read_rest(item, last, out.back().extras);
}

void read_reasoning(Value item, std::size_t place, Side side, std::vector<Part>& out) {
  const std::size_t first = out.size();
  std::string last = std::to_string(place);
  std::string begin = last;
  for (const std::string_view list : {"summary", "content"}) {
    std::size_t index = 0;
    for (const Value one : item[list].elements()) {
      last = place_of(place, list, index++);
      Part& part = out.emplace_back(read_content(one, true, side));
      remember(part.extras, self, memory::at, last);
      if (out.size() == first + 1) begin = last;
    }
  }
  if (out.size() == first) {
    Part& part = out.emplace_back(Part{.body = Reasoning{.redacted = true}});
    remember(part.extras, self, memory::at, last);
  }
  read_beginning(item, begin, out[first].extras);
  read_rest(item, last, out.back().extras);
  out.back().seal = read_proof(item);
}

}  // namespace

std::string place_of(std::size_t item, std::string_view list, std::size_t index) {
  std::string out = std::to_string(item);
  out += '/';
  out += list;
  out += '/';
  out += std::to_string(index);
  return out;
}

std::string_view item_of(const Part& part) {
  const std::string_view at = remembered(part.extras, self, memory::at);
  return at.substr(0, at.find('/'));
}

bool of_item(const Part& part, const Extra& extra) {
  if (extra.key.starts_with("..")) return true;
  const std::string_view at = remembered(part.extras, self, memory::at);
  return !at.empty() && at.find('/') == std::string_view::npos && extra.key.find('\x1f') == std::string::npos;
}

ItemKind kind_of_item(Value item) {
  const Value type = item["type"];
  if (!type || type.equals("message")) return ItemKind::message;
  if (type.equals("reasoning")) return ItemKind::reasoning;
  if (type.equals("function_call")) return ItemKind::call;
  if (type.equals("custom_tool_call")) return ItemKind::custom_call;
  if (type.equals("image_generation_call")) return item["result"].is_string() ? ItemKind::image : ItemKind::hosted;
  for (const std::string_view hosted :
       {"web_search_call", "file_search_call", "code_interpreter_call", "mcp_call", "mcp_list_tools"}) {
    if (type.equals(hosted)) return ItemKind::hosted;
  }
  return ItemKind::other;
}

bool waits_for_client(Value item) {
  const Value type = item["type"];
  for (const std::string_view waits : {"function_call", "custom_tool_call", "computer_call", "local_shell_call",
                                       "shell_call", "apply_patch_call", "mcp_approval_request"}) {
    if (type.equals(waits)) return true;
  }
  return type.equals("tool_search_call") && item["execution"].equals("client");
}

void read_beginning(Value item, std::string_view place, Extras& out) {
  if (item["id"].is_string()) remember(out, self, memory::id, item["id"].raw());
  if (const Value phase = item["phase"]; phase && !phase.is_null()) add_item_member(out, place, "phase", phase.raw());
}

void read_rest(Value item, std::string_view place, Extras& out) {
  if (item["status"].is_string()) remember(out, self, memory::status, item["status"].raw());
  const auto add = [&](std::string_view key, std::string_view raw) { add_item_member(out, place, key, raw); };
  switch (kind_of_item(item)) {
    case ItemKind::message: return each_other(item, {"type", "role", "id", "phase", "status", "content"}, add);
    case ItemKind::reasoning:
      return each_other(item, {"type", "id", "phase", "status", "summary", "content", "encrypted_content"}, add);
    case ItemKind::call: return each_other(item, {"type", "id", "call_id", "name", "arguments", "status"}, add);
    case ItemKind::custom_call: return each_other(item, {"type", "id", "call_id", "name", "input", "status"}, add);
    case ItemKind::image: return each_other(item, {"type", "id", "result", "status", "output_format"}, add);
    case ItemKind::hosted:
    case ItemKind::other: return;
  }
}

std::optional<Seal> read_proof(Value item) {
  const std::string proof = item["encrypted_content"].text();
  if (proof.empty()) return std::nullopt;
  Belongs belongs = Belongs::itself;
  return read_seal_beside(proof, self, belongs);
}

void hand_out_seals(std::vector<Part>& parts, std::size_t from) {
  for (std::size_t i = from; i < parts.size(); ++i) {
    const auto* reasoning = parts[i].as<Reasoning>();
    if (reasoning == nullptr || !reasoning->redacted || !parts[i].seal || parts[i].seal->dialect == self) continue;
    const std::string_view word = remembered(parts[i].extras, self, "belongs");
    if (word.empty()) continue;
    const std::size_t owner = word == "next" ? i + 1 : i - 1;  // below the first it is too large
    if (owner >= parts.size() || owner + 1 <= from || parts[owner].seal) continue;
    parts[owner].seal = std::move(parts[i].seal);
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(i--));
  }
}

Part read_call(Value item, std::string_view place) {
  const bool custom = kind_of_item(item) == ItemKind::custom_call;
  ToolCall call{.id = item["call_id"].text(), .native_id = item["id"].text(), .name = item["name"].text()};
  call.kind = custom ? ToolKind::custom : ToolKind::function;
  const Value arguments = item[custom ? "input" : "arguments"];
  // Some services send an object.
  call.arguments = arguments.is_object() ? std::string(arguments.raw()) : arguments.text();
  Part out{.body = std::move(call)};
  remember(out.extras, self, memory::at, place);
  return out;
}

std::optional<Part> read_whole(Value item, std::string_view place) {
  Part part;
  switch (kind_of_item(item)) {
    case ItemKind::message:
    case ItemKind::reasoning:
    case ItemKind::call:
    case ItemKind::custom_call: return std::nullopt;
    case ItemKind::image: {
      const std::string format = item["output_format"].text();
      part.body = Media{.form = MediaForm::base64,
                        .data = item["result"].text(),
                        .mime = "image/" + (format.empty() ? "png" : format),
                        .origin = self};
      remember(part.extras, self, memory::at, place);
      if (!format.empty()) remember(part.extras, self, memory::format, item["output_format"].raw());
      read_beginning(item, place, part.extras);
      read_rest(item, place, part.extras);
      return part;
    }
    case ItemKind::hosted: {
      std::string name = item["type"].text();
      if (name.ends_with("_call")) name.resize(name.size() - 5);
      part.body =
          ServerTool{.origin = self, .id = item["id"].text(), .name = std::move(name), .raw = std::string(item.raw())};
      break;
    }
    case ItemKind::other: part = opaque(item); break;
  }
  remember(part.extras, self, memory::at, place);
  return part;
}

void read_item(Value item, std::size_t place, Side side, std::vector<Part>& out) {
  switch (kind_of_item(item)) {
    case ItemKind::message: return read_message(item, place, side, out);
    case ItemKind::reasoning: {
      read_reasoning(item, place, side, out);
      Belongs belongs = Belongs::itself;
      static_cast<void>(read_seal_beside(item["encrypted_content"].text(), self, belongs));
      if (belongs == Belongs::next) remember(out.back().extras, self, "belongs", "next");
      if (belongs == Belongs::previous) remember(out.back().extras, self, "belongs", "previous");
      if (belongs == Belongs::thought) {
        out.back().as<Reasoning>()->redacted = false;
        remember(out.back().extras, self, "belongs", "thought");
      }
      return;
    }
    case ItemKind::call:
    case ItemKind::custom_call:
      out.push_back(read_call(item, std::to_string(place)));
      return read_rest(item, std::to_string(place), out.back().extras);
    case ItemKind::image:
    case ItemKind::hosted:
    case ItemKind::other: out.push_back(*read_whole(item, std::to_string(place))); return;
  }
}

Part read_content(Value content, bool said, Side side) {
  std::string scratch;
  const std::string_view type = content["type"].view(scratch);
  Part part;
  if (is_text(type) && content["text"].is_string()) {
    Text text{.text = content["text"].text()};
    for (const Value one : content["annotations"].elements()) text.citations.push_back(read_annotation(one));
    part.body = std::move(text);
    if (type != (said ? "output_text" : "input_text")) remember(part.extras, self, memory::type, content["type"].raw());
  } else if (type == "refusal" && content["refusal"].is_string()) {
    part.body = Refusal{.text = content["refusal"].text()};
  } else if (type == "input_image") {
    part = read_image(content);
  } else if (type == "input_file") {
    part = read_file(content);
  } else if ((type == "summary_text" || type == "reasoning_text") && content["text"].is_string()) {
    part.body = Reasoning{.text = content["text"].text(), .summary = type == "summary_text"};
  } else {
    return opaque(content);
  }
  if (part.as<Opaque>()) return part;
  part.cache = read_cache_mark(content["prompt_cache_breakpoint"]);
  read_content_rest(content, side, part.extras);
  return part;
}

void read_content_rest(Value content, Side side, Extras& out) {
  std::string scratch;
  const std::string_view type = content["type"].view(scratch);
  if (is_text(type)) {
    // An empty list of logprobs stands everywhere and says nothing.
    if (side == Side::answered || content["logprobs"].size() == 0) {
      return spare(out, content, {"type", "text", "annotations", "logprobs", "prompt_cache_breakpoint"});
    }
    return spare(out, content, {"type", "text", "annotations", "prompt_cache_breakpoint"});
  }
  if (type == "refusal") return spare(out, content, {"type", "refusal"});
  if (type == "input_image") {
    return spare(
        out, content,
        {"type", "detail", content["image_url"].is_string() ? "image_url" : "file_id", "prompt_cache_breakpoint"});
  }
  if (type == "input_file") {
    const std::string_view form = content["file_data"].is_string()  ? "file_data"
                                  : content["file_url"].is_string() ? "file_url"
                                                                    : "file_id";
    return spare(out, content, {"type", "filename", "detail", form, "prompt_cache_breakpoint"});
  }
  if (type == "summary_text" || type == "reasoning_text") spare(out, content, {"type", "text"});
}

Citation read_annotation(Value annotation) {
  return {.url = annotation["url"].text(),
          .title = annotation[annotation["title"].is_string() ? "title" : "filename"].text(),
          .start = annotation["start_index"].integer(),
          .end = annotation["end_index"].integer(),
          .origin = self,
          .raw = std::string(annotation.raw())};
}

std::optional<RawJson> read_logprobs(Value list) {
  if (!list.is_array() || list.size() == 0) return std::nullopt;
  return "{\"content\":" + json::compact(list.raw()) + ",\"refusal\":null}";
}

std::string logprob_elements(std::string_view lines) {
  std::string out;
  while (!lines.empty()) {
    const auto end = std::min(lines.find('\n'), lines.size());
    json::Document doc;
    if (const auto one = doc.parse(lines.substr(0, end))) {
      for (const Value token : (*one)["content"].elements()) {
        if (!out.empty()) out += ',';
        out += token.raw();
      }
    }
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  return out;
}

void write_item_members(json::Writer& out, const Part& part) {
  if (part.extras.origin != self) return;
  for (const Extra& extra : part.extras.members) {
    if (!of_item(part, extra)) continue;
    const auto split = extra.key.find('\x1f');
    out.member_raw(split == std::string::npos ? extra.key : extra.key.substr(split + 1), extra.raw);
  }
}

}  // namespace sluice::openai_responses
