// OpenAI Responses, read: requests, replies and streams. Only for the trial of the contracts (trial_test.h).
// SPDX-License-Identifier: MIT
#include <map>
#include <utility>
#include <vector>

#include "dialects/seal_envelope.h"
#include "dialects/sse_framer.h"
#include "dialects/trial_test.h"

namespace sluice::trial {
namespace {

constexpr DialectId self = DialectId::openai_responses;

bool is_hosted(std::string_view type) {
  return type == "web_search_call" || type == "file_search_call" || type == "code_interpreter_call" ||
         type == "mcp_call" || type == "mcp_list_tools";
}

Citation read_annotation(json::Value annotation) {
  return {.url = annotation["url"].text(),
          .title = annotation[annotation["title"] ? "title" : "filename"].text(),
          .start = annotation["start_index"].integer(),
          .end = annotation["end_index"].integer(),
          .origin = self,
          .raw = std::string(annotation.raw())};
}

// What every part of an item carries, so that the parts of one item are known to be one; the rest of an item's unknown
// members goes to its last part: a stream has it only then.
void read_identity(json::Value item, Extras& out) {
  for (const std::string_view key : {"id", "phase"}) {
    if (const json::Value value = item[key]; value && !value.is_null()) out.add(self, key, value.raw());
  }
}

void read_late(json::Value item, Extras& out) {
  const json::Value type = item["type"];
  if (type.equals("function_call") || type.equals("custom_tool_call")) {
    read_rest(item, {"type", "id", "call_id", "name", "namespace", "arguments", "input"}, self, out);
  } else if (type.equals("image_generation_call")) {
    read_rest(item, {"type", "id", "result"}, self, out);
  } else if (type.equals("message") || type.equals("reasoning") || !type) {
    read_rest(item, {"type", "role", "id", "phase", "content", "summary", "encrypted_content"}, self, out);
  }
}

std::optional<Seal> read_proof(json::Value item) {
  if (const auto raw = item["encrypted_content"].string()) return read_seal(*raw, self);
  return std::nullopt;
}

Part read_content(json::Value content, json::Value item) {
  Part part;
  const json::Value type = content["type"];
  if (type.equals("output_text") || type.equals("input_text") || content.is_string()) {
    Text text{.text = content.is_string() ? content.text() : content["text"].text()};
    for (const json::Value a : content["annotations"].elements()) text.citations.push_back(read_annotation(a));
    part.body = std::move(text);
  } else if (type.equals("refusal")) {
    part.body = Refusal{content["refusal"].text()};
  } else if (type.equals("input_image")) {
    const bool by_id = content["file_id"].is_string();
    part.body = Media{.form = by_id ? MediaForm::file_id : MediaForm::url,
                      .data = content[by_id ? "file_id" : "image_url"].text(),
                      .detail = content["detail"].text(),
                      .origin = self};
  } else if (type.equals("summary_text") || type.equals("reasoning_text")) {
    part.body = Reasoning{.text = content["text"].text(), .summary = type.equals("summary_text")};
  } else {
    part.body = Opaque{.origin = self, .type = type.text(), .raw = std::string(content.raw())};
  }
  read_identity(item, part.extras);
  return part;
}

Part read_call(json::Value item, bool custom) {
  ToolCall call{.id = item["call_id"].text(), .native_id = item["id"].text(), .name = item["name"].text()};
  call.name_space = item["namespace"].text();
  call.kind = custom ? ToolKind::custom : ToolKind::function;
  call.arguments = item[custom ? "input" : "arguments"].text();
  return {.body = std::move(call)};
}

ToolResult read_result(json::Value item) {
  ToolResult result{.call_id = item["call_id"].text(), .name = item["name"].text()};
  result.plain_string = item["output"].is_string();
  if (result.plain_string) result.parts.push_back({.body = Text{.text = item["output"].text()}});
  for (const json::Value content : item["output"].elements()) result.parts.push_back(read_content(content, {}));
  return result;
}

// Parts of items that are told whole, also in streams.
std::optional<Part> read_whole(json::Value item) {
  const std::string type = item["type"].text();
  if (type == "image_generation_call" && item["result"].is_string()) {
    Part part{.body = Media{.form = MediaForm::base64, .data = item["result"].text(), .origin = self}};
    read_identity(item, part.extras);
    read_late(item, part.extras);
    return part;
  }
  if (type == "message" || type == "reasoning" || type == "function_call" || type == "custom_tool_call") {
    return std::nullopt;
  }
  const std::string raw(item.raw());
  if (!is_hosted(type)) return Part{.body = Opaque{.origin = self, .type = type, .raw = raw}};
  const auto end = type.rfind("_call");
  return Part{.body = ServerTool{.origin = self, .id = item["id"].text(), .name = type.substr(0, end), .raw = raw}};
}

// What an item without any content is.
Part read_empty(json::Value item) {
  Part part{.body = Text{}};
  if (item["type"].equals("reasoning")) part.body = Reasoning{.redacted = true};
  read_identity(item, part.extras);
  return part;
}

void read_item(json::Value item, std::vector<Part>& out) {
  if (auto whole = read_whole(item)) return out.push_back(*std::move(whole));
  const std::size_t before = out.size();
  const json::Value type = item["type"];
  if (type.equals("function_call") || type.equals("custom_tool_call")) {
    out.push_back(read_call(item, type.equals("custom_tool_call")));
  }
  for (const json::Value summary : item["summary"].elements()) out.push_back(read_content(summary, item));
  for (const json::Value content : item["content"].elements()) out.push_back(read_content(content, item));
  if (out.size() == before) out.push_back(read_empty(item));
  read_late(item, out.back().extras);
  out.back().seal = read_proof(item);
}

Usage read_usage(json::Value usage) {
  Usage out{.origin = self, .raw = std::string(usage.raw())};
  const json::Value in = usage["input_tokens_details"];
  out.cache_read = in["cached_tokens"].integer();
  out.cache_write_5m = in["cache_write_tokens"].integer();
  out.reasoning = usage["output_tokens_details"]["reasoning_tokens"].integer();
  if (const auto all = usage["input_tokens"].integer()) {
    out.input = *all - out.cache_read.value_or(0) - out.cache_write_5m.value_or(0);
  }
  if (const auto all = usage["output_tokens"].integer()) out.output = *all - out.reasoning.value_or(0);
  return out;
}

Stop read_stop(json::Value response, bool calls, bool refused) {
  Stop stop{.raw = response["status"].text(), .origin = self};
  const json::Value why = response["incomplete_details"];
  if (stop.raw == "incomplete") {
    stop.kind = why["reason"].equals("content_filter") ? StopKind::content_filter : StopKind::length;
    stop.detail = why.raw();
  } else if (stop.raw == "completed") {
    stop.kind = calls ? StopKind::tool_calls : refused ? StopKind::refusal : StopKind::end;
  }
  return stop;
}

Error read_failure(json::Value error) {
  const std::string code = error["code"].text();
  const bool limit = code == "rate_limit_exceeded" || code == "insufficient_quota";
  return {.fault = limit ? Fault::upstream_limited : Fault::upstream_failed,
          .message = error["message"].text(),
          .code = code,
          .param = error["param"].text()};
}

void read_head(json::Value response, Reply& out) {
  out.origin = self;
  out.id = response["id"].text();
  out.model = response["model"].text();
  out.created = response["created_at"].integer();
  read_rest(response,
            {"id", "object", "model", "created_at", "output", "usage", "status", "incomplete_details", "error",
             "service_tier"},
            self, out.extras);
}

Result<Reply> read_reply(std::string_view body) {
  json::Document doc;
  TRY(const json::Value root, doc.parse(body));
  if (root["error"].is_object()) return fail(read_failure(root["error"]));
  Reply reply;
  read_head(root, reply);
  reply.service_tier = root["service_tier"].string();
  Choice choice;
  for (const json::Value item : root["output"].elements()) {
    read_item(item, choice.parts);
    for (const json::Value content : item["content"].elements()) {
      if (content["logprobs"].size() > 0) choice.logprobs = content["logprobs"].raw();
    }
  }
  const auto has = [&](auto test) { return std::ranges::any_of(choice.parts, test); };
  choice.stop = read_stop(root, has([](const Part& p) { return p.as<ToolCall>() != nullptr; }),
                          has([](const Part& p) { return p.as<Refusal>() != nullptr; }));
  reply.choices.push_back(std::move(choice));
  if (root["usage"].is_object()) reply.usage = read_usage(root["usage"]);
  return reply;
}

// Items of one message and its reasoning and calls stand one behind the other: one turn each keeps their order.
Turn read_turn(json::Value item) {
  Turn turn{.role = Role::assistant};
  const std::string type = item["type"].text();
  if (type == "function_call_output" || type == "custom_tool_call_output") {
    turn.role = Role::tool;
    Part part{.body = read_result(item)};
    read_rest(item, {"type", "call_id", "name", "output"}, self, part.extras);
    turn.parts.push_back(std::move(part));
    return turn;
  }
  const json::Value role = item["role"];
  if (role.equals("user")) turn.role = Role::user;
  if (role.equals("system")) turn.role = Role::system;
  if (role.equals("developer")) turn.role = Role::developer;
  if (!item["content"].is_string()) {
    read_item(item, turn.parts);
    return turn;
  }
  turn.plain_string = true;
  turn.parts.push_back(read_content(item["content"], item));
  return turn;
}

Tool read_tool(json::Value in) {
  Tool tool{.name = in["name"].text(), .description = in["description"].text(), .origin = self};
  if (!in["type"].equals("function")) {
    tool.vendor_type = in["type"].text();
    tool.vendor_raw = in.raw();
    return tool;
  }
  tool.schema = in["parameters"].raw();
  tool.strict = in["strict"].boolean();
  read_rest(in, {"type", "name", "description", "parameters", "strict"}, self, tool.extras);
  return tool;
}

ToolChoice read_choice(json::Value in) {
  ToolChoice choice{.origin = self};
  if (in.equals("none")) choice.kind = ChoiceKind::none;
  if (in.equals("required")) choice.kind = ChoiceKind::required;
  if (in["type"].equals("function")) {
    choice.kind = ChoiceKind::one;
    choice.names.push_back(in["name"].text());
  } else if (in["type"].equals("allowed_tools")) {
    choice.kind = ChoiceKind::subset;
    choice.subset_required = in["mode"].equals("required");
    for (const json::Value tool : in["tools"].elements()) choice.names.push_back(tool["name"].text());
  } else if (in.is_object()) {
    choice.raw = in.raw();
  }
  return choice;
}

void read_text_settings(json::Value text, ChatRequest& out) {
  if (text["verbosity"].is_string()) out.verbosity = text["verbosity"].text();
  const json::Value format = text["format"];
  if (!format) return;
  OutputFormat form{.name = format["name"].text(), .description = format["description"].text()};
  if (format["type"].equals("json_object")) form.kind = FormatKind::json_object;
  if (format["type"].equals("json_schema")) form.kind = FormatKind::json_schema;
  form.schema = format["schema"].raw();
  form.strict = format["strict"].boolean();
  out.format = std::move(form);
}

Result<ChatRequest> read_request(const Asked& asked) {
  json::Document doc;
  TRY(const json::Value root, doc.parse(asked.body));
  ChatRequest out{.origin = self, .model = root["model"].text(), .stream = root["stream"].boolean().value_or(false)};
  if (root["instructions"].is_string()) {
    // Not an item of `input`: the memory says so.
    Turn turn{.role = Role::developer, .parts = {{.body = Text{.text = root["instructions"].text()}}}};
    turn.extras.add(self, "\x1finstructions", "true");
    out.turns.push_back(std::move(turn));
  }
  if (root["input"].is_string()) {
    out.turns.push_back({.parts = {{.body = Text{.text = root["input"].text()}}}, .plain_string = true});
  }
  for (const json::Value item : root["input"].elements()) out.turns.push_back(read_turn(item));
  for (const json::Value tool : root["tools"].elements()) out.tools.push_back(read_tool(tool));
  if (root["tool_choice"]) out.tool_choice = read_choice(root["tool_choice"]);
  out.parallel_tools = root["parallel_tool_calls"].boolean();
  read_text_settings(root["text"], out);
  if (const json::Value t = root["temperature"]) out.sampling.temperature = std::string(t.raw());
  out.max_output = root["max_output_tokens"].integer();
  out.reasoning.effort = root["reasoning"]["effort"].text();
  out.reasoning.display = root["reasoning"]["summary"].text();
  read_rest(root["reasoning"], {"effort", "summary"}, self, out.reasoning.extras);
  out.cache_key = root["prompt_cache_key"].string();
  if (root["metadata"].is_object()) out.metadata = std::string(root["metadata"].raw());
  out.service_tier = root["service_tier"].string();
  read_rest(root,
            {"model", "stream", "instructions", "input", "tools", "tool_choice", "parallel_tool_calls", "text",
             "temperature", "max_output_tokens", "reasoning", "prompt_cache_key", "metadata", "service_tier"},
            self, out.extras);
  return out;
}

// One item is open at a time; what comes for another one meanwhile waits.
class Reader final : public StreamReader {
 public:
  void read(const Frame& frame, std::vector<Event>& out) override {
    if (over_ || frame.comment || frame.data == "[DONE]") return;
    out_ = &out;
    json::Document doc;
    const auto root = doc.parse(frame.data);
    if (!root || !root->is_object()) return failed(broken("a stream event that is no JSON object"));
    const std::string type = (*root)["type"].text();
    if (type == "error") return failed(read_failure((*root)["error"].is_object() ? (*root)["error"] : *root));
    if (type == "response.created") return on_created((*root)["response"]);
    if (type == "response.failed") return on_failed((*root)["response"]);
    if (!begun_) return;
    if (type == "response.completed" || type == "response.incomplete") return on_end((*root)["response"]);
    if (const auto index = (*root)["output_index"].integer()) return route(*index, *root, frame.data);
    if (type == "keepalive") return static_cast<void>(out.emplace_back(Ping{}));
    if (type != "response.in_progress") opaque(*root);
  }

