// Events as chunks. The head of a chunk is made once; a delta is that head, a few bytes, the text and a tail.
// SPDX-License-Identifier: MIT
#include <algorithm>

#include "base/print.h"
#include "dialects/data_url.h"
#include "dialects/openai_chat/message.h"
#include "dialects/openai_chat/openai_chat.h"
#include "dialects/openai_chat/stop.h"
#include "dialects/openai_chat/usage.h"
#include "dialects/spare.h"
#include "dialects/tool_id.h"
#include "model/fold.h"
#include "wire/sse.h"

namespace sluice::openai_chat {
namespace {

constexpr std::string_view tail = "},\"finish_reason\":null}]}\n\n";

std::int64_t code_points(std::string_view text) {
  return std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; });
}

// JSON that came from elsewhere may have line breaks between its tokens, and a line break would end the event.
void append_line(std::string& out, std::string_view json) {
  const std::size_t from = out.size();
  out += json;
  for (std::size_t i = from; i < out.size(); ++i) {
    if (out[i] == '\n' || out[i] == '\r') out[i] = ' ';
  }
}

// Where a text stands among all that was said, in code points.
struct Passage {
  std::int64_t block = 0, from = 0, to = 0;
};

// What is open in one choice.
struct Open {
  std::int64_t choice = 0;
  bool role_sent = false;
  bool refused = false;      // a refusal was told
  std::int64_t calls = 0;    // started so far
  std::int64_t details = 0;  // reasoning_details written so far
  std::int64_t spoken = 0;   // code points of text so far
  std::int64_t block_from = 0;
  std::vector<Passage> texts;  // those that are over
  Part part;                   // of the open block
  std::string grown;           // its text, where it must be said again or at once
  bool any = false;            // arguments came
};

class Writer final : public StreamWriter {
 public:
  explicit Writer(const Question& question)
      : model_(question.model),
        exchange_(question.exchange_id),
        seconds_(question.unix_seconds),
        usage_asked_(question.usage_asked) {}

  void write(const Event& event, std::string& out) override {
    std::visit([&](const auto& e) { on(e, out); }, event);
  }
  void keep_alive(std::string& out) override { sse::append_comment(out, "keep-alive"); }
  [[nodiscard]] std::string_view content_type() const override { return "text/event-stream"; }

 private:
  void on(const Begin& e, std::string& out) {
    head_ = "data: {\"id\":";
    json::append_quoted(head_, e.reply.id.empty() ? "chatcmpl-" + exchange_ : e.reply.id);
    head_ += ",\"object\":\"chat.completion.chunk\",\"created\":";
    append_number(head_, e.reply.created.value_or(seconds_));
    head_ += ",\"model\":";
    json::append_quoted(head_, e.reply.model.empty() ? model_ : e.reply.model);
    tier_said_ = e.reply.service_tier.has_value();
    if (tier_said_) {
      head_ += ",\"service_tier\":";
      json::append_quoted(head_, *e.reply.service_tier);
    }
    own_ = e.reply.origin == self;
    chat_logprobs_ = own_ || e.reply.origin == DialectId::openai_responses;
    append_members(head_, e.reply.extras);
    head_ += ",\"choices\":[";
    start(choice(0), out);
  }

  void on(const BlockStart& e, std::string& out) {
    Open& open = choice(e.choice);
    start(open, out);
    open.part = e.part;
    open.grown.clear();
    open.any = false;
    open.block_from = open.spoken;
    if (const auto* call = e.part.as<ToolCall>()) {
      call_start(open, *call, out);
    } else if (const auto* media = e.part.as<Media>(); media != nullptr && media->kind == MediaKind::audio) {
      open_delta(open, out);
      out += "\"audio\":{";
      std::string inner = members(e.part.extras);
      if (inner.empty()) inner = "\"id\":" + json::quote("audio_" + hash_text(exchange_, 24));
      out += inner;
      out += '}';
      out += tail;
    }
  }

  void on(const Delta& e, std::string& out) {
    Open& open = choice(e.choice);
    if (open.part.as<Text>()) {
      open.spoken += code_points(e.text);
      text_delta(open, "\"content\":", e, out);
    } else if (open.part.as<Reasoning>()) {
      open.grown += e.text;
      if (!e.text.empty()) text_delta(open, "\"reasoning_content\":", e, out);
    } else if (open.part.as<Refusal>()) {
      open.refused |= !e.text.empty();
      text_delta(open, "\"refusal\":", e, out);
    } else if (const auto* call = open.part.as<ToolCall>()) {
      open.any |= !e.text.empty();
      call_delta(open, *call, e.text, out);
    } else if (const auto* media = open.part.as<Media>()) {
      if (media->kind != MediaKind::audio) {
        open.grown += e.text;
        return;
      }
      open_delta(open, out);
      out += "\"audio\":{\"data\":";
      json::append_quoted(out, e.text);
      const std::string inner = members(e.extras);
      if (!inner.empty()) out += ',' + inner;
      out += '}';
      out += tail;
    }
  }

