// Events as this dialect's stream: the response around them, and the ladder of their items. SPDX-License-Identifier:
// MIT
#include <utility>

#include "dialects/openai_responses/head.h"
#include "dialects/openai_responses/ladder.h"
#include "dialects/openai_responses/openai_responses.h"
#include "dialects/openai_responses/stop.h"
#include "model/fold.h"
#include "wire/sse.h"

namespace sluice::openai_responses {
namespace {

constexpr DialectId self = DialectId::openai_responses;

class Writer final : public StreamWriter {
 public:
  explicit Writer(const Question& question) : head_(question), ladder_(question.exchange_id) {}

  void write(const Event& event, std::string& out) override {
    to_.to(&out);
    std::visit([this](const auto& e) { on(e); }, event);
    to_.to(nullptr);
  }
  void keep_alive(std::string& out) override { sse::append_comment(out, "keep-alive"); }
  [[nodiscard]] std::string_view content_type() const override { return "text/event-stream"; }

 private:
  void on(const Begin& e) {
    begun_ = true;
    head_.begin(e.reply);
    ladder_.origin(e.reply.origin);
    usage_ = e.reply.usage;
    respond("response.created", {.status = "in_progress"});
    respond("response.in_progress", {.status = "in_progress"});
  }
  void on(const BlockStart& e) {
    if (e.choice != 0) return;
    open_ = true;
    ladder_.start(e.part, to_);
  }
  void on(const Delta& e) {
    if (e.choice == 0) ladder_.grow(e.text, e.logprobs, to_);
  }
  void on(const CitationSeen& e) {
    // A part that was told as done stays as it was told.
    if (e.choice == 0 && open_) ladder_.cite(e.citation, to_);
  }
  void on(const BlockStop& e) {
    if (e.choice != 0) return;
    ladder_.stop(e.seal, e.extras, to_);
    open_ = false;
  }
  void on(const UsageSeen& e) { merge(usage_, e.usage); }
  void on(const Finish& e) {
    if (e.choice != 0) return;
    stop_ = e.stop;
    ladder_.finish(write_stop(stop_, ladder_.holds()).status, to_);
  }
  void on(const Ping&) { to_.comment("ping"); }
  void on(const OpaqueEvent& e) {
    if (e.origin == self) to_.forward(e.type, e.raw);
  }

  void on(const End& e) {
    const Ending ending = write_stop(stop_, ladder_.holds());
    // A status that is no end of this kind (queued) stands in the response all the same.
    respond(ending.status == "incomplete" ? "response.incomplete" : "response.completed", {.status = ending.status,
                                                                                           .detail = ending.detail,
                                                                                           .items = ladder_.items(),
                                                                                           .usage = &usage_,
                                                                                           .late = &e.extras,
                                                                                           .tier = e.service_tier});
  }

  void on(const Failed& e) {
    std::string code = e.error.code;
    if (code.empty()) code = e.error.fault == Fault::upstream_limited ? "rate_limit_exceeded" : "server_error";
    std::string error;
    json::Writer out(error);
    out.begin_object().member("code", code).member("message", e.error.message);
    if (!begun_) {
      // There is no response that could fail.
      out.key("param");
      e.error.param.empty() ? out.null() : out.string(e.error.param);
      out.end_object();
      return to_.send("error", std::string_view(error).substr(1, error.size() - 2));
    }
    out.end_object();
    ladder_.cut(to_);
    respond("response.failed", {.status = "failed", .items = ladder_.items(), .error = error, .usage = &usage_});
  }

  void respond(std::string_view type, const Head::State& state) {
    std::string members = "\"response\":";
    json::Writer out(members);
    head_.write(out, state);
    to_.send(type, members);
  }

  Head head_;
  Ladder ladder_;
  Emitter to_;
  Usage usage_;
  Stop stop_;
  bool begun_ = false;
  bool open_ = false;  // a block is
};

}  // namespace

std::unique_ptr<StreamWriter> stream_writer(const Question& question) {
  return std::make_unique<Writer>(question);
}

}  // namespace sluice::openai_responses
