// The ladder of events as blocks. One item is open at a time; what comes for another one meanwhile waits. Events are
// told apart by their type, items by output_index: services change item_id at will. SPDX-License-Identifier: MIT
#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "base/text.h"
#include "dialects/openai_responses/head.h"
#include "dialects/openai_responses/items.h"
#include "dialects/openai_responses/openai_responses.h"
#include "dialects/openai_responses/stop.h"
#include "dialects/openai_responses/usage.h"
#include "dialects/spare.h"

namespace sluice::openai_responses {
namespace {

using json::Value;

Error broken(std::string detail) {
  return {.fault = Fault::upstream_broken,
          .message = "The upstream's answer broke off before it was complete.",
          .detail = std::move(detail)};
}

bool is_end(std::string_view type) {
  return type == "response.completed" || type == "response.incomplete";
}

// The type of an event whose data begins with it, without reading the rest; empty when it stands elsewhere.
std::string_view type_in_front(std::string_view data) {
  constexpr std::string_view head = R"({"type":")";
  if (!data.starts_with(head)) return {};
  data.remove_prefix(head.size());
  return data.substr(0, std::min(data.find('"'), data.size()));
}

class Reader final : public StreamReader {
 public:
  void read(const Frame& frame, std::vector<Event>& out) override {
    if (over_) return;
    out_ = &out;
    const std::string_view data = trim(frame.data);
    if (frame.comment || data.empty()) {
      if (begun_) out.emplace_back(Ping{});
      return;
    }
    if (data == "[DONE]") return;  // some services say it; the end was said before
    const auto root = doc_.parse(data);
    if (!root || !root->is_object()) return failed(broken("an event that is no JSON object"));
    event(*root, frame.event, data);
  }

  void end(std::vector<Event>& out) override {
    out_ = &out;
    if (!over_) failed(broken("the stream ended without its last response"));
  }

  Sight observe(const Frame& frame) override;
  [[nodiscard]] bool complete() const override { return complete_; }

 private:
  struct Open {
    Part part;          // of which BlockStart told
    std::string key;    // which one inside its item ("c0", "s1")
    std::string place;  // "3/content/0"
    bool grown = false, logprobs = false;
    std::size_t citations = 0;
    Extras late;  // members that its part got at the end
  };

  void failed(Error error) {
    over_ = true;
    out_->emplace_back(Failed{std::move(error)});
  }

  void event(Value root, std::string_view name, std::string_view data) {
    std::string type = root["type"].text();
    if (type.empty()) type = name;
    if (type == "error" || name == "error") return failed(read_error(0, root));
    if (type == "response.created") return created(root["response"]);
    if (type == "response.failed") return on_failed(root["response"]);
    if (type == "keepalive") {
      if (begun_) out_->emplace_back(Ping{});
      return;
    }
    // A stream that was joined late begins where it is.
    if (!begun_ && root["response"].is_object()) created(root["response"]);
    if (!begun_) {
      if (root["error"].is_object()) failed(read_error(0, root));
      return;
    }
    if (is_end(type) && root["response"].is_object()) return on_end(root["response"]);
    if (const auto index = root["output_index"].integer()) return route(*index, root, data);
    if (type != "response.in_progress" && type != "response.queued") opaque(type, root);
  }

  void opaque(std::string_view type, Value root) {
    out_->emplace_back(OpaqueEvent{.origin = self, .type = std::string(type), .raw = std::string(root.raw())});
  }

  void created(Value response) {
    if (std::exchange(begun_, true)) return;
    Begin begin;  // the tier stays for the end: here it is what was asked for
    read_head(response, begin.reply);
    head_ = begin.reply.extras;
    out_->emplace_back(std::move(begin));
  }

  void on_failed(Value response) {
    if (begun_ && response["usage"].is_object()) out_->emplace_back(UsageSeen{read_usage(response["usage"])});
    failed(read_error(0, response));
  }

