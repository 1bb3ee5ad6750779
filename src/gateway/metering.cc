// SPDX-License-Identifier: MIT
#include "gateway/metering.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "gateway/choose.h"
#include "gateway/guess.h"
#include "gateway/output_limit.h"
#include "gateway/used.h"
#include "gateway/worker.h"
#include "policy/meter_words.h"

namespace sluice {
namespace {

using Words = std::string_view;

MeterTime now(const Exchange& ex) {
  const std::int64_t steady_ns = net::Loop::clock_ns();
  return {.steady_ns = steady_ns, .unix_ms = ex.record.unix_ms + (steady_ns - ex.began_ns) / 1'000'000};
}

// What is not text is settled in the end.
std::int64_t guess_input(const Exchange& ex, Words body) {
  if (!asks_in_text(ex.record.operation)) return 0;
  return ex.input_guess >= 0 ? ex.input_guess : guess_tokens(body);  // the ledger has guessed already
}

std::int64_t used(const Usage& usage) {
  return usage.total_input() + usage.total_output();
}

bool makes_output(Words operation) {
  return operation != "embeddings" && operation != "rerank" && operation != "moderations";
}

// What is asked for by the piece: as little as there can be, for nobody tells before.
Units guess_units(Words operation, const OutputAsked& asked) {
  Units out;
  if (operation == "rerank") out.search_units = 1;
  if (operation.starts_with("images.")) out.images = asked.answers;
  if (operation.starts_with("audio.")) out.audio_ms = 60'000;
  return out;
}

Lane lane_asked(std::span<const json::TopMember> members) {
  const auto tier = std::ranges::find(members, Words("service_tier"), &json::TopMember::key);
  if (tier == members.end() || tier->kind != json::Kind::string || tier->raw.size() < 2) return Lane::standard;
  return lane_of(tier->raw.substr(1, tier->raw.size() - 2));
}

}  // namespace

const MeteredNode* refuses_unknown_price(const Key& key) {
  for (const MeteredNode& node : key.meters) {
    if (!node.allowance->budgets.empty() && node.allowance->unknown_price == UnknownPrice::refuse) return &node;
  }
  return nullptr;
}

Result<void> Metering::admit(Exchange& ex, const Ask& ask, std::vector<Target>& targets) {
  if (!ex.key || ex.key->meters.empty()) return {};
  const std::span<const MeteredNode> chain = ex.key->meters;
  Shared& shared = ex.worker.shared();
  auto out = std::make_unique<Metering>();
  out->claim_.copy = ex.mirror;
  const OutputAsked asked = output_asked(ask.members);
  if (!ask.counts) {
    out->claim_.input_tokens = guess_input(ex, ask.body);
    if (ex.record.operation == "chat") {
      const std::int64_t likely = shared.outputs.p95(ex.key->id, ex.record.model).value_or(usual_answer);
      out->claim_.output_tokens = std::min(likely, asked.most.value_or(likely));
    }
  }
  if (ex.key->has_budget) TRY_VOID(out->plan(ex, ask, asked, targets));
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

// What the first call may cost. What has no price goes nowhere where somebody on the path wants it so.
Result<void> Metering::plan(Exchange& ex, const Ask& ask, const OutputAsked& asked, std::vector<Target>& targets) {
  const Heading& heading = ex.record;
  const auto allowed = output_allowed(ex.key, asked);
  expense_ = std::make_unique<Expense>(Expense::Asked{.input = claim_.input_tokens,
                                                      .most = asked.most ? asked.most : allowed,
                                                      .answers = asked.answers,
                                                      .output = makes_output(heading.operation),
                                                      .watched = ask.stream,
                                                      .free = ask.counts || !may_cost(heading),
                                                      .units = guess_units(heading.operation, asked),
                                                      .lane = lane_asked(ask.members)});
  PriceBook& prices = ex.worker.prices();
  const auto known = [&](const Target& target) {
    return expense_->at_first(*prices.of(*target.backend, target.model)).has_value();
  };
  if (const MeteredNode* strict = refuses_unknown_price(*ex.key)) {
    std::erase_if(targets, [&](const Target& target) { return !known(target); });
    if (targets.empty() && !expense_->free())
      return fail(words({.why = MeterRefusal::Why::no_price, .node = strict->name}));
  }
  claim_.nano_dollars = 0;
  if (targets.empty() || expense_->free()) return {};
  claim_.nano_dollars = expense_->at_first(*prices.of(*targets.front().backend, targets.front().model));
  return {};
}

Result<void> Metering::cover(Exchange& ex, std::size_t attempt, const Target& target) {
  if (!expense_) return {};
  expense_->begin(attempt, ex.worker.prices().of(*target.backend, target.model));
  return set_aside(ex);
}

Result<void> Metering::set_aside(const Exchange& ex) {
  const std::int64_t more = expense_->needed(ex.record) - grant_.reserved();
  return more > 0 ? grant_.top_up(more, now(ex)) : Result<void>();
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
  if (!cut && record.operation == "chat" && !ex.mirror)
    ex.worker.shared().outputs.add(ex.key->id, record.model, record.usage.total_output());
  grant_.settle(tokens, expense_ ? expense_->spent(record) : 0, now(ex));
}

}  // namespace sluice
