// Bedrock Converse, read: requests, replies and streams. Only for the trial of the contracts (trial_test.h).
// SPDX-License-Identifier: MIT
#include <utility>
#include <vector>

#include "base/text.h"
#include "dialects/seal_envelope.h"
#include "dialects/trial_test.h"
#include "wire/aws_eventstream.h"

namespace sluice::trial {
namespace {

constexpr DialectId self = DialectId::bedrock_converse;

// The one member of a union, or empty.
json::Member only(json::Value object) {
  for (const auto member : object.members()) {
    if (member.key != "p") return member;
  }
  return {};
}

Citation read_citation(json::Value citation) {
  Citation out{.title = citation["title"].text(), .origin = self, .raw = std::string(citation.raw())};
  out.url = citation["location"]["web"]["url"].text();
  for (const json::Value text : citation["sourceContent"].elements()) out.cited_text += text["text"].text();
  return out;
}

Part opaque(json::Value block) {
  return {.body = Opaque{.origin = self, .type = std::string(only(block).key), .raw = std::string(block.raw())}};
}

Part read_media(MediaKind kind, json::Value block) {
  const json::Value media = only(block).value;
  const json::Value source = media["source"];
  Media out{.kind = kind, .name = media["name"].text(), .origin = self};
  const std::string format = media["format"].text();
  out.mime = kind == MediaKind::image ? "image/" + format : format == "pdf" ? "application/pdf" : format;
  if (source["bytes"].is_string()) {
    out.form = MediaForm::base64;
    out.data = source["bytes"].text();
  } else if (source["s3Location"]["uri"].is_string() && source["s3Location"].size() == 1) {
    out.form = MediaForm::uri;
    out.data = source["s3Location"]["uri"].text();
  } else if (source["text"].is_string()) {
    out.form = MediaForm::text;
    out.data = source["text"].text();
  } else {
    return opaque(block);
  }
  Part part{.body = std::move(out)};
  read_rest(media, {"format", "name", "source"}, self, part.extras);
  return part;
}

void read_blocks(json::Value blocks, std::vector<Part>& out);

Part read_result(json::Value block) {
  const json::Value in = block["toolResult"];
  ToolResult result{.call_id = in["toolUseId"].text(), .is_error = in["status"].equals("error")};
  const json::Value content = in["content"];
  if (const json::Value whole = content.at(0)["json"]; content.size() == 1 && whole) {
    result.json = whole.raw();
  } else {
    for (const json::Value one : content.elements()) {
      if (const json::Value value = one["json"]) {
        // Among others the place counts: its text, with a memory of what it was.
        result.parts.push_back({.body = Text{.text = std::string(value.raw())}});
        result.parts.back().extras.add(self, "\x1fjson", "true");
      } else if (one["text"]) {
        result.parts.push_back({.body = Text{.text = one["text"].text()}});
      } else if (one["image"]) {
        result.parts.push_back(read_media(MediaKind::image, one));
      } else if (one["document"]) {
        result.parts.push_back(read_media(MediaKind::document, one));
      } else {
        result.parts.push_back(opaque(one));
      }
    }
  }
  Part part{.body = std::move(result)};
  if (in["status"].is_string()) part.extras.add(self, "\x1fstatus", in["status"].raw());
  read_rest(in, {"toolUseId", "status", "content"}, self, part.extras);
  return part;
}

// Tools that the vendor runs say their type; a plain one may be said as well.
bool is_server(json::Value tool) {
  const json::Value type = tool["type"];
  return type && !type.equals("tool_use") && !type.equals("tool_result");
}

Part read_block(json::Value block) {
  const auto [kind, value] = only(block);
  if (kind == "text") return {.body = Text{.text = value.text()}};
  if (kind == "toolUse" && !is_server(value)) {
    Part part{.body = ToolCall{.id = value["toolUseId"].text(),
                               .name = value["name"].text(),
                               .arguments = std::string(value["input"].raw())}};
    read_rest(value, {"toolUseId", "name", "input"}, self, part.extras);
    return part;
  }
  if ((kind == "toolUse" || kind == "toolResult") && is_server(value)) {
    return {.body = ServerTool{.origin = self,
                               .is_result = kind == "toolResult",
                               .id = value["toolUseId"].text(),
                               .name = value["name"].text(),
                               .raw = std::string(block.raw())}};
  }
  if (kind == "toolResult") return read_result(block);
  if (kind == "reasoningContent") {
    const json::Value text = value["reasoningText"];
    const json::Value proof = text ? text["signature"] : value["redactedContent"];
    Part part{.body = Reasoning{.text = text["text"].text(), .redacted = !text}};
    if (proof.is_string()) part.seal = read_seal(proof.text(), self);
    return part;
  }
  if (kind == "citationsContent") {
    Text text;
    for (const json::Value one : value["content"].elements()) text.text += one["text"].text();
    for (const json::Value one : value["citations"].elements()) text.citations.push_back(read_citation(one));
    return {.body = std::move(text)};
  }
  if (kind == "image") return read_media(MediaKind::image, block);
  if (kind == "document") return read_media(MediaKind::document, block);
  if (kind == "video") return read_media(MediaKind::video, block);
  if (kind == "audio") return read_media(MediaKind::audio, block);
  return opaque(block);
}

CacheMark read_mark(json::Value point) {
  CacheMark mark{.ttl = point["ttl"].text()};
  read_rest(point, {"type", "ttl"}, self, mark.extras);
  return mark;
}

// A cache point marks what stands before it.
void read_blocks(json::Value blocks, std::vector<Part>& out) {
  for (const json::Value block : blocks.elements()) {
    const json::Value point = block["cachePoint"];
    if (point && !out.empty() && !out.back().cache) {
      out.back().cache = read_mark(point);
    } else {
      out.push_back(read_block(block));
    }
  }
}

Usage read_usage(json::Value usage) {
  Usage out{.origin = self, .raw = std::string(usage.raw())};
  out.input = usage["inputTokens"].integer();
  out.output = usage["outputTokens"].integer();
  out.cache_read = usage["cacheReadInputTokens"].integer();
  out.cache_write_5m = usage["cacheWriteInputTokens"].integer();
  for (const json::Value detail : usage["cacheDetails"].elements()) {
    if (!detail["ttl"].equals("1h") || !out.cache_write_5m) continue;
    out.cache_write_1h = detail["inputTokens"].integer();
    *out.cache_write_5m -= out.cache_write_1h.value_or(0);
  }
  return out;
}

Stop read_stop(std::string word) {
  Stop stop{.raw = std::move(word), .origin = self};
  constexpr std::pair<std::string_view, StopKind> kinds[] = {{"end_turn", StopKind::end},
                                                             {"tool_use", StopKind::tool_calls},
                                                             {"max_tokens", StopKind::length},
                                                             {"stop_sequence", StopKind::stop_sequence},
                                                             {"guardrail_intervened", StopKind::content_filter},
                                                             {"content_filtered", StopKind::content_filter},
                                                             {"malformed_model_output", StopKind::error},
                                                             {"malformed_tool_use", StopKind::malformed_tool},
                                                             {"model_context_window_exceeded", StopKind::context_full},
                                                             {"refusal", StopKind::refusal},
                                                             {"pause_turn", StopKind::pause}};
  for (const auto& [name, kind] : kinds) {
    if (name == stop.raw) stop.kind = kind;
  }
  return stop;
}

Result<Reply> read_reply(std::string_view body) {
  json::Document doc;
  TRY(const json::Value root, doc.parse(body));
  if (!root["output"]["message"].is_object()) return fail(broken("no output"));
  Reply reply{.origin = self};
  Choice choice;
  read_blocks(root["output"]["message"]["content"], choice.parts);
  choice.stop = read_stop(root["stopReason"].text());
  read_rest(root["output"]["message"], {"role", "content"}, self, choice.message_extras);
  reply.choices.push_back(std::move(choice));
  reply.usage = read_usage(root["usage"]);
  reply.service_tier = root["serviceTier"]["type"].string();
  read_rest(root, {"output", "stopReason", "usage", "serviceTier"}, self, reply.extras);
  return reply;
}

Turn read_message(json::Value message) {
  Turn turn{.role = message["role"].equals("assistant") ? Role::assistant : Role::user};
  if (message["role"].equals("system")) turn.role = Role::system;
  read_blocks(message["content"], turn.parts);
  read_rest(message, {"role", "content"}, self, turn.extras);
  return turn;
}

void read_tools(json::Value config, ChatRequest& out) {
  for (const json::Value one : config["tools"].elements()) {
    const json::Value spec = one["toolSpec"];
    if (const json::Value point = one["cachePoint"]; point && !out.tools.empty()) {
      out.tools.back().cache = read_mark(point);
    } else if (!spec) {
      out.tools.push_back(
          {.vendor_raw = std::string(one.raw()), .vendor_type = std::string(only(one).key), .origin = self});
    } else {
      Tool tool{.name = spec["name"].text(), .description = spec["description"].text(), .origin = self};
      tool.schema = spec["inputSchema"]["json"].raw();
      tool.strict = spec["strict"].boolean();
      read_rest(spec, {"name", "description", "inputSchema", "strict"}, self, tool.extras);
      out.tools.push_back(std::move(tool));
    }
  }
  const auto [kind, value] = only(config["toolChoice"]);
  if (kind == "auto") out.tool_choice = ToolChoice{};
  if (kind == "any") out.tool_choice = ToolChoice{.kind = ChoiceKind::required};
  if (kind == "tool") out.tool_choice = ToolChoice{.kind = ChoiceKind::one, .names = {value["name"].text()}};
}

Result<ChatRequest> read_request(const Asked& asked) {
  json::Document doc;
  TRY(const json::Value root, doc.parse(asked.body));
  ChatRequest out{.origin = self, .model = std::string(asked.path_model), .stream = asked.path_streams};
  if (Turn system{.role = Role::system}; root["system"]) {
    read_blocks(root["system"], system.parts);
    out.turns.push_back(std::move(system));
  }
  for (const json::Value message : root["messages"].elements()) out.turns.push_back(read_message(message));
  const json::Value inference = root["inferenceConfig"];
  out.max_output = inference["maxTokens"].integer();
  if (const json::Value t = inference["temperature"]) out.sampling.temperature = std::string(t.raw());
  if (const json::Value t = inference["topP"]) out.sampling.top_p = std::string(t.raw());
  for (const json::Value word : inference["stopSequences"].elements()) out.stop.push_back(word.text());
  read_tools(root["toolConfig"], out);
  const json::Value format = root["outputConfig"]["textFormat"]["structure"]["jsonSchema"];
  if (format) {
    // The schema is a string here: JSON inside.
    out.format = OutputFormat{.kind = FormatKind::json_schema,
                              .name = format["name"].text(),
                              .description = format["description"].text(),
                              .schema = format["schema"].text()};
  }
  out.reasoning.effort = root["outputConfig"]["effort"].text();
  const json::Value thinking = root["additionalModelRequestFields"]["thinking"];
  if (thinking) out.reasoning.mode = ReasoningMode::on;
  out.reasoning.budget = thinking["budget_tokens"].integer();
  if (root["requestMetadata"].is_object()) out.metadata = std::string(root["requestMetadata"].raw());
  out.service_tier = root["serviceTier"]["type"].string();
  read_rest(root,
            {"system", "messages", "inferenceConfig", "toolConfig", "outputConfig", "requestMetadata", "serviceTier"},
            self, out.extras);
  return out;
}

class EventFramer final : public Framer {
 public:
  void feed(std::string_view bytes) override { inner_.feed(bytes); }
  [[nodiscard]] Result<std::optional<Frame>> next() override {
    TRY(const auto message, inner_.next());
    if (!message) return std::nullopt;
    Frame frame{.event = message->event_type, .data = message->payload, .raw = message->raw};
    frame.failure = message->message_type == "exception" || message->message_type == "error";
    if (message->message_type == "error") frame.data = message->text(":error-message");
    return frame;
  }
  [[nodiscard]] Result<std::optional<Frame>> end() override {
    if (inner_.held() > 0) return fail(broken("the stream ended inside an event-stream message"));
    return std::nullopt;
  }