  void on_end(Value response) {
    while (item_ || !waiting_.empty()) {
      if (item_) close({});
      drain();
    }
    Reply last;
    const Members said = read_head(response, last);
    // Some tell an answer without telling its items.
    if (count_ == 0) {
      for (const Value item : said.output.elements()) {
        tell(item);
        ++count_;
      }
    }
    over_ = true;
    if (said.usage.is_object()) out_->emplace_back(UsageSeen{read_usage(said.usage)});
    out_->emplace_back(Finish{.stop = read_stop(said.status, said.detail, holds_)});
    End end{.service_tier = said.tier.string()};
    for (const Extra& x : last.extras.members) {
      if (std::ranges::find(head_.members, x) == head_.members.end()) end.extras.add(self, x.key, x.raw);
    }
    out_->emplace_back(std::move(end));
  }

  // --- items --------------------------------------------------------------------------------------------------------

  void route(std::int64_t index, Value root, std::string_view data) {
    if (item_ && index != *item_) return static_cast<void>(waiting_[index].emplace_back(data));
    begin_item(index);
    on_item(root);
    drain();
  }

  void begin_item(std::int64_t index) {
    if (item_) return;
    item_ = index;
    steps_.clear();
    told_ = false;
  }

  void drain() {
    while (!item_ && !waiting_.empty()) {
      const auto next = waiting_.extract(waiting_.begin());
      begin_item(next.key());
      for (const std::string& data : next.mapped()) {
        json::Document doc;
        if (const auto root = doc.parse(data)) on_item(*root);
      }
    }
  }

  void on_item(Value root) {
    const std::string type = root["type"].text();
    if (type == "response.output_item.added") return added(root["item"]);
    if (type == "response.output_item.done") return close(root["item"]);
    if (type.ends_with("_part.added")) return part_added(root);
    if (type.ends_with("_part.done")) return part_done(root);
    if (type == "response.output_text.delta") return grow(root, 'c', {.body = Text{}});
    if (type == "response.refusal.delta") return grow(root, 'c', {.body = Refusal{}});
    if (type == "response.reasoning_text.delta") return grow(root, 'c', {.body = Reasoning{}});
    if (type == "response.reasoning_summary_text.delta") return grow(root, 's', {.body = Reasoning{.summary = true}});
    if (type == "response.output_text.done") return late_text(root, 'c', {.body = Text{}}, "text");
    if (type == "response.refusal.done") return late_text(root, 'c', {.body = Refusal{}}, "refusal");
    if (type == "response.reasoning_text.done") return late_text(root, 'c', {.body = Reasoning{}}, "text");
    if (type == "response.reasoning_summary_text.done") {
      return late_text(root, 's', {.body = Reasoning{.summary = true}}, "text");
    }
    if (type == "response.output_text.annotation.added") {
      if (open_ && root["annotation"].is_object()) cite(root["annotation"]);
      return;
    }
    if (type == "response.function_call_arguments.delta" || type == "response.custom_tool_call_input.delta") {
      if (!open_) return;
      const std::string piece = root["delta"].text();
      open_->grown |= !piece.empty();
      if (!piece.empty()) out_->emplace_back(Delta{.block = next_, .text = piece});
      return;
    }
    if (type == "response.function_call_arguments.done") return late_arguments(root["arguments"]);
    if (type == "response.custom_tool_call_input.done") return late_arguments(root["input"]);
    // The steps of hosted tools are for clients of this dialect; they follow the beginning of their item.
    steps_.push_back(OpaqueEvent{.origin = self, .type = type, .raw = std::string(root.raw())});
  }

  void added(Value item) {
    beginning_.clear();
    kind_ = kind_of_item(item);
    if (kind_ == ItemKind::call || kind_ == ItemKind::custom_call) {
      Part part = read_call(item, std::to_string(count_));
      part.as<ToolCall>()->arguments.clear();
      if (open_) stop({});  // a delta went to a wrong number
      start({.part = std::move(part)});
    } else if (kind_ == ItemKind::message || kind_ == ItemKind::reasoning) {
      beginning_ = std::string(item.raw());
    }
  }

  void part_added(Value root) {
    const bool summary = root["summary_index"].is_number();
    const Value type = root["part"]["type"];
    Part part{.body = Text{}};
    if (type.equals("refusal")) part.body = Refusal{};
    if (summary || type.equals("reasoning_text")) part.body = Reasoning{.summary = summary};
    open(root, summary ? 's' : 'c', std::move(part));
  }