  void end(std::vector<Event>& out) override {
    out_ = &out;
    if (!over_) failed(broken("the stream ended without its last response"));
  }

  Sight observe(const Frame& frame) override {
    Sight sight;
    json::Document doc;
    const auto root = doc.parse(frame.data);
    if (over_ || frame.comment || !root) return sight;
    const json::Value type = (*root)["type"];
    sight.content = type.text().ends_with(".delta");
    sight.terminal = type.equals("response.completed") || type.equals("response.incomplete");
    if (type.equals("error")) sight.error = read_failure((*root)["error"].is_object() ? (*root)["error"] : *root);
    if (type.equals("response.failed")) sight.error = read_failure((*root)["response"]["error"]);
    if (const json::Value usage = (*root)["response"]["usage"]; usage.is_object()) sight.usage = read_usage(usage);
    complete_ |= sight.terminal;
    over_ |= sight.terminal || sight.error;
    return sight;
  }
  [[nodiscard]] bool complete() const override { return complete_; }

 private:
  void failed(Error error) {
    over_ = true;
    out_->emplace_back(Failed{std::move(error)});
  }
  void opaque(json::Value root) {
    out_->emplace_back(OpaqueEvent{.origin = self, .type = root["type"].text(), .raw = std::string(root.raw())});
  }