 private:
  aws_eventstream::Framer inner_;
};

// `name`: an exception's, in a stream's frame or in the header of a whole reply.
Error read_exception(std::string_view name, std::string_view body) {
  Error error{.fault = Fault::upstream_failed, .message = std::string(body), .code = std::string(name)};
  json::Document doc;
  if (const auto root = doc.parse(body); root && (*root)["message"].is_string()) {
    error.message = (*root)["message"].text();
  }
  const auto is = [&](std::string_view word) { return iequals(name, word); };
  if (is("ThrottlingException") || is("ServiceQuotaExceededException")) error.fault = Fault::upstream_limited;
  if (is("ServiceUnavailableException")) error.fault = Fault::upstream_overloaded;
  if (is("ValidationException")) error.fault = Fault::upstream_rejected;
  if (is("AccessDeniedException")) error.fault = Fault::upstream_denied;
  return error;
}
Error read_failure(const Frame& frame) {
  return read_exception(frame.event, frame.data);
}

class Reader final : public StreamReader {
 public:
  void read(const Frame& frame, std::vector<Event>& out) override {
    if (over_) return;
    out_ = &out;
    if (frame.failure) return failed(read_failure(frame));
    json::Document doc;
    const auto root = doc.parse(frame.data);
    if (!root || !root->is_object()) return failed(broken("an event that is no JSON object"));
    if (frame.event == "messageStart") {
      if (!std::exchange(begun_, true)) out.emplace_back(Begin{.reply = {.origin = self}});
    } else if (!begun_) {
      return failed(broken("an event before messageStart"));
    } else if (frame.event == "contentBlockStart") {
      on_start(*root);
    } else if (frame.event == "contentBlockDelta") {
      on_delta(*root);
    } else if (frame.event == "contentBlockStop") {
      close();
    } else if (frame.event == "messageStop") {
      close();
      complete_ = true;
      out.emplace_back(Finish{.stop = read_stop((*root)["stopReason"].text())});
      read_rest(*root, {"stopReason", "p"}, self, end_.extras);
    } else if (frame.event == "metadata" && complete_) {
      // Only now: the usage stands behind the stop.
      if ((*root)["usage"].is_object()) out.emplace_back(UsageSeen{read_usage((*root)["usage"])});
      end_.service_tier = (*root)["serviceTier"]["type"].string();
      read_rest(*root, {"usage", "serviceTier", "p"}, self, end_.extras);
      over_ = true;
      out.emplace_back(std::move(end_));
    } else {
      out.emplace_back(OpaqueEvent{.origin = self, .type = std::string(frame.event), .raw = std::string(frame.data)});
    }
  }