  void on(const CitationSeen& e, std::string& out) {
    Open& open = choice(e.choice);
    const Citation& c = e.citation;
    Part part{.body = Text{.citations = {c}}};
    if (c.origin != self) {
      const auto over = std::ranges::find(open.texts, e.block, &Passage::block);
      const Passage in = over != open.texts.end() ? *over : Passage{e.block, open.block_from, open.spoken};
      Citation& placed = part.as<Text>()->citations.front();
      placed.start = in.from + c.start.value_or(0);
      placed.end = c.end ? in.from + *c.end : in.to;
    }
    std::string members;
    json::Writer json(members);
    json.begin_object();
    if (!write_annotations(json, std::span(&part, 1))) return;
    json.end_object();
    open_delta(open, out);
    append_line(out, std::string_view(members).substr(1, members.size() - 2));
    out += tail;
  }

  void on(const BlockStop& e, std::string& out) {
    Open& open = choice(e.choice);
    Part part = std::move(open.part);
    open.part = {};
    if (e.seal) part.seal = e.seal;
    if (const auto* call = part.as<ToolCall>()) {
      if (!open.any && call->kind == ToolKind::function) call_delta(open, *call, "{}", out);
      if (part.seal) call_seal(open, *call, *part.seal, out);
      ++open.calls;
    } else if (auto* reasoning = part.as<Reasoning>()) {
      reasoning->text += open.grown;
      if (part.seal || !remembered(part.extras, self, "detail").empty()) detail(open, part, out);
    } else if (part.as<Text>()) {
      open.texts.push_back({e.block, open.block_from, open.spoken});
      if (!part.seal) return;
      Part proof{.body = Reasoning{.redacted = true}, .seal = part.seal};
      proof.extras.add(self, "id", "\"content\"");
      detail(open, proof, out);
    } else if (part.as<Opaque>() && !remembered(part.extras, self, "detail").empty()) {
      detail(open, part, out);
    } else if (auto* media = part.as<Media>(); media != nullptr && media->kind == MediaKind::image) {
      media->data += open.grown;
      image(open, *media, out);
    }
  }

  void on(const UsageSeen& e, std::string&) {
    if (!usage_) usage_.emplace();
    merge(*usage_, e.usage);
  }

  void on(const Finish& e, std::string& out) {
    Open& open = choice(e.choice);
    start(open, out);
    open_delta(open, out);
    out += members(e.message_extras);
    out += "},\"finish_reason\":";
    const std::string_view word = write_stop(e.stop, open.calls > 0, open.refused);
    // null would say that more is to come.
    json::append_quoted(out, word.empty() ? std::string_view(open.calls > 0 ? "tool_calls" : "stop") : word);
    append_members(out, e.extras);
    out += "}]}\n\n";
  }

  void on(const Ping&, std::string& out) { sse::append_comment(out, "ping"); }
  void on(const OpaqueEvent& e, std::string& out) {
    if (e.origin != self) return;
    const bool one_line = e.raw.find_first_of("\r\n") == std::string::npos;
    sse::append_event(out, {}, one_line ? e.raw : json::compact(e.raw));
  }

  void on(const Failed& e, std::string& out) { sse::append_event(out, {}, write_error(e.error)); }

  void on(const End& e, std::string& out) {
    const bool known = usage_ && (usage_->known() || (usage_->origin == self && !usage_->raw.empty()));
    std::string late;
    if (e.service_tier && !tier_said_) {
      late += ",\"service_tier\":";
      json::append_quoted(late, *e.service_tier);
    }
    append_members(late, e.extras);
    if ((usage_asked_ && known) || !late.empty()) {
      out += head_;
      out += ']';
      if (usage_asked_ && known) {
        out += ",\"usage\":";
        std::string usage;
        json::Writer json(usage);
        write_usage(json, *usage_);
        append_line(out, usage);
      }
      out += late;
      out += "}\n\n";
    }
    out += "data: [DONE]\n\n";
  }

  Open& choice(std::int64_t index) {
    for (Open& open : open_) {
      if (open.choice == index) return open;
    }
    open_.push_back({.choice = index});
    return open_.back();
  }