  void on_created(json::Value response) {
    if (std::exchange(begun_, true)) return;
    Begin begin;  // the tier stays for the end: here it is only what was asked for
    read_head(response, begin.reply);
    head_ = begin.reply.extras;
    out_->emplace_back(std::move(begin));
  }

  void on_failed(json::Value response) {
    if (begun_ && response["usage"].is_object()) out_->emplace_back(UsageSeen{read_usage(response["usage"])});
    failed(read_failure(response["error"]));
  }

  void on_end(json::Value response) {
    while (item_ || !waiting_.empty()) {
      if (item_) close({});
      drain();
    }
    over_ = complete_ = true;
    if (response["usage"].is_object()) out_->emplace_back(UsageSeen{read_usage(response["usage"])});
    out_->emplace_back(Finish{.stop = read_stop(response, calls_, refused_)});
    Reply last;
    read_head(response, last);
    End end{.service_tier = response["service_tier"].string()};
    for (const Extra& x : last.extras.members) {
      if (std::ranges::find(head_.members, x) == head_.members.end()) end.extras.add(self, x.key, x.raw);
    }
    out_->emplace_back(std::move(end));
  }

  void route(std::int64_t index, json::Value root, std::string_view data) {
    if (item_ && index != *item_) return static_cast<void>(waiting_[index].emplace_back(data));
    item_ = index;
    on_item(root);
    drain();
  }

