// SPDX-License-Identifier: MIT
#include "dialects/anthropic/thinking.h"

#include <algorithm>

#include "dialects/effort.h"
#include "dialects/pointer.h"
#include "dialects/spare.h"

namespace sluice::anthropic {
namespace {

constexpr std::int64_t least_budget = 1024;
constexpr std::string_view between_tools = "between_tools";

class Plan {
 public:
  Plan(const ChatRequest& request, const ModelRules& rules, std::optional<std::int64_t>& max_tokens, Notes& notes)
      : request_(request), ask_(request.reasoning), rules_(rules), max_tokens_(max_tokens), notes_(notes) {}

  Thinking run() {
    if (ask_.mode == ReasoningMode::off || (ask_.effort == "none" && ask_.mode == ReasoningMode::unset) ||
        ask_.budget == 0) {
      off();
    } else if (ask_.budget.value_or(-1) > 0) {
      with_budget(*ask_.budget);
    } else if (!ask_.effort.empty() && ask_.effort != "none") {
      with_effort();
    } else if (ask_.mode != ReasoningMode::unset || ask_.budget) {
      plainly();
    }
    return std::move(out_);
  }

 private:
  // The word of the request that decided, for a Note.
  [[nodiscard]] std::string place() const { return pointer_to(request_, ask_.budget ? Field::budget : Field::effort); }

  void off() {
    if (!rules_.thinks) return notes_.restated(place(), "this model does not think");
    switch (rules_.off) {
      case Off::taken:
        out_.type = "disabled";
        if (rules_.adaptive && ask_.effort != "none") out_.effort = effort(ask_.effort);
        return;
      case Off::between_tools:
        out_.type = between_tools;
        return notes_.restated(place(), "this model thinks at least between tools");
      case Off::refused:
        out_.effort = "low";
        return notes_.restated(place(), "this model always thinks: the least effort is asked for");
    }
  }

  void with_budget(std::int64_t budget) {
    if (rules_.budget) return enable(budget);
    if (!rules_.adaptive) return notes_.lost(place(), "this model does not think");
    out_.type = "adaptive";
    out_.effort = effort(ask_.effort.empty() ? std::string(effort_of_budget(budget)) : ask_.effort);
    notes_.restated(pointer_to(request_, Field::budget), "this model takes an effort instead of a budget");
  }

  void with_effort() {
    if (rules_.adaptive) {
      out_.type = "adaptive";
      out_.effort = effort(ask_.effort);
    } else if (rules_.budget) {
      notes_.restated(place(), "this model takes a budget instead of an effort");
      enable(budget_of_effort(ask_.effort));
    } else {
      notes_.lost(place(), "this model does not think");
    }
  }

  void plainly() {
    if (rules_.adaptive) {
      out_.type = "adaptive";
    } else if (rules_.budget) {
      notes_.restated(place(), "this model takes a budget instead of an effort");
      enable(budget_of_effort("medium"));
    } else {
      notes_.lost(place(), "this model does not think");
    }
  }

  // A budget must leave room to answer: chat clients, who know nothing of thinking, mean max_tokens as the answer's
  // size.
  void enable(std::int64_t budget) {
    const std::int64_t asked = budget;
    budget = std::max(budget, least_budget);
    if (max_tokens_ && *max_tokens_ <= budget) {
      const std::int64_t room = rules_.max_output - *max_tokens_;
      const bool answer_only = request_.origin == DialectId::openai_chat || request_.origin == DialectId::cohere;
      if (room >= least_budget && answer_only) {
        budget = std::min(budget, room);
        *max_tokens_ += budget;
        notes_.restated(pointer_to(request_, Field::max_output), "the thinking budget is added to it");
      } else {
        budget = *max_tokens_ / 2;
      }
    }
    if (budget < least_budget) return notes_.lost(place(), "no room to think below the model's output limit");
    if (budget != asked && ask_.budget) notes_.restated(place(), "the budget was put into the model's range");
    out_.type = "enabled";
    out_.budget = budget;
  }

  std::string effort(std::string word) {
    std::string taken = word;
    if (word == "minimal") taken = "low";
    if (word == "xhigh" && !rules_.xhigh) taken = "high";
    if (taken != word && ask_.effort == word) notes_.restated(place(), "this model does not know this effort");
    return taken;
  }

  const ChatRequest& request_;
  const ReasoningAsk& ask_;
  const ModelRules& rules_;
  std::optional<std::int64_t>& max_tokens_;
  Notes& notes_;
  Thinking out_;
};

Thinking said(const ReasoningAsk& ask) {
  Thinking out{.budget = ask.budget, .display = ask.display, .effort = ask.effort};
  switch (ask.mode) {
    case ReasoningMode::unset: break;
    case ReasoningMode::off: out.type = "disabled"; break;
    case ReasoningMode::automatic: out.type = "adaptive"; break;
    case ReasoningMode::on: out.type = ask.budget ? "enabled" : "adaptive"; break;
  }
  if (!remembered(ask.extras, DialectId::anthropic, between_tools).empty()) out.type = between_tools;
  return out;
}

}  // namespace

Thinking plan_thinking(const ChatRequest& request, const ModelRules& rules, const Destination& to, bool as_said,
                       std::optional<std::int64_t>& max_tokens, Notes& notes) {
  if (as_said) return said(request.reasoning);
  const bool own = request.origin == DialectId::anthropic;
  Thinking out = Plan(request, rules, max_tokens, notes).run();
  // An own word for "off" that the target knows as well.
  if (own && out.type == "disabled" && said(request.reasoning).type != "disabled") {
    notes.restated("/thinking/type", "this model may not think at all");
  }
  if (own) {
    if (out.on()) out.display = request.reasoning.display;
    // Effort alone is not yet thinking in this dialect.
    if (request.reasoning.mode == ReasoningMode::unset && out.type == "adaptive") out.type.clear();
    return out;
  }
  if (rules.preserved_thinking && to.provider == "anthropic" && out.type != between_tools) {
    if (out.type.empty()) notes.added("/thinking", "thinking is made visible, and dropped where it no longer fits");
    if (out.type.empty()) out.type = "adaptive";
    out.drop_mismatched = true;
  }
  const std::string& asked = request.reasoning.display;
  if (out.on() && (!rules.shows_thinking || !asked.empty())) out.display = asked == "omitted" ? asked : "summarized";
  if (!request.reasoning.display.empty() && !out.on()) {
    notes.lost(pointer_to(request, Field::display), "there is no thinking to show");
  }
  return out;
}

void write_thinking(json::Writer& out, const Thinking& thinking, const ReasoningAsk& ask, Notes& notes) {
  constexpr DialectId self = DialectId::anthropic;
  const std::string_view pointer = ask.extras.origin == self ? "/thinking" : "/reasoning";
  if (thinking.type.empty()) {
    // An own member cannot stand in an object that is not there.
    for (const Extra& x : ask.extras.members)
      notes.lost(std::string(pointer) + '/' + x.key, "no thinking is asked for");
    return;
  }
  out.key("thinking").begin_object().member("type", thinking.type);
  if (thinking.type == "enabled" && thinking.budget) out.member("budget_tokens", *thinking.budget);
  if (!thinking.display.empty()) out.member("display", thinking.display);
  if (thinking.drop_mismatched) {
    out.key("block_binding").begin_object().member("prefix_mismatch_behavior", "drop_block").end_object();
  }
  write_extras(out, ask.extras, self, pointer, notes);
  out.end_object();
}

}  // namespace sluice::anthropic
