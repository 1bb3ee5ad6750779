// How much to think, in the words of the vendor. SPDX-License-Identifier: MIT
#include "dialects/effort.h"
#include "dialects/openai_chat/writing.h"
#include "dialects/spare.h"

namespace sluice::openai_chat {
namespace {

bool has_functions(const ChatRequest& request) {
  return !request.tools.empty() && !(request.tool_choice && request.tool_choice->kind == ChoiceKind::none);
}

// The effort in one word, from whatever was asked; empty: nothing was.
std::string_view effort_word(Writing& w) {
  const ReasoningAsk& ask = w.request.reasoning;
  if (!ask.effort.empty()) return ask.effort;
  if (ask.mode == ReasoningMode::off) return "none";
  if (ask.budget) {
    w.restated(Field::budget, "a budget of tokens became a word of effort");
    return effort_of_budget(*ask.budget);
  }
  // "on" without a word: there is none that means "as you like", the default is left.
  return {};
}

void write_object(Writing& w) {
  const ReasoningAsk& ask = w.request.reasoning;
  const bool inner = has_inner_extras(ask.extras, self, "reasoning");
  if (ask.mode == ReasoningMode::unset && ask.effort.empty() && !ask.budget && ask.display.empty() && !inner) return;
  w.out.key("reasoning").begin_object();
  if (!ask.effort.empty()) w.out.member("effort", ask.effort);
  if (ask.effort.empty() && ask.budget && *ask.budget >= 0) w.out.member("max_tokens", *ask.budget);
  if (ask.mode == ReasoningMode::off && ask.effort.empty()) w.out.member_bool("enabled", false);
  if (ask.mode == ReasoningMode::on && ask.effort.empty() && !ask.budget) w.out.member_bool("enabled", true);
  if (ask.display == "omitted") w.out.member_bool("exclude", true);
  write_inner_extras(w.out, ask.extras, self, "reasoning");
  w.out.end_object();
}

std::string_view thinking_type(const ReasoningAsk& ask) {
  switch (ask.mode) {
    case ReasoningMode::off: return "disabled";
    case ReasoningMode::on: return "enabled";
    case ReasoningMode::automatic: return "enabled";
    case ReasoningMode::unset: break;
  }
  if (ask.effort == "none") return "disabled";
  return ask.effort.empty() && !ask.budget ? "" : "enabled";
}

void write_thinking(Writing& w) {
  const ReasoningAsk& ask = w.request.reasoning;
  const std::string_view said = remembered(ask.extras, self, "thinking");
  const std::string_view type = thinking_type(ask);
  if (!type.empty()) {
    w.out.key("thinking").begin_object();
    if (said.empty()) {
      w.out.member("type", std::string(type));
    } else {
      w.out.member_raw("type", said);
    }
    if (ask.budget && !remembered(ask.extras, self, "thinking_tokens").empty()) {
      w.out.member("budget_tokens", *ask.budget);
    }
    write_inner_extras(w.out, ask.extras, self, "thinking");
    w.out.end_object();
  }
  if (!ask.effort.empty() && ask.effort != "none") w.out.member("reasoning_effort", ask.effort);
}

void write_enable(Writing& w) {
  const ReasoningAsk& ask = w.request.reasoning;
  if (const auto type = thinking_type(ask); !type.empty()) w.out.member_bool("enable_thinking", type == "enabled");
  if (ask.budget && *ask.budget > 0) {
    w.out.member("thinking_budget", *ask.budget);
  } else if (!ask.effort.empty() && ask.effort != "none") {
    w.restated(Field::effort, "a word of effort became a budget of tokens");
    w.out.member("thinking_budget", budget_of_effort(ask.effort));
  }
}

Result<bool> write_word(Writing& w) {
  std::string_view effort = effort_word(w);
  const std::string_view nearest = nearest_effort(w.rules, effort);
  if (!effort.empty() && nearest != effort) {
    w.restated(Field::effort, "the model does not know this effort: the nearest is asked for");
    effort = nearest;
  }
  if (has_functions(w.request) && w.rules.no_tools) {
    return fail(Error{.fault = Fault::unsupported,
                      .message = "This model calls functions only through the Responses API. Use another model, or "
                                 "send the request without tools.",
                      .param = "tools"});
  }
  const bool none_needed = has_functions(w.request) && w.rules.tools_need_none && effort != "none" &&
                           (!effort.empty() || w.rules.tools_need_none_said);
  if (none_needed) {
    if (effort.empty()) {
      w.notes.added(pointer_to(w.request, Field::effort), "this model calls functions only without reasoning");
    } else {
      w.restated(Field::effort, "this model calls functions only without reasoning");
    }
    effort = "none";
  }
  if (!effort.empty()) w.out.member("reasoning_effort", std::string(effort));
  return true;
}

}  // namespace

Result<bool> write_reasoning(Writing& w) {
  const ReasoningAsk& ask = w.request.reasoning;
  if (!ask.display.empty() && ask.display != "omitted" && ask.extras.origin != self) {
    w.lost(Field::display, "openai_chat has no say in how reasoning is shown");
  }
  if (ask.extras.origin != self) note_extras(ask.extras, self, pointer_to(w.request, Field::reasoning), w.notes);
  const auto form = [&] {
    // A server that we know nothing about gets the form that its own client used.
    if (w.vendor.name != "compatible" || !w.own()) return w.vendor.effort;
    for (const auto& [word, its] : {std::pair{"reasoning", EffortForm::object},
                                    {"thinking", EffortForm::thinking},
                                    {"enable_thinking", EffortForm::enable},
                                    {"thinking_budget", EffortForm::enable}}) {
      if (!remembered(ask.extras, self, word).empty()) return its;
    }
    return w.vendor.effort;
  }();
  switch (form) {
    case EffortForm::object: write_object(w); return true;
    case EffortForm::thinking: write_thinking(w); return true;
    case EffortForm::enable: write_enable(w); return true;
    case EffortForm::word: return write_word(w);
  }
  return true;
}

}  // namespace sluice::openai_chat
