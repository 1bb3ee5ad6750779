// The Chat API as a Dialect: doors, what is seen without reading, and the list of models.
// SPDX-License-Identifier: MIT
#include "dialects/cohere/cohere.h"

#include <array>

#include "dialects/cohere/usage.h"
#include "dialects/reply_usage.h"
#include "dialects/sse_framer.h"

namespace sluice::cohere {
namespace {

constexpr std::array doors_ = std::to_array<Door>({
    {.method = "POST", .path = "/v2/chat", .operation = Operation::chat},
    // Shared with OpenAI: this dialect answers the vendor's SDK, which names itself.
    {.method = "GET", .path = "/v1/models", .operation = Operation::models},
    {.method = "GET", .path = "/v1/models/{model}", .operation = Operation::model},
});

std::unexpected<Failure> wrong(std::string param, std::string_view words) {
  Error error{.fault = Fault::bad_request};
  error.message = "invalid request: " + param + ' ' + std::string(words);
  error.param = std::move(param);
  return fail(std::move(error));
}

void write_model(json::Writer& out, const ModelRow& row) {
  out.begin_object().member("name", row.id).key("endpoints").begin_array().string("chat").end_array();
  out.member_bool("finetuned", false).end_object();
}

class Cohere final : public Dialect {
 public:
  [[nodiscard]] DialectId id() const override { return DialectId::cohere; }
  [[nodiscard]] std::span<const Door> doors() const override { return doors_; }

  [[nodiscard]] Result<Peek> peek(const Asked& asked) const override {
    Peek peek{.usage_asked = true};
    TRY(peek.members, json::scan_object(asked.body));
    bool model_seen = false;
    bool stream_seen = false;
    for (const json::TopMember& member : peek.members) {
      if (member.key == "model") {
        if (std::exchange(model_seen, true)) return wrong("model", "stands twice");
        if (member.kind != json::Kind::string) return wrong("model", "must be a string");
        peek.model = json::unescape(member.raw.substr(1, member.raw.size() - 2));
      } else if (member.key == "stream") {
        if (std::exchange(stream_seen, true)) return wrong("stream", "stands twice");
        if (member.kind == json::Kind::null) continue;
        if (member.kind != json::Kind::boolean) return wrong("stream", "must be a boolean");
        peek.stream = member.raw == "true";
      }
    }
    if (peek.model.empty()) return wrong("model", "is required");
    return peek;
  }

  [[nodiscard]] std::vector<json::Edit> verbatim_edits(const Peek& peek, const Destination& to) const override {
    std::vector<json::Edit> edits;
    if (!to.model.empty() && to.model != peek.model) {
      edits.push_back({.pointer = "/model", .value = json::quote(to.model)});
    }
    if (peek.stream != to.stream) edits.push_back({.pointer = "/stream", .value = to.stream ? "true" : "false"});
    return edits;
  }
  [[nodiscard]] std::vector<Header> verbatim_headers(const Asked&) const override { return {}; }

  [[nodiscard]] Result<ChatRequest> read_request(const Asked& asked, Notes&) const override {
    return cohere::read_request(asked);
  }
  [[nodiscard]] Result<WireRequest> write_request(const ChatRequest& request, const Destination& to,
                                                  Notes& notes) const override {
    return cohere::write_request(request, to, notes);
  }
  [[nodiscard]] Result<Reply> read_reply(std::string_view body) const override { return cohere::read_reply(body); }
  [[nodiscard]] std::string write_reply(const Reply& reply, const Question& question, Notes& notes) const override {
    return cohere::write_reply(reply, question, notes);
  }

  [[nodiscard]] std::optional<Usage> reply_usage(std::string_view body) const override {
    return sluice::reply_usage(body, read_usage);
  }

  [[nodiscard]] std::unique_ptr<Framer> framer(std::string_view) const override {
    return std::make_unique<SseFramer>();
  }
  [[nodiscard]] std::unique_ptr<StreamReader> stream_reader() const override { return cohere::stream_reader(); }
  [[nodiscard]] std::unique_ptr<StreamWriter> stream_writer(const Question& question) const override {
    return cohere::stream_writer(question);
  }
  [[nodiscard]] bool cites_late() const override { return true; }

  [[nodiscard]] Error read_error(int status, std::string_view body, std::string_view /*kind*/ = {}) const override {
    return cohere::read_error(status, body);
  }
  [[nodiscard]] std::string write_error(const Error& error, std::string_view request_id) const override {
    return cohere::write_error(error, request_id);
  }

  [[nodiscard]] std::string_view request_id_header() const override { return "x-debug-trace-id"; }

  [[nodiscard]] PageWords page_words() const override {
    return {.size = "page_size", .after = "page_token", .before = {}};
  }
  [[nodiscard]] std::string write_models(const ModelPage& page, bool one) const override {
    const auto rows = page.rows;
    std::string body;
    json::Writer out(body);
    if (one) {
      write_model(out, rows.empty() ? ModelRow{} : rows.front());
      return body;
    }
    out.begin_object().key("models").begin_array();
    for (const ModelRow& row : rows) write_model(out, row);
    out.end_array();
    if (page.more && !rows.empty()) out.member("next_page_token", rows.back().id);
    out.end_object();
    return body;
  }
};

}  // namespace

const Dialect& cohere_dialect() {
  static const Cohere dialect;
  return dialect;
}

}  // namespace sluice::cohere