  void drain() {
    while (!item_ && !waiting_.empty()) {
      const auto next = waiting_.extract(waiting_.begin());
      item_ = next.key();
      for (const std::string& data : next.mapped()) {
        json::Document doc;
        if (const auto root = doc.parse(data)) on_item(*root);
      }
    }
  }

  void on_item(json::Value root) {
    const std::string type = root["type"].text();
    if (type == "response.output_item.added") return on_added(root["item"]);
    if (type == "response.output_item.done") return close(root["item"]);
    if (type.ends_with("_part.added")) return on_part(root);
    if (type == "response.output_text.annotation.added") {
      if (open_) out_->emplace_back(CitationSeen{0, next_, read_annotation(root["annotation"])});
      return;
    }
    if (type == "response.output_text.delta") return grow(root, "c", {.body = Text{}});
    if (type == "response.refusal.delta") return grow(root, "c", {.body = Refusal{}});
    if (type == "response.reasoning_text.delta") return grow(root, "c", {.body = Reasoning{}});
    if (type == "response.reasoning_summary_text.delta") return grow(root, "s", {.body = Reasoning{.summary = true}});
    if (type == "response.function_call_arguments.delta" || type == "response.custom_tool_call_input.delta") {
      if (open_) out_->emplace_back(Delta{.block = next_, .text = root["delta"].text()});
      grown_ = true;
      return;
    }
    // What ends a part says nothing new; the steps of hosted tools are for clients of this dialect.
    if (!type.ends_with("_part.done") && !type.ends_with("text.done") && !type.ends_with("refusal.done") &&
        !type.ends_with("arguments.done") && !type.ends_with("input.done")) {
      opaque(root);
    }
  }

