// SPDX-License-Identifier: MIT
#include "gateway/metering.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "gateway/choose.h"
#include "gateway/guess.h"
#include "gateway/worker.h"

namespace sluice {
namespace {

using Words = std::string_view;

std::optional<std::int64_t> number(Words text) {
  std::int64_t out = 0;
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), out);
  return bad == std::errc() && end == text.data() + text.size() && out >= 0 ? std::optional(out) : std::nullopt;
}

MeterTime now(const Exchange& ex) {
  const std::int64_t steady_ns = net::Loop::clock_ns();
  return {.steady_ns = steady_ns, .unix_ms = ex.record.unix_ms + (steady_ns - ex.began_ns) / 1'000'000};
}

// What is not text is settled in the end.
std::int64_t guess_input(const Exchange& ex, Words body) {
  return asks_in_text(ex.record.operation) ? guess_tokens(body) : 0;
}

std::int64_t used(const Usage& usage) {
  return usage.total_input() + usage.total_output();
}

}  // namespace

std::optional<std::int64_t> most_output(std::span<const json::TopMember> members) {
  constexpr std::array names = {Words("max_tokens"), Words("max_completion_tokens"), Words("max_output_tokens")};
  constexpr std::array<std::pair<Words, Words>, 3> inside = {{{"generationConfig", "maxOutputTokens"},
                                                              {"generation_config", "max_output_tokens"},
                                                              {"inferenceConfig", "maxTokens"}}};
  for (const json::TopMember& member : members) {
    if (std::ranges::find(names, member.key) != names.end()) {
      if (const auto told = number(member.raw)) return told;
    }
    const auto* const at = std::ranges::find(inside, Words(member.key), &std::pair<Words, Words>::first);
    if (at == inside.end()) continue;
    json::Document doc;
    const auto root = doc.parse(member.raw);
    const auto told = root ? (*root)[at->second].integer() : std::nullopt;
    if (told && *told >= 0) return told;
  }
  return std::nullopt;
}

Result<void> Metering::admit(Exchange& ex, const Ask& ask) {
  if (!ex.key || ex.key->meters.empty()) return {};
  const std::span<const MeteredNode> chain = ex.key->meters;
  Shared& shared = ex.worker.shared();
  auto out = std::make_unique<Metering>();
  if (!ask.counts) {
    out->claim_.input_tokens = guess_input(ex, ask.body);
    if (ex.record.operation == "chat") {
      const std::int64_t likely = shared.outputs.p95(ex.key->id, ex.record.model).value_or(usual_answer);
      out->claim_.output_tokens = std::min(likely, most_output(ask.members).value_or(likely));
    }
  }
  MeterNumbers numbers;
  auto grant = shared.meters.admit(chain, out->claim_, now(ex), numbers);
  const LimitNumbers& own = numbers.requests;
  if (own.limit > 0 && (ex.limits.limit == 0 || own.remaining < ex.limits.remaining)) ex.limits = own;
  ex.token_limits = numbers.tokens;
  if (!grant) return std::unexpected(std::move(grant).error());
  out->grant_ = std::move(*grant);
  ex.metering = std::move(out);
  return {};
}

void Metering::settle(const Exchange& ex) {
  const Record& record = ex.record;
  std::int64_t tokens = used(record.usage);
  // Something was said, and how much is not known: nobody told, or only the beginning of a stream did.
  const bool cut = record.fault || !record.usage.known();
  if (cut && record.first_token_us >= 0 && !record.coalesced)
    tokens = std::max(tokens, claim_.input_tokens + claim_.output_tokens);
  for (const Spent& one : record.spent) {
    if (!one.part) tokens += used(one.usage);
  }
  if (!cut && record.operation == "chat")
    ex.worker.shared().outputs.add(ex.key->id, record.model, record.usage.total_output());
  grant_.settle(tokens, 0, now(ex));
}

}  // namespace sluice
