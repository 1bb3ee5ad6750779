// The dialect of Google's generateContent, in AI Studio's and Vertex's forms: doors, the first look at a body, and the
// pieces of codec.h under one roof. SPDX-License-Identifier: MIT
#include "dialects/gemini/gemini.h"

#include <algorithm>

#include "base/text.h"
#include "dialects/count.h"
#include "dialects/gemini/answer.h"
#include "dialects/gemini/codec.h"
#include "dialects/gemini/models.h"
#include "dialects/gemini/names.h"
#include "dialects/sse_framer.h"

namespace sluice::gemini {
namespace {

#define SLUICE_GEMINI_DOORS(base)                                               \
  {"POST", base "/{model}:generateContent", Operation::chat, false},            \
      {"POST", base "/{model}:streamGenerateContent", Operation::chat, true}, { \
    "POST", base "/{model}:countTokens", Operation::count_tokens, false         \
  }

constexpr Door all_doors[] = {
    SLUICE_GEMINI_DOORS("/v1beta/models"),
    SLUICE_GEMINI_DOORS("/v1/models"),
    SLUICE_GEMINI_DOORS("/v1alpha/models"),
    SLUICE_GEMINI_DOORS("/v1/publishers/google/models"),
    SLUICE_GEMINI_DOORS("/v1beta1/publishers/google/models"),
    {"GET", "/v1beta/models", Operation::models, false},
    {"GET", "/v1beta/models/{model}", Operation::model, false},
    {"GET", "/v1alpha/models", Operation::models, false},
    {"GET", "/v1alpha/models/{model}", Operation::model, false},
    // Shared with OpenAI: this dialect answers whoever sends its headers.
    {"GET", "/v1/models", Operation::models, false},
    {"GET", "/v1/models/{model}", Operation::model, false},
};

#undef SLUICE_GEMINI_DOORS

// alt=sse, also written alt=SSE or with its sign escaped.
bool asks_for_events(std::string_view query) {
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const auto sign = pair.find('=');
    if (sign == std::string_view::npos) continue;
    const auto name = percent_decode(pair.substr(0, sign));
    if (!name || (*name != "alt" && *name != "$alt")) continue;
    const auto value = percent_decode(pair.substr(sign + 1));
    if (value && lower(*value).starts_with("sse")) return true;
  }
  return false;
}

class Gemini final : public Dialect {
 public:
  [[nodiscard]] DialectId id() const override { return DialectId::gemini; }
  [[nodiscard]] std::span<const Door> doors() const override { return all_doors; }

  [[nodiscard]] Result<Peek> peek(const Asked& asked) const override {
    Peek out{.model = std::string(gemini::bare_model(asked.path_model)),
             .stream = asked.path_streams,
             .usage_asked = true,
             .stream_array = asked.path_streams && !asks_for_events(asked.query)};
    TRY(out.members, json::scan_object(asked.body));
    for (const json::TopMember& member : out.members) {
      if (!gemini::is_name(member.key, "generateContentRequest") || member.kind != json::Kind::object) continue;
      out.within = '/' + json::pointer_token(member.key);
      out.question = member.raw;
    }
    if (!out.model.empty()) return out;
    for (const json::TopMember& member : out.members) {
      if (member.key != "model") continue;
      if (!out.model.empty()) return refuse("The member 'model' stands twice.");
      if (member.kind != json::Kind::string) return refuse("Invalid value at 'model'");
      const std::string name = json::unescape(member.raw.substr(1, member.raw.size() - 2));
      out.model = gemini::bare_model(name);
    }
    if (out.model.empty()) return refuse("* GenerateContentRequest.model: model is not specified\n");
    return out;
  }

  // The model stands in the path; where the body repeats it, it must say the same.
  [[nodiscard]] std::vector<json::Edit> verbatim_edits(const Peek& peek, const Destination& to) const override {
    std::vector<json::Edit> out;
    const std::string name = json::quote("models/" + std::string(gemini::bare_model(to.model)));
    for (const json::TopMember& member : peek.members) {
      if (member.key == "model" && member.kind == json::Kind::string) {
        out.push_back({.pointer = "/model", .value = name});
      } else if (gemini::is_name(member.key, "generateContentRequest") && member.kind == json::Kind::object) {
        const json::Edit inner{.pointer = "/model", .value = name};
        if (auto value = json::apply(member.raw, std::span(&inner, 1))) {
          out.push_back({.pointer = '/' + json::pointer_token(member.key), .value = *std::move(value)});
        }
      }
    }
    return out;
  }

