// The Messages API as a Dialect: doors, what is seen without reading, and the list of models.
// SPDX-License-Identifier: MIT
#include "dialects/anthropic/anthropic.h"

#include <array>

#include "base/text.h"
#include "dialects/anthropic/chunk_framer.h"
#include "dialects/anthropic/models.h"
#include "dialects/anthropic/usage.h"
#include "dialects/aws_error.h"
#include "dialects/count.h"
#include "dialects/reply_usage.h"
#include "dialects/sse_framer.h"

namespace sluice::anthropic {
namespace {

constexpr std::array doors_ = std::to_array<Door>({
    {.method = "POST", .path = "/v1/messages", .operation = Operation::chat},
    {.method = "POST", .path = "/v1/messages/count_tokens", .operation = Operation::count_tokens},
    // Shared with OpenAI: this dialect answers when the header anthropic-version is there.
    {.method = "GET", .path = "/v1/models", .operation = Operation::models},
    {.method = "GET", .path = "/v1/models/{model}", .operation = Operation::model},
});

std::unexpected<Failure> wrong(std::string param, std::string_view words) {
  Error error{.fault = Fault::bad_request};
  error.message = param + ": " + std::string(words);
  error.param = std::move(param);
  return fail(std::move(error));
}

void write_model(json::Writer& out, const ModelRow& row) {
  out.begin_object().member("type", "model").member("id", row.id).member("display_name", row.id);
  // Unknown is the epoch: the field is required.
  std::string created = rfc3339(row.created * 1000);
  out.member("created_at", created).end_object();
}

class Anthropic final : public Dialect {
 public:
  [[nodiscard]] DialectId id() const override { return DialectId::anthropic; }
  [[nodiscard]] std::span<const Door> doors() const override { return doors_; }

  [[nodiscard]] Result<Peek> peek(const Asked& asked) const override {
    Peek peek{.usage_asked = true};
    TRY(peek.members, json::scan_object(asked.body));
    bool model_seen = false;
    bool stream_seen = false;
    for (const json::TopMember& member : peek.members) {
      if (member.key == "model") {
        if (std::exchange(model_seen, true)) return wrong("model", "The member stands twice");
        if (member.kind != json::Kind::string) return wrong("model", "Input should be a valid string");
        peek.model = json::unescape(member.raw.substr(1, member.raw.size() - 2));
      } else if (member.key == "stream") {
        if (std::exchange(stream_seen, true)) return wrong("stream", "The member stands twice");
        if (member.kind != json::Kind::boolean) return wrong("stream", "Input should be a valid boolean");
        peek.stream = member.raw == "true";
      }
    }
    if (peek.model.empty()) peek.model = asked.path_model;
    if (peek.model.empty()) return wrong("model", "Field required");
    peek.stream |= asked.path_streams;
    return peek;
  }

  [[nodiscard]] std::vector<json::Edit> verbatim_edits(const Peek& peek, const Destination& to) const override {
    if (to.model.empty() || to.model == peek.model) return {};
    return {{.pointer = "/model", .value = json::quote(to.model)}};
  }

  [[nodiscard]] std::vector<Header> verbatim_headers(const Asked& asked) const override {
    std::vector<Header> out;
    std::string betas;
    bool versioned = false;
    for (const auto& [name, value] : asked.headers) {
      if (name == "anthropic-version" && !versioned) {
        versioned = true;
        out.emplace_back(name, value);
      } else if (name == "anthropic-beta") {
        betas += betas.empty() ? "" : ",";
        betas += value;
      }
    }
    if (!versioned) out.emplace_back("anthropic-version", version_2023);
    if (!betas.empty()) out.emplace_back("anthropic-beta", std::move(betas));
    return out;
  }

  [[nodiscard]] Result<ChatRequest> read_request(const Asked& asked, Notes& notes) const override {
    return anthropic::read_request(asked, notes);
  }
  [[nodiscard]] Result<WireRequest> write_request(const ChatRequest& request, const Destination& to,
                                                  Notes& notes) const override {
    return anthropic::write_request(request, to, notes);
  }
  [[nodiscard]] std::optional<Extras> prefill(const ChatRequest& request, const Destination& to) const override {
    return takes_prefill(request, to.model) ? std::optional<Extras>(std::in_place) : std::nullopt;
  }
  [[nodiscard]] Result<Reply> read_reply(std::string_view body) const override { return anthropic::read_reply(body); }
  [[nodiscard]] std::string write_reply(const Reply& reply, const Question& question, Notes& notes) const override {
    return anthropic::write_reply(reply, question, notes);
  }

  [[nodiscard]] std::optional<Usage> reply_usage(std::string_view body) const override {
    return sluice::reply_usage(body, read_usage);
  }

  [[nodiscard]] Result<WireRequest> write_count_request(const ChatRequest& request, const Destination& to,
                                                        Notes& notes) const override {
    return anthropic::write_count_request(request, to, notes);
  }
  [[nodiscard]] Result<std::int64_t> read_count(std::string_view body) const override {
    return count_member(body, "input_tokens");
  }
  [[nodiscard]] std::string write_count(std::int64_t tokens) const override {
    return R"({"input_tokens":)" + std::to_string(tokens) + '}';
  }

  [[nodiscard]] std::unique_ptr<Framer> framer(std::string_view content_type) const override {
    if (content_type.starts_with("application/vnd.amazon.eventstream")) return std::make_unique<ChunkFramer>();
    return std::make_unique<SseFramer>();
  }
  [[nodiscard]] std::unique_ptr<StreamReader> stream_reader() const override { return anthropic::stream_reader(); }
  [[nodiscard]] std::unique_ptr<StreamWriter> stream_writer(const Question& question) const override {
    return anthropic::stream_writer(question);
  }

  // With a kind it is AWS that speaks, in front of the model.
  [[nodiscard]] Error read_error(int status, std::string_view body, std::string_view kind = {}) const override {
    return kind.empty() ? anthropic::read_error(status, body) : read_aws_error(status, body, kind);
  }
  [[nodiscard]] std::string write_error(const Error& error, std::string_view request_id) const override {
    return anthropic::write_error(error, request_id);
  }

  [[nodiscard]] std::string_view request_id_header() const override { return "request-id"; }
  [[nodiscard]] const LimitSpelling& limit_spelling() const override { return anthropic_limits; }
  [[nodiscard]] std::string_view own_fields() const override { return "anthropic-"; }

  [[nodiscard]] PageWords page_words() const override {
    return {.size = "limit", .after = "after_id", .before = "before_id"};
  }
  [[nodiscard]] std::string write_models(const ModelPage& page, bool one) const override {
    const auto rows = page.rows;
    std::string body;
    json::Writer out(body);
    if (one) {
      write_model(out, rows.empty() ? ModelRow{} : rows.front());
      return body;
    }
    out.begin_object().key("data").begin_array();
    for (const ModelRow& row : rows) write_model(out, row);
    out.end_array().member_bool("has_more", page.more);
    const auto end = [&](std::string_view key, const ModelRow* row) {
      out.key(key);
      row == nullptr ? out.null() : out.string(row->id);
    };
    end("first_id", rows.empty() ? nullptr : &rows.front());
    end("last_id", rows.empty() ? nullptr : &rows.back());
    out.end_object();
    return body;
  }
};

}  // namespace

const Dialect& anthropic_dialect() {
  static const Anthropic dialect;
  return dialect;
}

}  // namespace sluice::anthropic
