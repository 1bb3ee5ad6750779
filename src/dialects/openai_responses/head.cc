// SPDX-License-Identifier: MIT
#include "dialects/openai_responses/head.h"

#include <algorithm>
#include <array>

#include "base/keys.h"
#include "dialects/openai_responses/held.h"
#include "dialects/openai_responses/usage.h"
#include "dialects/spare.h"

namespace sluice::openai_responses {
namespace {

constexpr DialectId self = DialectId::openai_responses;

// The memory that holds all members of a response that repeat its question: they go together or not at all.
constexpr std::string_view echo_word = "echo", echo_key =
                                                   "\x1f"
                                                   "echo";

// Members that a response repeats from its question, and what stands there when nothing was asked. Empty: then it is
// left out.
struct Echo {
  std::string_view key, unasked;  // the key as it is written, quotes and colon included
  [[nodiscard]] constexpr std::string_view name() const { return key.substr(1, key.size() - 3); }
};
constexpr std::array echoes = std::to_array<Echo>({
    {R"("background":)", "false"},
    {R"("conversation":)", ""},
    {R"("frequency_penalty":)", ""},
    {R"("instructions":)", "null"},
    {R"("max_output_tokens":)", "null"},
    {R"("max_tool_calls":)", "null"},
    {R"("metadata":)", "{}"},
    {R"("parallel_tool_calls":)", "true"},
    {R"("presence_penalty":)", ""},
    {R"("previous_response_id":)", "null"},
    {R"("prompt":)", ""},
    {R"("prompt_cache_key":)", "null"},
    {R"("prompt_cache_options":)", ""},
    {R"("prompt_cache_retention":)", "null"},
    {R"("reasoning":)", R"({"effort":null,"summary":null})"},
    {R"("safety_identifier":)", "null"},
    {R"("temperature":)", "1.0"},
    {R"("text":)", R"({"format":{"type":"text"}})"},
    {R"("tool_choice":)", R"("auto")"},
    {R"("tools":)", "[]"},
    {R"("top_logprobs":)", "0"},
    {R"("top_p":)", "1.0"},
    {R"("truncation":)", R"("disabled")"},
    {R"("user":)", "null"},
});

// All of them as they stand when nothing was asked, a comma behind each; `at` is where each begins, and the end.
struct Unasked {
  std::array<char, 768> text{};
  std::array<std::size_t, echoes.size() + 1> at{};

