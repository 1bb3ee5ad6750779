// Events as chunks of text. The head of a chunk is made once. SPDX-License-Identifier: MIT
#include <algorithm>
#include <charconv>
#include <map>

#include "dialects/openai_chat/openai_chat.h"
#include "dialects/openai_chat/usage.h"
#include "dialects/openai_completions/logprobs.h"
#include "dialects/openai_completions/openai_completions.h"
#include "wire/sse.h"

namespace sluice::openai_completions {
namespace {

struct Spoken {
  bool echoed = false;
  bool text = false;        // the open block is text
  std::int64_t offset = 0;  // code points so far
};

std::int64_t code_points(std::string_view text) {
  return std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; });
}

class Writer final : public StreamWriter {
 public:
  explicit Writer(const Question& question)
      : model_(question.model),
        exchange_(question.exchange_id),
        echo_(echoed(question)),
        seconds_(question.unix_seconds),
        usage_asked_(question.usage_asked) {}

  void write(const Event& event, std::string& out) override {
    std::visit([&](const auto& e) { on(e, out); }, event);
  }
  void keep_alive(std::string& out) override { sse::append_comment(out, "keep-alive"); }
  [[nodiscard]] std::string_view content_type() const override { return "text/event-stream"; }

 private:
  void on(const Begin& e, std::string& out) {
    head_ = R"(data: {"id":)";
    json::append_quoted(head_, e.reply.id.empty() ? "cmpl-" + exchange_ : e.reply.id);
    head_ += R"(,"object":"text_completion","created":)" + std::to_string(e.reply.created.value_or(seconds_));
    head_ += R"(,"model":)";
    json::append_quoted(head_, e.reply.model.empty() ? model_ : e.reply.model);
    append_members(head_, e.reply.extras);
    head_ += R"(,"choices":[)";
    origin_ = e.reply.origin;
    (void)out;
  }

  void on(const BlockStart& e, std::string& out) {
    Spoken& spoken = begun(e.choice, out);
    spoken.text = e.part.as<Text>() != nullptr || e.part.as<Refusal>() != nullptr;
  }

  void on(const Delta& e, std::string& out) {
    Spoken& spoken = choices_[e.choice];
    if (!spoken.text || (e.text.empty() && !e.logprobs)) return;
    const bool chat = origin_ == DialectId::openai_chat || origin_ == DialectId::openai_responses;
    std::string probabilities = "null";
    std::int64_t offset = spoken.offset;
    if (e.logprobs && (chat || origin_ == self)) probabilities = write_logprobs(*e.logprobs, chat, offset);
    spoken.offset += code_points(e.text);
    chunk(e.choice, e.text, probabilities, {}, {}, out);
  }

  void on(const Finish& e, std::string& out) {
    begun(e.choice, out);
    const std::string_view word = finish_word(e.stop);
    // null would say that more is to come.
    chunk(e.choice, "", "null", word.empty() ? "stop" : word, e.extras, out);
  }

  static void on(const BlockStop&, std::string&) {}
  static void on(const CitationSeen&, std::string&) {}
  void on(const UsageSeen& e, std::string&) { usage_ = e.usage; }
  static void on(const Ping&, std::string& out) { sse::append_comment(out, "ping"); }
  static void on(const OpaqueEvent& e, std::string& out) {
    if (e.origin == self) sse::append_event(out, {}, e.raw);
  }
  static void on(const Failed& e, std::string& out) { sse::append_event(out, {}, openai_chat::write_error(e.error)); }

  void on(const End&, std::string& out) {
    if (usage_asked_ && usage_ && usage_->known()) {
      std::string usage;
      json::Writer json(usage);
      openai_chat::write_usage(json, *usage_);
      out += head_;
      out += R"(],"usage":)";
      append_line(out, usage);
      out += "}\n\n";
    }
    out += "data: [DONE]\n\n";
  }

  // A choice begins with the prompt where that is to be repeated.
  Spoken& begun(std::int64_t choice, std::string& out) {
    Spoken& spoken = choices_[choice];
    if (echo_.empty() || spoken.echoed) return spoken;
    spoken.echoed = true;
    spoken.offset = code_points(echo_);
    chunk(choice, echo_, "null", {}, {}, out);
    return spoken;
  }

  void chunk(std::int64_t choice, std::string_view text, std::string_view logprobs, std::string_view finish,
             const Extras& extras, std::string& out) const {
    out += head_;
    out += R"({"text":)";
    json::append_quoted(out, text);
    out += R"(,"index":)";
    char digits[24];
    out.append(digits, std::to_chars(digits, digits + sizeof digits, choice).ptr);
    out += R"(,"logprobs":)";
    append_line(out, logprobs);
    out += R"(,"finish_reason":)";
    finish.empty() ? void(out += "null") : json::append_quoted(out, finish);
    append_members(out, extras);
    out += "}]}\n\n";
  }

  // A line break between tokens of JSON would end the event.
  static void append_line(std::string& out, std::string_view json) {
    const std::size_t from = out.size();
    out += json;
    std::replace_if(
        out.begin() + static_cast<std::ptrdiff_t>(from), out.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  }

  // ,"name":value … of unknown members that are of this dialect.
  static void append_members(std::string& out, const Extras& extras) {
    for (const Extra& extra : extras.members) {
      if (extras.origin != self && !shared_with_chat(extras, extra.key)) continue;
      if (extra.key.contains('\x1f')) continue;
      out += ',';
      json::append_quoted(out, extra.key);
      out += ':';
      append_line(out, extra.raw);
    }
  }

  std::string model_, exchange_, echo_;
  std::int64_t seconds_;
  bool usage_asked_;
  DialectId origin_ = self;
  std::string head_;  // up to the list of choices
  std::map<std::int64_t, Spoken> choices_;
  std::optional<Usage> usage_;
};

}  // namespace

std::unique_ptr<StreamWriter> stream_writer(const Question& question) {
  return std::make_unique<Writer>(question);
}

}  // namespace sluice::openai_completions
