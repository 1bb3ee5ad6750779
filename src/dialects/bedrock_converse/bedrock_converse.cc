// Converse as a Dialect: doors, what is seen without reading, and the list of models. SPDX-License-Identifier: MIT
#include "dialects/bedrock_converse/bedrock_converse.h"

#include <algorithm>
#include <array>

#include "dialects/anthropic/models.h"
#include "dialects/aws_error.h"
#include "dialects/aws_framer.h"
#include "dialects/bedrock_converse/usage.h"
#include "dialects/count.h"
#include "dialects/reply_usage.h"

namespace sluice::bedrock_converse {
namespace {

constexpr std::array doors_ = std::to_array<Door>({
    {.method = "POST", .path = "/model/{model}/converse", .operation = Operation::chat},
    {.method = "POST", .path = "/model/{model}/converse-stream", .operation = Operation::chat, .streams = true},
    {.method = "POST", .path = "/model/{model}/count-tokens", .operation = Operation::count_tokens},
    {.method = "GET", .path = "/foundation-models", .operation = Operation::models},
    {.method = "GET", .path = "/foundation-models/{model}", .operation = Operation::model},
});

void write_model(json::Writer& out, const ModelRow& row) {
  out.begin_object().member("modelId", row.id).member("modelName", row.id).member("providerName", row.owner);
  out.member("modelArn", "arn:aws:bedrock:::foundation-model/" + row.id).end_object();
}

class Bedrock final : public Dialect {
 public:
  [[nodiscard]] DialectId id() const override { return DialectId::bedrock_converse; }
  [[nodiscard]] std::span<const Door> doors() const override { return doors_; }

  // Model and stream stand in the path.
  [[nodiscard]] Result<Peek> peek(const Asked& asked) const override {
    Peek peek{.model = std::string(asked.path_model), .stream = asked.path_streams, .usage_asked = true};
    TRY(peek.members, json::scan_object(asked.body));
    // To be counted: {"input": {"converse": {…}}}.
    const auto input = std::ranges::find(peek.members, "input", &json::TopMember::key);
    if (input == peek.members.end() || input->kind != json::Kind::object) return peek;
    TRY(const auto inside, json::scan_object(input->raw));
    const auto question = std::ranges::find(inside, "converse", &json::TopMember::key);
    if (question == inside.end() || question->kind != json::Kind::object) return peek;
    peek.within = "/input/converse";
    peek.question = question->raw;
    return peek;
  }
  [[nodiscard]] std::vector<json::Edit> verbatim_edits(const Peek&, const Destination&) const override { return {}; }
  [[nodiscard]] std::vector<Header> verbatim_headers(const Asked&) const override { return {}; }

  [[nodiscard]] Result<ChatRequest> read_request(const Asked& asked, Notes&) const override {
    return bedrock_converse::read_request(asked);
  }
  [[nodiscard]] Result<WireRequest> write_request(const ChatRequest& request, const Destination& to,
                                                  Notes& notes) const override {
    return bedrock_converse::write_request(request, to, notes);
  }
  [[nodiscard]] std::optional<Extras> prefill(const ChatRequest& request, const Destination& to) const override {
    return anthropic::takes_prefill(request, to.model) ? std::optional<Extras>(std::in_place) : std::nullopt;
  }
  [[nodiscard]] Result<Reply> read_reply(std::string_view body) const override {
    return bedrock_converse::read_reply(body);
  }
  [[nodiscard]] std::string write_reply(const Reply& reply, const Question& question, Notes& notes) const override {
    return bedrock_converse::write_reply(reply, question, notes);
  }

  [[nodiscard]] std::optional<Usage> reply_usage(std::string_view body) const override {
    return sluice::reply_usage(body, read_usage);
  }

  [[nodiscard]] Result<WireRequest> write_count_request(const ChatRequest& request, const Destination& to,
                                                        Notes& notes) const override {
    TRY(const WireRequest whole, bedrock_converse::write_request(request, to, notes));
    TRY(const auto members, json::scan_object(whole.body));
    WireRequest out;
    json::Writer w(out.body);
    w.begin_object().key("input").begin_object().key("converse").begin_object();
    for (const json::TopMember& member : members) {
      constexpr std::string_view counted[] = {"messages", "system", "toolConfig", "additionalModelRequestFields"};
      if (std::ranges::find(counted, member.key) != std::end(counted)) w.member_raw(member.key, member.raw);
    }
    w.end_object().end_object().end_object();
    return out;
  }
  [[nodiscard]] Result<std::int64_t> read_count(std::string_view body) const override {
    return count_member(body, "inputTokens");
  }
  [[nodiscard]] std::string write_count(std::int64_t tokens) const override {
    return R"({"inputTokens":)" + std::to_string(tokens) + '}';
  }

  [[nodiscard]] std::unique_ptr<Framer> framer(std::string_view) const override {
    return std::make_unique<AwsFramer>();
  }
  [[nodiscard]] std::unique_ptr<StreamReader> stream_reader() const override {
    return bedrock_converse::stream_reader();
  }
  [[nodiscard]] std::unique_ptr<StreamWriter> stream_writer(const Question& question) const override {
    return bedrock_converse::stream_writer(question);
  }

  [[nodiscard]] Error read_error(int status, std::string_view body, std::string_view kind = {}) const override {
    return read_aws_error(status, body, kind);
  }
  [[nodiscard]] std::string write_error(const Error& error, std::string_view /*request_id*/) const override {
    return bedrock_converse::write_error(error);
  }

  [[nodiscard]] std::string_view error_kind(const Error& error) const override { return exception_of(error); }

  [[nodiscard]] std::string_view request_id_header() const override { return "x-amzn-requestid"; }
  [[nodiscard]] std::string_view own_fields() const override { return "x-amzn-bedrock-"; }

  [[nodiscard]] std::string write_models(const ModelPage& page, bool one) const override {
    const auto rows = page.rows;
    std::string body;
    json::Writer out(body);
    out.begin_object();
    if (one) {
      out.key("modelDetails");
      write_model(out, rows.empty() ? ModelRow{} : rows.front());
    } else {
      out.key("modelSummaries").begin_array();
      for (const ModelRow& row : rows) write_model(out, row);
      out.end_array();
    }
    out.end_object();
    return body;
  }
};

}  // namespace

const Dialect& bedrock_dialect() {
  static const Bedrock dialect;
  return dialect;
}

}  // namespace sluice::bedrock_converse