  void end(std::vector<Event>& out) override {
    out_ = &out;
    if (over_) return;
    if (!complete_) return failed(broken("the stream ended without messageStop"));
    over_ = true;
    out.emplace_back(std::move(end_));
  }

  Sight observe(const Frame& frame) override {
    Sight sight;
    if (over_) return sight;
    if (frame.failure) sight.error = read_failure(frame);
    sight.content = frame.event == "contentBlockDelta" && !frame.failure;
    complete_ |= frame.event == "messageStop" && !frame.failure;
    if (frame.event == "metadata" && complete_) {
      sight.terminal = true;
      json::Document doc;
      if (const auto root = doc.parse(frame.data)) sight.usage = read_usage((*root)["usage"]);
    }
    over_ = sight.terminal || sight.error;
    return sight;
  }
  [[nodiscard]] bool complete() const override { return complete_; }

 private:
  enum class Open : std::uint8_t { none, text, thinking, call, held };

  void failed(Error error) {
    over_ = true;
    complete_ = false;
    out_->emplace_back(Failed{std::move(error)});
  }
  void open(Open kind, Part part) {
    if (open_ == kind) return;
    close();
    open_ = kind;
    out_->emplace_back(BlockStart{.block = next_, .part = std::move(part)});
  }
  void grow(json::Value text) {
    if (text.raw().size() > 2) out_->emplace_back(Delta{.block = next_, .text = text.text()});
  }