  // Opens the part that an event belongs to, unless it is open already: not everybody announces parts.
  void open(Value root, char list, Part part) {
    const bool summary = list == 's';
    const auto index = root[summary ? "summary_index" : "content_index"].integer().value_or(0);
    std::string key(1, list);
    key += std::to_string(index);
    if (open_ && open_->key == key) return;
    if (open_) stop({});
    // What counts is which part it is, not which number it was given.
    const std::string place = place_of(count_, summary ? "summary" : "content", summary ? summaries_++ : contents_++);
    remember(part.extras, self, memory::at, place);
    if (!told_ && !beginning_.empty()) {
      json::Document doc;
      if (const auto item = doc.parse(beginning_)) read_beginning(*item, place, part.extras);
    }
    start({.part = std::move(part), .key = std::move(key), .place = place});
  }

  void grow(Value root, char list, Part part) {
    std::string piece = root["delta"].text();
    open(root, list, std::move(part));
    auto logprobs = read_logprobs(root["logprobs"]);
    if (piece.empty() && !logprobs) return;
    open_->grown |= !piece.empty();
    open_->logprobs |= logprobs.has_value();
    out_->emplace_back(Delta{.block = next_, .text = std::move(piece), .logprobs = std::move(logprobs)});
  }

  // `.done` supplies what deltas lacked.
  void late_text(Value root, char list, Part part, std::string_view member) {
    std::string text = root[member].text();
    auto logprobs = read_logprobs(root["logprobs"]);
    if (text.empty() && !open_) return;
    open(root, list, std::move(part));
    if (open_->logprobs) logprobs.reset();
    if (open_->grown) text.clear();
    if (text.empty() && !logprobs) return;
    open_->grown |= !text.empty();
    open_->logprobs |= logprobs.has_value();
    out_->emplace_back(Delta{.block = next_, .text = std::move(text), .logprobs = std::move(logprobs)});
  }

  void late_arguments(Value whole) {
    const std::string text = whole.text();
    if (!open_ || open_->grown || text.empty()) return;
    open_->grown = true;
    out_->emplace_back(Delta{.block = next_, .text = text});
  }

  void cite(Value annotation) {
    if (!open_->part.as<Text>()) return;
    ++open_->citations;
    out_->emplace_back(CitationSeen{0, next_, read_annotation(annotation)});
  }

  void part_done(Value root) {
    if (!open_) return;
    settle(root["part"]);
  }

  // What the open part's whole form says beyond what was told.
  void settle(Value part) {
    if (!part.is_object()) return;
    const std::string text = part[part["type"].equals("refusal") ? "refusal" : "text"].text();
    if (!open_->grown && !text.empty()) {
      open_->grown = true;
      out_->emplace_back(Delta{.block = next_, .text = text});
    }
    std::size_t seen = 0;
    for (const Value annotation : part["annotations"].elements()) {
      if (seen++ >= open_->citations) cite(annotation);
    }
    open_->late = {};
    read_content_rest(part, Side::answered, open_->late);
  }

  void start(Open open) {
    told_ = true;
    holds_.calls |= open.part.as<ToolCall>() != nullptr;
    holds_.refusal |= open.part.as<Refusal>() != nullptr;
    out_->emplace_back(BlockStart{.block = next_, .part = open.part});
    open_ = std::move(open);
  }

  void stop(BlockStop last) {
    last.block = next_++;
    for (const Extra& x : open_->late.members) last.extras.add(self, x.key, x.raw);
    open_.reset();
    out_->emplace_back(std::move(last));
  }

  // The item is over; `item` is its whole form, if it was told.
  void close(Value item) {
    item_.reset();
    if (!told_ && item) {
      tell(item);
    } else if (open_) {
      BlockStop last;
      if (item) {
        last.seal = read_proof(item);
        const std::string& place = open_->place;
        if (open_->part.as<ToolCall>()) {
          late_arguments(item[open_->part.as<ToolCall>()->kind == ToolKind::custom ? "input" : "arguments"]);
        } else {
          const bool summary = open_->part.as<Reasoning>() && open_->part.as<Reasoning>()->summary;
          const Value list = item[summary ? "summary" : "content"];
          if (list.size() > 0) settle(list.at(list.size() - 1));
        }
        read_rest(item, place, last.extras);
      }
      stop(std::move(last));
    }
    for (OpaqueEvent& step : steps_) out_->emplace_back(std::move(step));
    steps_.clear();
    ++count_;
    contents_ = summaries_ = 0;
  }