  void on_added(json::Value item) {
    identity_ = {};
    read_identity(item, identity_);
    key_.clear();
    grown_ = false;
    const json::Value type = item["type"];
    const bool custom = type.equals("custom_tool_call");
    if (!custom && !type.equals("function_call")) return;
    Part part = read_call(item, custom);
    part.as<ToolCall>()->arguments.clear();
    calls_ = true;
    start(std::move(part));
  }

  void on_part(json::Value root) {
    const bool summary = root["summary_index"].is_number();
    const json::Value type = root["part"]["type"];
    Part part{.body = Text{}};
    if (type.equals("refusal")) part.body = Refusal{};
    if (summary || type.equals("reasoning_text")) part.body = Reasoning{.summary = summary};
    open(root, summary ? "s" : "c", std::move(part));
  }

  // Opens the part that an event belongs to, unless it is open already: not everybody announces parts.
  void open(json::Value root, std::string_view list, Part part) {
    std::string key(list);
    key += root[list == "s" ? "summary_index" : "content_index"].raw();
    if (key == std::exchange(key_, key)) return;
    if (open_) stop({});
    refused_ |= part.as<Refusal>() != nullptr;
    part.extras = identity_;
    start(std::move(part));
  }

  void grow(json::Value root, std::string_view list, Part part) {
    open(root, list, std::move(part));
    Delta delta{.block = next_, .text = root["delta"].text()};
    if (root["logprobs"].size() > 0) delta.logprobs = std::string(root["logprobs"].raw());
    out_->emplace_back(std::move(delta));
  }

  void start(Part part) {
    open_ = true;
    out_->emplace_back(BlockStart{.block = next_, .part = std::move(part)});
  }
  void stop(BlockStop last) {
    last.block = next_++;
    open_ = false;
    out_->emplace_back(std::move(last));
  }

  void close(json::Value item) {
    item_.reset();
    BlockStop last{.seal = read_proof(item)};
    if (!open_ && item) {
      auto whole = read_whole(item);
      if (!whole) {
        // Nothing of it was streamed: it is told now.
        std::vector<Part> parts;
        read_item(item, parts);
        for (Part& part : parts) tell(std::move(part));
        return;
      }
      return tell(*std::move(whole));
    }
    if (!open_) return;
    const std::string late = item["arguments"].text();
    if (!grown_ && !late.empty()) out_->emplace_back(Delta{.block = next_, .text = late});
    read_late(item, last.extras);
    stop(std::move(last));
  }

  // A part that comes whole, in the events' own form.
  void tell(Part part) {
    calls_ |= part.as<ToolCall>() != nullptr;
    refused_ |= part.as<Refusal>() != nullptr;
    BlockStop last{.seal = std::exchange(part.seal, std::nullopt)};
    std::string text;
    if (auto* p = part.as<Media>()) text = std::exchange(p->data, {});
    if (auto* p = part.as<Text>()) text = std::exchange(p->text, {});
    if (auto* p = part.as<Reasoning>()) text = std::exchange(p->text, {});
    if (auto* p = part.as<Refusal>()) text = std::exchange(p->text, {});
    if (auto* p = part.as<ToolCall>()) text = std::exchange(p->arguments, {});
    start(std::move(part));
    if (!text.empty()) out_->emplace_back(Delta{.block = next_, .text = std::move(text)});
    stop(std::move(last));
  }

  std::vector<Event>* out_ = nullptr;
  bool begun_ = false, over_ = false, complete_ = false, calls_ = false, refused_ = false;
  Extras head_, identity_;
  std::optional<std::int64_t> item_;  // the open item
  bool open_ = false, grown_ = false;
  std::string key_;  // the open part inside it
  std::int64_t next_ = 0;
  std::map<std::int64_t, std::vector<std::string>> waiting_;
};

std::unique_ptr<Framer> framer() {
  return std::make_unique<SseFramer>();
}
std::unique_ptr<StreamReader> stream_reader() {
  return std::make_unique<Reader>();
}

}  // namespace

const Wire& responses() {
  static constexpr Wire wire{.id = self,
                             .content_type = "text/event-stream",
                             .read_request = read_request,
                             .read_reply = read_reply,
                             .framer = framer,
                             .stream_reader = stream_reader,
                             .stream_writer = responses_stream_writer};
  return wire;
}

}  // namespace sluice::trial