  void on_start(json::Value root) {
    close();
    const auto [kind, value] = only(root["start"]);
    if (kind == "toolUse" && !is_server(value)) {
      Part part{.body = ToolCall{.id = value["toolUseId"].text(), .name = value["name"].text()}};
      read_rest(value, {"toolUseId", "name"}, self, part.extras);
      return open(Open::call, std::move(part));
    }
    held_ = "{\"" + std::string(kind) + "\":" + std::string(value.raw()) + '}';
    held_growth_.clear();
    open_ = Open::held;
  }

  void on_delta(json::Value root) {
    const auto [kind, value] = only(root["delta"]);
    if (open_ == Open::held) {
      // Input comes as pieces of text, results as lists to be joined.
      std::string scratch;
      const std::string_view piece = kind == "toolUse" ? value["input"].view(scratch) : value.raw();
      if (kind == "toolUse") {
        held_growth_ += piece;
      } else if (piece.size() > 2) {
        held_growth_ += (held_growth_.empty() ? "" : ",") + std::string(piece.substr(1, piece.size() - 2));
      }
    } else if (kind == "text") {
      open(Open::text, {.body = Text{}});
      grow(value);
    } else if (kind == "citation") {
      open(Open::text, {.body = Text{}});
      out_->emplace_back(CitationSeen{0, next_, read_citation(value)});
    } else if (kind == "toolUse" && open_ == Open::call) {
      grow(value["input"]);
    } else if (kind == "reasoningContent") {
      const json::Value hidden = value["redactedContent"];
      open(Open::thinking, {.body = Reasoning{.redacted = hidden.is_string()}});
      grow(value["text"]);
      seal_ += hidden.text() + value["signature"].text();
    } else {
      out_->emplace_back(OpaqueEvent{.origin = self, .type = "contentBlockDelta", .raw = std::string(root.raw())});
    }
  }