  // Vertex sells provisioned throughput by header.
  [[nodiscard]] std::vector<Header> verbatim_headers(const Asked& asked) const override {
    std::vector<Header> out;
    for (const auto& [name, value] : asked.headers) {
      if (name.starts_with("x-vertex-ai-llm-")) out.emplace_back(name, value);
    }
    return out;
  }

  [[nodiscard]] Result<ChatRequest> read_request(const Asked& asked, Notes& notes) const override {
    return gemini::read_request(asked, notes);
  }
  [[nodiscard]] Result<WireRequest> write_request(const ChatRequest& request, const Destination& to,
                                                  Notes& notes) const override {
    return gemini::write_request(request, to, notes);
  }
  [[nodiscard]] Result<Reply> read_reply(std::string_view body) const override { return gemini::read_reply(body); }
  [[nodiscard]] std::string write_reply(const Reply& reply, const Question& question, Notes& notes) const override {
    return gemini::write_reply(reply, question, notes);
  }

  [[nodiscard]] std::optional<Usage> reply_usage(std::string_view body) const override {
    const auto members = json::scan_object(body);
    if (!members) return std::nullopt;
    for (const json::TopMember& member : *members) {
      if (!gemini::is_name(member.key, "usageMetadata")) continue;
      json::Document doc;
      const auto usage = doc.parse(member.raw);
      if (!usage || !usage->is_object()) return std::nullopt;
      Usage out = gemini::read_usage(*usage, true);
      if (out.known()) return out;
    }
    return std::nullopt;
  }

  // AI Studio takes settings only inside `generateContentRequest`, Vertex takes them as they are.
  [[nodiscard]] Result<WireRequest> write_count_request(const ChatRequest& request, const Destination& to,
                                                        Notes& notes) const override {
    TRY(WireRequest out, gemini::write_request(request, to, notes));
    if (to.provider == "vertex") return out;
    std::string body = R"({"generateContentRequest":{"model":)";
    body += json::quote("models/" + std::string(gemini::bare_model(to.model)));
    if (out.body.size() > 2) body += ',';
    body += std::string_view(out.body).substr(1);
    body += '}';
    out.body = std::move(body);
    return out;
  }
  [[nodiscard]] Result<std::int64_t> read_count(std::string_view body) const override {
    return count_member(body, "totalTokens");
  }
  [[nodiscard]] std::string write_count(std::int64_t tokens) const override {
    return R"({"totalTokens":)" + std::to_string(tokens) + '}';
  }

  [[nodiscard]] std::unique_ptr<Framer> framer(std::string_view content_type) const override {
    if (lower(content_type).find("json") != std::string::npos) return gemini::array_framer();
    return std::make_unique<SseFramer>();
  }
  [[nodiscard]] std::unique_ptr<StreamReader> stream_reader() const override { return gemini::stream_reader(); }
  [[nodiscard]] std::unique_ptr<StreamWriter> stream_writer(const Question& question) const override {
    return gemini::stream_writer(question);
  }
  [[nodiscard]] bool cites_late() const override { return true; }

  [[nodiscard]] Error read_error(int status, std::string_view body, std::string_view /*kind*/ = {}) const override {
    return gemini::read_error(status, body);
  }
  [[nodiscard]] std::string write_error(const Error& error, std::string_view) const override {
    return gemini::write_error(error);
  }

  [[nodiscard]] std::string_view request_id_header() const override { return "x-request-id"; }
  [[nodiscard]] std::string_view own_fields() const override { return "x-gemini-"; }

  [[nodiscard]] PageWords page_words() const override {
    return {.size = "pageSize", .after = "pageToken", .before = {}};
  }
  [[nodiscard]] std::string write_models(const ModelPage& page, bool one) const override {
    const auto rows = page.rows;
    std::string out;
    json::Writer w(out);
    if (!one) w.begin_object().key("models").begin_array();
    for (const ModelRow& row : rows) {
      w.begin_object().member("name", "models/" + row.id).member("baseModelId", row.id).member("version", "001");
      w.member("displayName", row.id);
      if (!row.owner.empty()) w.member("description", row.id + " by " + row.owner);
      w.key("supportedGenerationMethods").begin_array();
      w.string("generateContent").string("streamGenerateContent").string("countTokens").end_array().end_object();
      if (one) break;
    }
    if (!one) w.end_array();
    if (!one && page.more && !rows.empty()) w.member("nextPageToken", rows.back().id);
    if (!one) w.end_object();
    if (out.empty()) out = "{}";
    return out;
  }

 private:
  static std::unexpected<Failure> refuse(std::string message) {
    Error error{.fault = Fault::bad_request, .message = std::move(message)};
    error.param = "model";
    return fail(std::move(error));
  }
};

}  // namespace

const Dialect& gemini_dialect() {
  static const Gemini one;
  return one;
}

}  // namespace sluice::gemini