  // "data: {…,"choices":[{"index":0,"delta":{"
  void open_delta(const Open& open, std::string& out) const {
    out += head_;
    out += "{\"index\":";
    append_number(out, open.choice);
    out += ",\"delta\":{";
  }

  void start(Open& open, std::string& out) const {
    if (open.role_sent) return;
    open.role_sent = true;
    open_delta(open, out);
    out += "\"role\":\"assistant\",\"content\":\"\",\"refusal\":null";
    out += tail;
  }

  void text_delta(const Open& open, std::string_view name, const Delta& e, std::string& out) const {
    open_delta(open, out);
    out += name;
    json::append_quoted(out, e.text);
    if (!e.logprobs || !chat_logprobs_) {
      out += tail;
      return;
    }
    // Of a whole answer that is told as a stream, several lines may have been joined.
    out += "},\"logprobs\":";
    out += e.logprobs->find('\n') == std::string::npos ? std::string_view(*e.logprobs) : std::string_view("null");
    out += ",\"finish_reason\":null}]}\n\n";
  }

  void call_head(const Open& open, std::string& out) const {
    open_delta(open, out);
    out += "\"tool_calls\":[{\"index\":";
    append_number(out, open.calls);
  }

  void call_start(const Open& open, const ToolCall& call, std::string& out) const {
    call_head(open, out);
    out += ",\"id\":";
    if (call.id.empty()) {
      json::append_quoted(out, answer_tool_id("call_", exchange_, open.choice, static_cast<std::size_t>(open.calls)));
    } else {
      json::append_quoted(out, own_ ? call.id : to_portable_tool_id(call.id, "call_"));
    }
    const bool custom = call.kind == ToolKind::custom;
    out += custom ? ",\"type\":\"custom\",\"custom\":{\"name\":" : ",\"type\":\"function\",\"function\":{\"name\":";
    json::append_quoted(out, call.name);
    out += custom ? ",\"input\":\"\"}" : ",\"arguments\":\"\"}";
    append_members(out, open.part.extras);
    out += "}]";
    out += tail;
  }

  void call_delta(const Open& open, const ToolCall& call, std::string_view piece, std::string& out) const {
    call_head(open, out);
    out += call.kind == ToolKind::custom ? ",\"custom\":{\"input\":" : ",\"function\":{\"arguments\":";
    json::append_quoted(out, piece);
    out += "}}]";
    out += tail;
  }

  // The official clients read the function of every piece.
  void call_seal(const Open& open, const ToolCall& call, const Seal& seal, std::string& out) const {
    std::string members;
    json::Writer json(members);
    json.begin_object();
    write_call_seal(json, seal, true);
    json.end_object();
    call_head(open, out);
    out += call.kind == ToolKind::custom ? R"(,"custom":{"input":""},)" : R"(,"function":{"arguments":""},)";
    out.append(members, 1, members.size() - 1);
    out += ']';
    out += tail;
  }

  void detail(Open& open, const Part& part, std::string& out) const {
    open_delta(open, out);
    out += "\"reasoning_details\":[";
    std::string entry;
    json::Writer json(entry);
    write_reasoning_detail(json, part, open.details++, true);
    append_line(out, entry);
    out += ']';
    out += tail;
  }

  void image(const Open& open, const Media& media, std::string& out) const {
    open_delta(open, out);
    out += "\"images\":[{\"type\":\"image_url\",\"image_url\":{\"url\":";
    json::append_quoted(out, media.form == MediaForm::base64 ? write_data_url(media.mime, media.data) : media.data);
    out += "}}]";
    out += tail;
  }

  // ,"name":value … of unknown members that are of this dialect.
  static void append_members(std::string& out, const Extras& extras) {
    if (extras.origin != self) return;
    for (const Extra& extra : extras.members) {
      if (extra.key.find('\x1f') != std::string::npos) continue;
      out += ',';
      json::append_quoted(out, extra.key);
      out += ':';
      append_line(out, extra.raw);
    }
  }

  // The same without the comma in front.
  static std::string members(const Extras& extras) {
    std::string out;
    append_members(out, extras);
    return out.empty() ? out : out.substr(1);
  }

  std::string model_, exchange_;
  std::int64_t seconds_;
  bool usage_asked_;
  bool own_ = true;  // the answer is of this dialect: ids are kept
  bool chat_logprobs_ = true;
  bool tier_said_ = false;  // at the head already
  std::string head_;        // up to the list of choices
  std::vector<Open> open_;
  std::optional<Usage> usage_;
};

}  // namespace

std::unique_ptr<StreamWriter> stream_writer(const Question& question) {
  return std::make_unique<Writer>(question);
}

}  // namespace sluice::openai_chat