  void close() {
    if (open_ == Open::none) return;
    BlockStop stop{.block = next_};
    if (open_ == Open::held) {
      json::Document doc;
      const auto block = doc.parse(held_);
      const bool call = block && (*block)["toolUse"];
      const std::string value = call ? held_growth_ : '[' + held_growth_ + ']';
      const json::Edit grown{.pointer = call ? "/toolUse/input" : "/toolResult/content",
                             .value = value.empty() ? "{}" : value};
      if (auto whole = json::apply(held_, std::span(&grown, 1)); whole && json::valid(grown.value)) held_ = *whole;
      json::Document again;
      if (const auto whole = again.parse(held_)) {
        Part part = read_block(*whole);
        if (auto* image = part.as<Media>()) held_growth_ = std::exchange(image->data, {});
        const bool grows = part.as<Media>() != nullptr;
        out_->emplace_back(BlockStart{.block = next_, .part = std::move(part)});
        if (grows) out_->emplace_back(Delta{.block = next_, .text = held_growth_});
      }
    }
    if (!seal_.empty()) stop.seal = read_seal(std::exchange(seal_, {}), self);
    out_->emplace_back(std::move(stop));
    open_ = Open::none;
    ++next_;
  }

  std::vector<Event>* out_ = nullptr;
  bool begun_ = false, over_ = false, complete_ = false;
  Open open_ = Open::none;
  std::int64_t next_ = 0;
  std::string seal_, held_, held_growth_;
  End end_;
};

std::unique_ptr<Framer> framer() {
  return std::make_unique<EventFramer>();
}
std::unique_ptr<StreamReader> stream_reader() {
  return std::make_unique<Reader>();
}

}  // namespace

Error bedrock_error(int status, std::string_view body, std::string_view kind) {
  Error error = read_exception(kind.substr(0, kind.find(':')), body);
  error.status = status;
  return error;
}

const Wire& bedrock() {
  static constexpr Wire wire{.id = self,
                             .content_type = "application/vnd.amazon.eventstream",
                             .read_request = read_request,
                             .read_reply = read_reply,
                             .framer = framer,
                             .stream_reader = stream_reader,
                             .stream_writer = bedrock_stream_writer};
  return wire;
}

}  // namespace sluice::trial
