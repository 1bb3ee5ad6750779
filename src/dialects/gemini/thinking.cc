// How much a model shall think: level, budget, and what of it is shown. SPDX-License-Identifier: MIT
#include <algorithm>
#include <optional>
#include <string>

#include "base/text.h"
#include "dialects/gemini/settings.h"
#include "dialects/pointer.h"
#include "dialects/spare.h"

namespace sluice::gemini {
namespace {

constexpr DialectId self = DialectId::gemini;

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  return out;
}

// What will stand there.
struct Said {
  std::optional<bool> show;
  std::optional<std::int64_t> budget;
  std::string level;
};

// The client spoke this dialect: its own words.
Said as_it_stood(const ReasoningAsk& ask) {
  Said out;
  if (!ask.display.empty()) out.show = ask.display != "omitted";
  if (!ask.effort.empty()) out.level = upper(ask.effort);
  if (ask.budget) {
    out.budget = ask.budget;
  } else if (ask.effort.empty() && ask.mode == ReasoningMode::off) {
    out.budget = 0;
  } else if (ask.effort.empty() && ask.mode == ReasoningMode::automatic) {
    out.budget = -1;
  }
  return out;
}

class Translation {
 public:
  Translation(const ChatRequest& request, const ModelRules& rules, Notes& notes)
      : request_(request), ask_(request.reasoning), rules_(rules), notes_(notes) {}

  Said run() {
    off_ = ask_.mode == ReasoningMode::off || ask_.effort == "none";
    switch (rules_.control) {
      case Control::none: none(); break;
      case Control::budget: budget(); break;
      case Control::level: level(); break;
    }
    show();
    return out_;
  }

 private:
  [[nodiscard]] std::string at_effort() const {
    return pointer_to(request_, ask_.effort.empty() && ask_.budget ? Field::budget : Field::effort);
  }

  void none() {
    if (!off_ && (!ask_.effort.empty() || ask_.budget)) notes_.lost(at_effort(), "this model does not think on demand");
  }

  void budget() {
    if (off_) {
      out_.budget = budget_of("none", rules_);
      if (out_.budget != 0) notes_.restated(at_effort(), "this model cannot stop thinking; its least budget stands");
    } else if (ask_.budget) {
      out_.budget = std::clamp(*ask_.budget, rules_.least, rules_.most);
      if (out_.budget != ask_.budget) {
        notes_.restated(pointer_to(request_, Field::budget), "the budget was put into this model's range");
      }
    } else if (!ask_.effort.empty()) {
      out_.budget = budget_of(ask_.effort, rules_);
      notes_.restated(pointer_to(request_, Field::effort), "this model takes a budget, not an effort");
    } else if (ask_.mode == ReasoningMode::automatic) {
      out_.budget = -1;
    }
  }

  void level() {
    std::string_view effort = ask_.effort;
    if (off_) {
      effort = "none";
    } else if (effort.empty() && ask_.budget) {
      effort = effort_of(*ask_.budget);
      notes_.restated(pointer_to(request_, Field::budget), "this model takes a level, not a budget");
    } else if (ask_.budget) {
      notes_.restated(pointer_to(request_, Field::budget), "this model takes a level; the effort says it");
    }
    if (effort.empty()) return;
    out_.level = level_of(effort, rules_);
    if (lower(out_.level) == effort) return;
    notes_.restated(at_effort(), off_ ? "this model cannot stop thinking; its lowest level stands"
                                      : "the nearest level that this model takes");
  }

  void show() {
    if (rules_.control == Control::none || off_) return;
    if (!ask_.display.empty()) {
      out_.show = ask_.display != "omitted";
      return;
    }
    // There, thinking that was asked for is shown unless the client says otherwise.
    const bool asked = ask_.mode == ReasoningMode::on || ask_.mode == ReasoningMode::automatic;
    if (request_.origin == DialectId::anthropic && asked) {
      out_.show = true;
      notes_.added(pointer_to(request_, Field::display), "gemini shows thoughts only when asked");
    }
  }

  const ChatRequest& request_;
  const ReasoningAsk& ask_;
  const ModelRules& rules_;
  Notes& notes_;
  Said out_;
  bool off_ = false;
};

}  // namespace

void read_thinking(json::Value config, ReasoningAsk& out) {
  for (const auto [key, value] : config.members()) {
    if (value.is_null()) continue;
    if (is_name(key, "includeThoughts") && value.boolean()) {
      out.display = *value.boolean() ? "summarized" : "omitted";
    } else if (is_name(key, "thinkingBudget") && value.integer() && *value.integer() >= -1) {
      const std::int64_t budget = *value.integer();
      out.mode = budget < 0 ? ReasoningMode::automatic : budget == 0 ? ReasoningMode::off : ReasoningMode::on;
      if (budget > 0) out.budget = budget;
    } else if (is_name(key, "thinkingLevel") && value.is_string()) {
      if (const std::string level = lower(value.text()); level != "thinking_level_unspecified") out.effort = level;
    } else {
      out.extras.add(self, key, value.raw());
    }
  }
}

void write_thinking(json::Writer& out, const ChatRequest& request, const ModelRules& rules, Notes& notes) {
  const bool own = request.origin == self;
  const Said said = own ? as_it_stood(request.reasoning) : Translation(request, rules, notes).run();
  const bool extras = own && !request.reasoning.extras.empty();
  if (!own) note_extras(request.reasoning.extras, self, pointer_to(request, Field::reasoning), notes);
  if (!said.show && !said.budget && said.level.empty() && !extras) return;
  out.key("thinkingConfig").begin_object();
  if (said.show) out.member_bool("includeThoughts", *said.show);
  if (said.budget) out.member("thinkingBudget", *said.budget);
  if (!said.level.empty()) out.member("thinkingLevel", said.level);
  if (extras) {
    for (const Extra& extra : request.reasoning.extras.members) out.member_raw(extra.key, extra.raw);
  }
  out.end_object();
}

}  // namespace sluice::gemini
