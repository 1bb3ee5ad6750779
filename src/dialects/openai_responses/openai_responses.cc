// SPDX-License-Identifier: MIT
#include "dialects/openai_responses/openai_responses.h"

#include "dialects/count.h"
#include "dialects/openai_chat/openai_chat.h"
#include "dialects/sse_framer.h"

namespace sluice::openai_responses {
namespace {

constexpr Door all_doors[] = {
    {"POST", "/v1/responses", Operation::chat},
    {"POST", "/v1/responses/input_tokens", Operation::count_tokens},
};

class OpenaiResponses final : public Dialect {
 public:
  [[nodiscard]] DialectId id() const override { return DialectId::openai_responses; }
  [[nodiscard]] std::span<const Door> doors() const override { return all_doors; }

  [[nodiscard]] Result<Peek> peek(const Asked& asked) const override { return openai_responses::peek(asked.body); }
  [[nodiscard]] std::vector<json::Edit> verbatim_edits(const Peek& peek, const Destination& to) const override {
    return openai_responses::verbatim_edits(peek, to);
  }
  [[nodiscard]] std::vector<Header> verbatim_headers(const Asked& asked) const override {
    std::vector<Header> out;
    for (const auto& [name, value] : asked.headers) {
      if (name == "openai-beta") out.emplace_back(name, value);
    }
    return out;
  }

  [[nodiscard]] Result<ChatRequest> read_request(const Asked& asked, Notes&) const override {
    return openai_responses::read_request(asked.body, asked.utf8);
  }
  [[nodiscard]] Result<WireRequest> write_request(const ChatRequest& request, const Destination& to,
                                                  Notes& notes) const override {
    TRY(std::string body, openai_responses::write_request(request, to, notes));
    return WireRequest{.body = std::move(body)};
  }

  [[nodiscard]] Result<Reply> read_reply(std::string_view body) const override {
    return openai_responses::read_reply(body);
  }
  [[nodiscard]] std::string write_reply(const Reply& reply, const Question& question, Notes& notes) const override {
    return openai_responses::write_reply(reply, question, notes);
  }
  [[nodiscard]] std::optional<Usage> reply_usage(std::string_view body) const override {
    return openai_responses::reply_usage(body);
  }

  [[nodiscard]] Result<WireRequest> write_count_request(const ChatRequest& request, const Destination& to,
                                                        Notes& notes) const override {
    TRY(std::string body, openai_responses::write_count_request(request, to, notes));
    return WireRequest{.body = std::move(body)};
  }
  [[nodiscard]] Result<std::int64_t> read_count(std::string_view body) const override {
    return count_member(body, "input_tokens");
  }
  [[nodiscard]] std::string write_count(std::int64_t tokens) const override {
    return R"({"object":"response.input_tokens","input_tokens":)" + std::to_string(tokens) + '}';
  }

  [[nodiscard]] std::unique_ptr<Framer> framer(std::string_view) const override {
    return std::make_unique<SseFramer>();
  }
  [[nodiscard]] std::unique_ptr<StreamReader> stream_reader() const override {
    return openai_responses::stream_reader();
  }
  [[nodiscard]] std::unique_ptr<StreamWriter> stream_writer(const Question& question) const override {
    return openai_responses::stream_writer(question);
  }

  [[nodiscard]] Error read_error(int status, std::string_view body, std::string_view /*kind*/ = {}) const override {
    json::Document doc;
    const auto root = doc.parse(body);
    return root && root->is_object() ? openai_responses::read_error(status, *root)
                                     : openai_chat::read_error(status, body);
  }
  [[nodiscard]] std::string write_error(const Error& error, std::string_view) const override {
    return openai_chat::write_error(error);
  }
  [[nodiscard]] std::string_view request_id_header() const override { return "x-request-id"; }
  [[nodiscard]] std::string_view own_fields() const override { return "openai-"; }
  [[nodiscard]] std::string write_models(const ModelPage& page, bool one) const override {
    return openai_chat::write_models(page.rows, one);
  }
};

}  // namespace

const Dialect& dialect() {
  static const OpenaiResponses one;
  return one;
}

}  // namespace sluice::openai_responses