  // An item of which nothing was streamed.
  void tell(Value item) {
    std::vector<Part> parts;
    read_item(item, static_cast<std::size_t>(count_), Side::answered, parts);
    holds_.calls |= waits_for_client(item);
    for (Part& part : parts) tell(std::move(part));
  }

  // A part that comes whole, in the events' own form.
  void tell(Part part) {
    holds_.refusal |= part.as<Refusal>() != nullptr;
    BlockStop last{.block = next_, .seal = std::exchange(part.seal, std::nullopt)};
    std::string text;
    std::vector<Citation> citations;
    if (auto* p = part.as<Media>()) text = std::exchange(p->data, {});
    if (auto* p = part.as<Text>()) {
      text = std::exchange(p->text, {});
      citations = std::exchange(p->citations, {});
    }
    if (auto* p = part.as<Reasoning>()) text = std::exchange(p->text, {});
    if (auto* p = part.as<Refusal>()) text = std::exchange(p->text, {});
    if (auto* p = part.as<ToolCall>()) text = std::exchange(p->arguments, {});
    out_->emplace_back(BlockStart{.block = next_, .part = std::move(part)});
    if (!text.empty()) out_->emplace_back(Delta{.block = next_, .text = std::move(text)});
    for (Citation& citation : citations) out_->emplace_back(CitationSeen{0, next_, std::move(citation)});
    for (OpaqueEvent& step : steps_) out_->emplace_back(std::move(step));
    steps_.clear();
    out_->emplace_back(std::move(last));
    ++next_;
  }

  json::Document doc_;
  std::vector<Event>* out_ = nullptr;
  bool begun_ = false, over_ = false, complete_ = false, watch_failed_ = false;
  Holds holds_;
  Extras head_;                       // as the first event told it
  std::optional<std::int64_t> item_;  // the open item
  ItemKind kind_ = ItemKind::other;
  std::string beginning_;  // its first form, until a part of it is told
  bool told_ = false;      // a part of it was
  std::optional<Open> open_;
  std::vector<OpaqueEvent> steps_;
  std::int64_t next_ = 0;  // block
  std::size_t count_ = 0;  // items that are over
  std::size_t contents_ = 0, summaries_ = 0;
  std::map<std::int64_t, std::vector<std::string>> waiting_;
};

Sight Reader::observe(const Frame& frame) {
  Sight sight;
  if (frame.comment || complete_ || watch_failed_) {
    sight.terminal = complete_;
    return sight;
  }
  // A last frame without its line end may be cut, wherever it seems to end.
  const bool ended = frame.raw.empty() || frame.raw.back() == '\n' || frame.raw.back() == '\r';
  if (ended && type_in_front(frame.data).ends_with(".delta") && frame.data.ends_with('}')) {
    sight.content = true;
    return sight;
  }
  const std::string_view data = trim(frame.data);
  if (data.empty() || data == "[DONE]") return sight;
  json::Document doc;
  const auto root = doc.parse(data);
  if (!root || !root->is_object()) {
    watch_failed_ = true;
    sight.error = broken("an event that is no JSON object");
    return sight;
  }
  const std::string type = (*root)["type"].is_string() ? (*root)["type"].text() : std::string(frame.event);
  const Value response = (*root)["response"];
  if (type == "error" || frame.event == "error") sight.error = read_error(0, *root);
  if (type == "response.failed") sight.error = read_error(0, response);
  sight.content = type.ends_with(".delta") || type == "response.output_item.done";
  sight.terminal = is_end(type) && response.is_object() && !sight.error;
  if (response["usage"].is_object()) sight.usage = read_usage(response["usage"]);
  complete_ |= sight.terminal;
  watch_failed_ |= sight.error.has_value();
  return sight;
}

}  // namespace

std::unique_ptr<StreamReader> stream_reader() {
  return std::make_unique<Reader>();
}

}  // namespace sluice::openai_responses