  consteval Unasked() {
    std::size_t end = 0;
    const auto append = [&](std::string_view piece) {
      for (const char c : piece) text[end++] = c;
    };
    for (std::size_t i = 0; i < echoes.size(); ++i) {
      at[i] = end;
      if (echoes[i].unasked.empty()) continue;
      append(echoes[i].key);
      append(echoes[i].unasked);
      append(",");
    }
    at.back() = end;
  }
  [[nodiscard]] std::string_view between(std::size_t from, std::size_t to) const {
    return std::string_view(text.data(), text.size()).substr(from, to - from);
  }
};
constexpr Unasked unasked;

// What else is no news.
constexpr std::array no_news =
    std::to_array<std::string_view>({R"("completed_at":)", R"("output_text":)", R"("store":)"});

// The members with a meaning of their own.
constexpr std::array known = std::to_array<std::string_view>({"id", "model", "created_at", "output", "usage", "status",
                                                              "service_tier", "incomplete_details", "error", "object"});

// All names: echoes, what else is no news, known ones.
constexpr KeySet names = [] {
  std::array<std::string_view, echoes.size() + no_news.size() + known.size()> out;
  std::size_t end = 0;
  for (const Echo& one : echoes) out[end++] = one.name();
  for (const std::string_view one : no_news) out[end++] = one.substr(1, one.size() - 3);
  for (const std::string_view one : known) out[end++] = one;
  return KeySet(out);
}();
constexpr std::size_t first_known = echoes.size() + no_news.size();

void write_members(json::Writer& out, const Extras& extras, const Extras* over) {
  if (extras.origin != self) return;
  for (const Extra& extra : extras.members) {
    const auto replaced = [&](const Extra& later) { return later.key == extra.key; };
    if (over != nullptr && std::ranges::any_of(over->members, replaced)) continue;
    extra.key == echo_key ? out.raw(extra.raw) : out.member_raw(extra.key, extra.raw);
  }
}

}  // namespace

Members read_head(json::Value response, Reply& out) {
  std::array<json::Value, known.size()> values;
  std::string echo;
  echo.reserve(768);
  for (const auto [key, value] : response.members()) {
    const std::size_t which = names.find(key);
    if (which < first_known) {
      if (!echo.empty()) echo += ',';
      echo += which < echoes.size() ? echoes[which].key : no_news[which - echoes.size()];
      echo += value.raw();
    } else if (which == first_known + known.size()) {
      out.extras.add(self, key, value.raw());
    } else if (auto& first = values[which - first_known]; !first) {
      first = value;
    }
  }
  if (!echo.empty()) remember(out.extras, self, echo_word, echo);
  const auto& [id, model, created, output, usage, status, tier, detail, error, object] = values;
  out.origin = self;
  out.id = id.text();
  out.model = model.text();
  out.created = created.integer();
  return {.output = output, .usage = usage, .status = status, .tier = tier, .detail = detail, .error = error};
}

Head::Head(const Question& question)
    : model_(question.model), exchange_(question.exchange_id), seconds_(question.unix_seconds) {
  std::array<std::string_view, echoes.size()> said;
  std::size_t size = unasked.at.back();
  for (const json::TopMember& asked : question.asked) {
    if (asked.kind == json::Kind::null || asked.key == "conversation") continue;
    if (const std::size_t place = names.find(asked.key); place < said.size()) {
      said[place] = asked.raw;
      size += echoes[place].key.size() + asked.raw.size() + 1;
    }
  }
  echo_.reserve(size);
  std::size_t from = 0;
  for (std::size_t i = 0; i < said.size(); ++i) {
    if (said[i].empty()) continue;
    echo_ += unasked.between(from, unasked.at[i]);
    echo_ += echoes[i].key;
    echo_ += said[i];
    echo_ += ',';
    from = unasked.at[i + 1];
  }
  echo_ += unasked.between(from, unasked.at.back());
  echo_.pop_back();  // the last comma
}

void Head::begin(const Reply& reply) {
  reply_.id = reply.id;
  reply_.model = reply.model;
  reply_.created = reply.created;
  reply_.service_tier = reply.service_tier;
  own_ = reply.origin == self;
  if (own_) reply_.extras = reply.extras;
  if (reply_.id.empty()) reply_.id = "resp_" + exchange_;
}

void Head::write(json::Writer& out, const State& state) const {
  out.begin_object().member("id", reply_.id).member("object", "response");
  out.member("created_at", reply_.created.value_or(seconds_)).member("status", state.status);
  out.member_raw("error", state.error).member_raw("incomplete_details", state.detail);
  out.member("model", reply_.model.empty() ? std::string_view(model_) : std::string_view(reply_.model));
  out.key("output").begin_array();
  if (!state.items.empty()) out.raw(state.items);
  out.end_array();
  const auto& tier = state.tier ? state.tier : reply_.service_tier;
  if (tier) out.member("service_tier", *tier);
  out.key("usage");
  if (state.usage != nullptr && (state.usage->known() || !state.usage->raw.empty())) {
    write_usage(out, *state.usage);
  } else {
    out.null();
  }
  if (!own_) out.raw(echo_).member_bool("store", is_held_id(reply_.id));
  write_members(out, reply_.extras, state.late);
  if (state.late != nullptr) write_members(out, *state.late, nullptr);
  out.end_object();
}

}  // namespace sluice::openai_responses
